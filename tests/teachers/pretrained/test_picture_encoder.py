"""Opening a network of pictures and asking it: the library's own numbers in every family, and what each refusal says."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kd_core.errors import DataError
from kd_core.teachers.pretrained import folders
from kd_core.teachers.pretrained.picture_config import FAMILIES, read_pictures
from kd_core.teachers.pretrained.picture_encoder import open_pictures
from tests.teachers.pretrained.tiny import edit, library
from tests.teachers.pretrained.tiny_pictures import NAMES, pixels, write_pictures

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "tiny")


def gathered(found, rows=6):
    parts = list(found)
    assert sorted(i for at, _ in parts for i in at) == list(range(rows))
    return np.concatenate([some for _, some in parts])


def refused(call, folder, code):
    with pytest.raises(DataError) as caught:
        call(folder)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_as_the_library_itself(family, tmp_path):
    labels = ("a", "b", "c")
    folder = write_pictures(tmp_path / "tiny", NAMES[family], labels=labels)
    plain, headed = open_pictures(folder), open_pictures(folder, head=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = library().AutoModelForImageClassification.from_pretrained(folder, local_files_only=True).eval()
    x = read_pictures(folder).reading.read(torch.from_numpy(pixels()))
    read = []
    last = theirs.classifier[-1] if isinstance(theirs.classifier, torch.nn.Sequential) else theirs.classifier
    last.register_forward_pre_hook(lambda module, given: read.append(given[0]))
    with torch.no_grad():
        logits = theirs(pixel_values=x).logits.numpy()
    np.testing.assert_allclose(gathered(headed.answers(pixels(), CPU)), logits, atol=1e-5)
    wanted = torch.nn.functional.normalize(read[0].flatten(1), dim=1).numpy()
    found = gathered(plain.vectors(pixels(), CPU))
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert found.dtype == np.float16 and found.shape[1] == plain.numbers and plain.network.training is False
    assert np.abs(found - found[:1]).max() > 1e-3 and read_pictures(folder).labels == labels
    assert all("classifier" in name for name in plain.left_out) and headed.left_out == ()


def test_a_picture_has_the_same_vector_whatever_stands_beside_it(folder):
    encoder = open_pictures(folder)
    together = gathered(encoder.vectors(pixels(), CPU))
    alone = np.concatenate([gathered(encoder.vectors(pixels()[i : i + 1], CPU), 1) for i in range(6)])
    np.testing.assert_allclose(together, alone, atol=1e-3)
    first = pixels()[0]
    assert encoder.name(first) == encoder.name(first.copy()) != encoder.name(255 - first)
    assert encoder.name(first) != encoder.name(first.reshape(3, 24, 20))


def test_opening_moves_nobodys_random_numbers(folder):
    torch.manual_seed(3)
    open_pictures(folder)
    after = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(2))


def test_weights_that_do_not_fit_are_refused(folder, monkeypatch):
    file = folder / "model.safetensors"
    state = load_file(file)
    name = "embedder.embedder.convolution.weight"
    save_file({k: v for k, v in state.items() if k != name}, file)
    assert f"lacks {name}" in refused(open_pictures, folder, "model_weights")
    save_file(state | {name: torch.zeros(3, 4)}, file)
    assert f"holds {name} of shape [3, 4]" in refused(open_pictures, folder, "model_weights")
    save_file(state | {name: torch.full_like(state[name], torch.inf)}, file)
    assert "numbers that are not finite" in refused(open_pictures, folder, "model_weights")
    save_file(state | {name: torch.full_like(state[name], 3e38)}, file)
    encoder = open_pictures(folder)
    with pytest.raises(DataError, match="makes numbers that are not finite of some rows"):
        gathered(encoder.vectors(pixels(), CPU))
    file.write_bytes(b"\x80\x04 no weights")
    assert "is no whole safetensors file" in refused(open_pictures, folder, "model_weights")


def test_a_config_that_asks_for_more_than_the_file_holds_is_refused_before_it_takes_memory(folder):
    edit(folder, hidden_sizes=[4096] * 8, depths=[64] * 8)
    said = refused(open_pictures, folder, "model_weights")
    assert "bytes, the model of its config.json takes" in said


def test_a_picture_that_is_too_small_for_the_network_is_refused(folder):
    edit(folder, hidden_sizes=[16, 32])
    told = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(told | {"size": {"shortest_edge": 8}, "crop_pct": 1.0}))
    assert open_pictures(folder).numbers == 32
    patches = write_pictures(folder.parent / "patches", "ConvNext", patch_size=4)
    told = json.loads((patches / "preprocessor_config.json").read_text())
    (patches / "preprocessor_config.json").write_text(json.dumps(told | {"size": {"shortest_edge": 8}}))
    edit(patches, patch_size=16)
    state = load_file(patches / "model.safetensors")
    name = "embeddings.patch_embeddings.weight"
    save_file(state | {name: torch.zeros(16, 3, 16, 16)}, patches / "model.safetensors")
    assert "can't read pictures of 8 x 8" in refused(open_pictures, patches, "model_weights")


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"auto_map": {"AutoModel": "evil.py--Evil"}}, "model_code", "names code or other files (auto_map)"),
        ({"model_type": "bert"}, "model_family", "Known are: vit, resnet, mobilenet_v2, convnext."),
        ({"model_type": ["resnet"]}, "model_family", "which is not known here"),
        ({"depths": [1000, 1]}, "model_bounds", "depths = [1000, 1]; it must be a list of 1 to 8 whole numbers"),
        ({"depths": [1]}, "model_bounds", "depths = [1]; it must be as long as hidden_sizes (2)"),
        ({"hidden_act": "os.system"}, "model_bounds", "hidden_act = 'os.system'; it must be one of gelu"),
        ({"num_channels": 4}, "model_bounds", "num_channels = 4; it must be one of 1, 3"),
        ({"num_channels": True}, "model_bounds", "num_channels = True; it must be one of 1, 3"),
        ({"downsample_in_bottleneck": 1}, "model_bounds", "it must be true or false"),
    ],
)
def test_a_config_out_of_bounds_is_refused_and_not_kept(folder, changes, code, said):
    edit(folder, **changes)
    assert said in refused(read_pictures, folder, code)
    assert said in refused(lambda place: folders.add(place, folders.PICTURES), folder, code)
    assert not list(folders.models().iterdir())


def test_a_vit_takes_pictures_of_its_own_size_only(tmp_path):
    folder = write_pictures(tmp_path / "tiny", "ViT")
    edit(folder, image_size=64)
    said = refused(read_pictures, folder, "model_config")
    assert "preprocessor_config.json makes pictures of 32 x 32, the model takes 64 x 64" in said
    edit(folder, image_size=32, hidden_size=30)
    assert "hidden_size = 30; it must be a multiple of its heads" in refused(read_pictures, folder, "model_bounds")


def test_what_a_folder_lacks_is_said(folder):
    name = folders.add(folder, folders.PICTURES)
    assert folders.names(folders.PICTURES) == [name] and name not in folders.names()
    assert sorted(p.name for p in folders.find(name, folders.PICTURES).iterdir()) == sorted(
        folders.KINDS[folders.PICTURES].files
    )

    def add(place):
        return folders.add(place, folders.PICTURES)

    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "weights are in pytorch_model.bin, and such files can run code" in refused(add, folder, "model_pickle")
    (folder / "preprocessor_config.json").unlink()
    said = refused(add, folder, "model_file")
    assert "preprocessor_config.json is missing" in said and "save_pretrained() of model and image processor" in said
    (folder / "config.json").unlink()
    assert "config.json is missing" in refused(add, folder, "model_file")
