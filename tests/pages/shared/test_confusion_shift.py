"""Confusion matrices: the shade is bounded from below, and words are read on what is drawn under them."""

from __future__ import annotations

import itertools

import pytest

from pages.ui import look
from pages.ui.charts import confusion

TOLD = {"true_title": "t", "predicted_title": "p", "hover": "{count}"}


def test_a_small_move_is_pale():
    fig = confusion.confusion_shift([[1000, 1], [0, 1000]], [[999, 2], [0, 1000]], ["a", "b"], **TOLD).to_dict()
    assert fig["data"][0]["zmax"] == 0.02 and fig["data"][0]["z"][0][0] < 0.002


def drawn(heat, value):
    """The colour of a cell as Plotly draws it: between the two steps around its place."""
    at = (value - heat["zmin"]) / (heat["zmax"] - heat["zmin"])
    steps = heat["colorscale"]
    (low, first), (high, second) = next(pair for pair in itertools.pairwise(steps) if at <= pair[1][0])
    return look.mixed(second, first, (at - low) / (high - low))


COUNTS = [[50 - 2 * i, i, i] for i in range(0, 24, 3)]
OTHERS = [[50 - i, i // 2, i - i // 2] for i in range(0, 24, 3)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_numbers_are_read_on_the_colours_under_them(dark, moved):
    names = ["a", "b", "c"]
    for counts, others in zip(COUNTS, OTHERS, strict=True):
        rows, before = [counts, counts[::-1], [5, 5, 40]], [others, others[::-1], [4, 7, 39]]
        make = confusion.confusion_shift if moved else confusion.confusion
        heat, *words = make(rows, *[before] * moved, names, dark=dark, **TOLD).to_dict()["data"]
        for group in words:
            for i, j in group["customdata"]:
                cell = drawn(heat, heat["z"][i][j])
                assert look.contrast(group["textfont"]["color"], cell) >= 4.5, (cell, group["textfont"], i, j)


@pytest.mark.parametrize("fill", [look.shaded, look.shifted])
def test_on_a_dark_page_a_strong_cell_is_light(fill):
    for share in (1.0, -1.0) if fill is look.shifted else (1.0,):
        assert look.contrast(fill(share, True), look.PAPER[True]) >= 4.5
        channels = look.channels(fill(share / 4, True))
        assert max(channels) - min(channels) >= 12  # a hue, no grey


def test_names_of_many_classes_lean_so_that_the_last_has_room():
    many = [[1] * 12] * 12
    axis = confusion.confusion(many, [f"class {i}" for i in range(12)], **TOLD).to_dict()["layout"]["xaxis"]
    assert axis["tickangle"] < 0 and len(axis["ticktext"]) == 12
