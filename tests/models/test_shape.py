import pytest

from kd_core.errors import SpecError
from kd_core.models.archs.mlp import MLPSpec


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({}, (20, 2)),
        ({"size": "tiny"}, (8, 1)),
        ({"size": "small", "width": 100}, (100, 2)),
        ({"size": "small", "depth": 5}, (20, 5)),
        ({"size": None, "width": 7}, (7, 1)),
        ({"size": None, "width": 7, "depth": 3}, (7, 3)),
    ],
)
def test_given_numbers_override_the_preset(settings, shape):
    assert MLPSpec(**settings).shape() == shape


def test_neither_size_nor_width_is_refused():
    with pytest.raises(SpecError, match=r"give a size \(tiny, small, base, large\) or a width"):
        MLPSpec.parse({"size": None})
