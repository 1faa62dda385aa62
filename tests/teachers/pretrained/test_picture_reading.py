"""Reading pictures as a folder tells: the library's own numbers, Pillow's within one level, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from kd_core.errors import DataError
from kd_core.teachers.pretrained.picture_reading import PictureReading, reading_of
from tests.teachers.pretrained.tiny_pictures import PROCESSORS, pixels, processor

PLAIN = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}


@pytest.mark.slow
@pytest.mark.parametrize("family", PROCESSORS)
@pytest.mark.parametrize(("height", "width"), [(20, 24), (64, 48), (32, 32)])
def test_pictures_are_read_as_the_library_reads_them(family, height, width):
    own = processor(family)
    told = own.to_dict()
    found = reading_of({**told, "image_mean": list(told["image_mean"]), "image_std": list(told["image_std"])}, 3)
    x = pixels(height=height, width=width)
    theirs = own([Image.fromarray(p.transpose(1, 2, 0)) for p in x], return_tensors="pt")["pixel_values"]
    mine = found.read(torch.from_numpy(x))
    assert mine.shape == theirs.shape == (6, 3, *found.size)
    level = 1 / 255 / min(found.std)
    off = (mine - theirs).abs() / level
    assert off.max() <= 2.01 and (off > 1.01).float().mean() < 1e-3 and off.mean() < 0.25


@pytest.mark.parametrize(("name", "number"), [("bilinear", 2), ("bicubic", 3)])
@pytest.mark.parametrize("side", [8, 50, 224])
def test_resizing_is_pillows_within_one_level(name, number, side):
    reading = PictureReading((side, side + 3), 0, name, 1.0, (0.0,) * 3, (1.0,) * 3)
    x = pixels(height=64, width=64)
    mine = reading.read(torch.from_numpy(x)).numpy()
    theirs = np.stack(
        [
            np.asarray(Image.fromarray(p.transpose(1, 2, 0)).resize((side + 3, side), number)).transpose(2, 0, 1)
            for p in x
        ]
    )
    off = np.abs(mine - theirs)  # a half that is rounded the other way in both passes makes two levels
    assert off.max() <= 2 and (off > 1).mean() < 1e-4 and off.mean() < 0.1


def test_grey_and_coloured_pictures_serve_models_of_either():
    grey, colour = pixels(bands=1, height=32, width=32), pixels(height=32, width=32)
    three = reading_of(PLAIN, 3).read(torch.from_numpy(grey))
    assert three.shape == (6, 3, 32, 32) and torch.equal(three[:, 0], three[:, 2])
    np.testing.assert_allclose(three[:, 0].numpy(), (grey[:, 0] / 255 - 0.5) / 0.5, atol=1e-6)
    one = reading_of(PLAIN | {"image_mean": [0.0], "image_std": [1.0]}, 1).read(torch.from_numpy(colour))
    theirs = np.stack([np.asarray(Image.fromarray(p.transpose(1, 2, 0)).convert("L")) for p in colour])
    assert np.abs(255 * one[:, 0].numpy() - theirs).max() <= 1.001


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": None}, "size = None; it must be told in pixels, 8 to 1,024 a side"),
        ({"size": {"height": 10**6, "width": 32}}, "size = 1000000"),
        ({"size": {"shortest_edge": 4}, "do_center_crop": True}, "size = 4"),
        ({"size": {"shortest_edge": 32}}, "do_center_crop = False; it must be true where size names the shortest"),
        (
            {"size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": 64},
            "crop_size = [64, 64]; it must be within",
        ),
        ({"do_center_crop": True, "crop_size": 16}, "crop_size = 16; it must be as large as size"),
        ({"resample": 0}, "resample = 0; it must be 2 (bilinear) or 3 (bicubic)"),
        ({"resample": [2]}, "resample = [2]; it must be 2"),
        ({"do_resize": False}, "do_resize = False; it must be true"),
        ({"image_std": [0.5, 0.5, 0]}, "image_std = [0.5, 0.5, 0.0]; it must be above 0"),
        ({"image_mean": [0.5]}, "image_mean = [0.5]; it must be a list of 3 numbers"),
        ({"image_mean": ["a", "b", "c"]}, "image_mean = 'a'; it must be a number from 0 to 1,000"),
        ({"rescale_factor": float("nan")}, "rescale_factor = nan"),
        ({"size": {"shortest_edge": 32}, "crop_pct": 0.001}, "crop_pct = 0.001; it must be a number from 0.1 to 1"),
    ],
)
def test_what_can_not_be_done_is_refused(changes, said):
    with pytest.raises(DataError) as caught:
        reading_of(PLAIN | changes, 3)
    assert said in str(caught.value) and caught.value.code == "model_bounds"


def test_older_files_tell_a_size_by_one_number():
    assert reading_of(PLAIN | {"size": 48}, 3).size == (48, 48)
    cut = reading_of(PLAIN | {"size": 48, "do_center_crop": True, "crop_size": 40}, 3)
    assert (cut.edge, cut.size) == (48, (40, 40))
    old = reading_of(PLAIN | {"size": 224, "feature_extractor_type": "ConvNextFeatureExtractor"}, 3)
    assert (old.edge, old.size) == (256, (224, 224))
    assert reading_of(PLAIN | {"size": {"shortest_edge": 384}, "crop_pct": 0.875}, 3).edge == 0
