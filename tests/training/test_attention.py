"""Where a network looks: shown only while asked, kept small, the same whatever the batch."""

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.models import ARCHS
from kd_core.models.base import GIVES, ShowsMaps
from kd_core.models.building import build, start_weights
from kd_core.specs import Choice
from kd_core.training.attention import MOST_SIDE, ROW_BYTES, attention, kept, predict_maps

SHOWING = [e.name for e in ARCHS.entries() if "maps" in e.facts.get("gives", GIVES)]


def made(name, side=8, size="tiny"):
    inputs = InputSpec("pixels", (1, side, side), "uint8", high=256)
    with start_weights(0):
        return build(Choice(name=name, settings={"size": size}), inputs, 3).eval(), torch.from_numpy(inputs.example(10))


@pytest.mark.parametrize("name", SHOWING)
class TestNetworksThatShow:
    def test_they_show_nothing_until_they_are_asked_and_answer_the_same(self, name):
        module, x = made(name)
        assert isinstance(module, ShowsMaps) and module(x).hidden == {}
        plain = module(x).logits
        module.shows_maps = True
        found = module(x)
        assert torch.equal(found.logits, plain) and len(found.hidden) >= 2
        assert all(m.dim() == 4 and len(m) == 10 for m in found.hidden.values())

    def test_what_is_kept_does_not_depend_on_how_many_are_answered_at_once(self, name):
        module, x = made(name)
        whole = predict_maps(module, x)
        module.rows_at_once = 3
        parts = predict_maps(module, x)
        assert list(whole) == list(parts) and not module.shows_maps and not module.training
        for name_of_stage, maps in whole.items():
            assert maps.dtype == np.float16 and len(maps) == 10
            np.testing.assert_allclose(maps, parts[name_of_stage], atol=2e-3)
            np.testing.assert_allclose(np.linalg.norm(maps.astype(np.float64), axis=(1, 2)), 1, atol=2e-3)


@pytest.mark.parametrize("side", [28, 32, 64, 90])
@pytest.mark.parametrize("name", SHOWING)
def test_a_row_takes_no_more_bytes_than_is_told_before(name, side):
    for size in ("tiny", "base"):
        module, x = made(name, side, size)
        assert sum(maps[0].nbytes for maps in predict_maps(module, x[:2]).values()) <= ROW_BYTES


def test_some_networks_show_where_they_look():
    assert {"cnn", "resnet", "mobilenet"} <= set(SHOWING)


def test_attention_is_the_mean_square_over_bands_of_length_1():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    expected = (x[0, 0] ** 2 + x[0, 1] ** 2) / 2
    torch.testing.assert_close(attention(x)[0], expected / expected.norm())
    torch.testing.assert_close(attention(attention(x)), attention(x))
    assert attention(torch.zeros(2, 2, 3, 3)).abs().max() == 0


def test_large_maps_are_averaged_before_they_are_kept():
    found = kept(torch.rand(2, 3, 3 * MOST_SIDE, 2))
    assert found.shape == (2, MOST_SIDE, 2) and found.dtype == torch.float16
    assert kept(torch.rand(2, 3, 5, 7)).shape == (2, 5, 7)
