"""Opening an encoder and asking it: the same numbers as the library's own way, and what each refusal says."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kd_core.errors import DataError
from kd_core.teachers.pretrained.config import FAMILIES, read_config
from kd_core.teachers.pretrained.encoder import batches, open_encoder, pool
from tests.teachers.pretrained.tiny import edit, library, write_model

TEXTS = ["good card", "my money is gone again", "bad", "why did my top up not work again", "late card", ""]
NAMES = {
    "bert": "Bert",
    "distilbert": "DistilBert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "electra": "Electra",
}
CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    return write_model(tmp_path / "tiny")


def vectors(encoder, texts=TEXTS):
    found = np.empty((len(texts), 2 * encoder.config.width), np.float16)
    for at, some in encoder.vectors(texts, CPU):
        found[at] = some
    return found


def refused(folder, code, length=64):
    with pytest.raises(DataError) as caught:
        open_encoder(folder, length)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_as_the_library_itself(family, tmp_path):
    folder = write_model(tmp_path / "tiny", NAMES[family])
    transformers = library()
    encoder = open_encoder(folder, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    for text, mine in zip(TEXTS, vectors(encoder), strict=True):
        ids = torch.tensor([encoder.tokenizer.encode(text).ids])
        with torch.no_grad():
            wanted = pool(theirs(input_ids=ids).last_hidden_state)[0].numpy()
        np.testing.assert_allclose(mine, wanted, atol=2e-3)
    assert encoder.network.training is False


@pytest.mark.parametrize("family", FAMILIES)
def test_a_classification_head_answers_as_the_library_itself(family, tmp_path):
    folder = write_model(tmp_path / "tiny", NAMES[family], labels=("a", "b", "c"))
    encoder = open_encoder(folder, 64, head=True)
    assert read_config(folder).labels == ("a", "b", "c")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto = library().AutoModelForSequenceClassification
        theirs = auto.from_pretrained(folder, local_files_only=True).eval()
    for at, logits in encoder.answers(TEXTS, CPU):
        ids = torch.tensor([encoder.tokenizer.encode(TEXTS[i]).ids for i in at])
        with torch.no_grad():
            np.testing.assert_allclose(logits, theirs(input_ids=ids).logits.numpy(), atol=1e-5)


def test_a_text_has_the_same_vector_whatever_stands_beside_it(folder):
    encoder = open_encoder(folder, 64)
    together = vectors(encoder)
    np.testing.assert_allclose(together, np.concatenate([vectors(encoder, [text]) for text in TEXTS]), atol=1e-3)
    assert np.array_equal(together, vectors(encoder)) and together.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(together.astype(float), axis=1), 2**0.5, atol=1e-2)


def test_batches_hold_texts_of_one_length_and_every_text_once():
    pieces = [[1] * n for n in (3, 5, 3, 3, 5, 9)]
    dealt = list(batches(pieces, at_once=6))
    assert [ids.shape for _, ids in dealt] == [(2, 3), (1, 3), (1, 5), (1, 5), (1, 9)]
    assert sorted(i for at, _ in dealt for i in at) == list(range(6))


def test_the_mask_leaves_filling_out():
    hidden = torch.randn(1, 5, 4)
    filled = torch.cat([hidden, 100 * torch.ones(1, 2, 4)], dim=1)
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    torch.testing.assert_close(pool(filled, mask), pool(hidden))


def test_texts_are_cut_at_the_length_and_at_what_the_model_can_read(folder):
    long = ["card " * 200]
    assert len(open_encoder(folder, 8).pieces(long)[0]) == 8
    assert len(open_encoder(folder, 256).pieces(long)[0]) == 64


def test_opening_moves_nobodys_random_numbers(folder):
    torch.manual_seed(3)
    open_encoder(folder, 64)
    after = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(2))


def test_names_of_old_files_and_prefixes_are_understood(folder):
    encoder = open_encoder(folder, 64)
    state = load_file(folder / "model.safetensors")
    old = {
        f"bert.{k.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}": v
        for k, v in state.items()
    }
    save_file(
        {**old, "cls.predictions.bias": torch.zeros(3), "bert.embeddings.position_ids": torch.arange(4)},
        folder / "model.safetensors",
    )
    again = open_encoder(folder, 64)
    assert np.array_equal(vectors(again), vectors(encoder))
    assert "cls.predictions.bias" in again.left_out and "bert.embeddings.position_ids" not in again.left_out


def test_weights_that_do_not_fit_are_refused_with_the_first_difference(folder):
    state = load_file(folder / "model.safetensors")
    name = "encoder.layer.0.output.dense.weight"
    file = folder / "model.safetensors"
    save_file({k: v for k, v in state.items() if "layer.1" not in k}, file)
    said = refused(folder, "model_weights")
    assert "lacks encoder.layer.1.attention.self.query.weight" in said and "and 13 more" in said
    save_file(state | {name: torch.zeros(3, 4)}, file)
    assert f"holds {name} of shape [3, 4], its config.json asks for [32, 64]" in refused(folder, "model_weights")
    save_file(state | {name: torch.full((32, 64), torch.nan)}, file)
    assert f"holds {name} with numbers that are not finite" in refused(folder, "model_weights")
    file.write_bytes(b"\x80\x04 no weights")
    assert "is no whole safetensors file" in refused(folder, "model_weights")


def test_a_config_that_asks_for_more_than_the_file_holds_is_refused_before_it_is_built(folder, monkeypatch):
    monkeypatch.setattr("kd_core.teachers.pretrained.encoder._build", lambda *given: pytest.fail("it was built"))
    edit(folder, hidden_size=2048, num_hidden_layers=48, intermediate_size=8192)
    said = refused(folder, "model_weights")
    assert "bytes, the model of its config.json takes 4,832," in said


def test_a_tokenizer_that_does_not_fit_is_refused(folder):
    edit(folder, vocab_size=20)
    assert "knows the word piece" in refused(folder, "model_tokenizer") and "20 from 0 on" in refused(
        folder, "model_tokenizer"
    )
    edit(folder, vocab_size=1000)
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    assert "tokenizer.json can't be read" in refused(folder, "model_tokenizer")


def test_a_tokenizer_without_marks_is_refused(folder):
    found = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(found | {"post_processor": None}))
    assert "puts no mark at the ends of a text" in refused(folder, "model_tokenizer")
