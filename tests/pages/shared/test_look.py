"""One look: colours that everyone can tell apart on both pages, and nothing that sets its own."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from pages.ui import look, look_css

ROOT = Path(look.__file__).resolve().parents[2]
PAPERS = tuple(look.PAPER.values())
# How colours are seen: matrices on linear light of Machado, Oliveira and Fernandes (2009), severity 1.
EYES = {
    "usual": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def seen(colour, eye):
    """CIELAB of a colour for an eye."""
    light = np.array(look.channels(colour)) / 255
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    x = XYZ @ np.clip(np.asarray(EYES[eye]) @ linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(a, b, eye):
    return float(np.linalg.norm(seen(a, eye) - seen(b, eye)))


def test_the_measure_of_colours_knows_what_an_eye_without_green_mixes_up():
    assert apart("#000000", "#FFFFFF", "usual") == pytest.approx(100, abs=0.1)
    assert apart("#C2378A", "#7F7F7F", "usual") > 60 > 10 > apart("#C2378A", "#7F7F7F", "no green")


MARKS = {
    **look.COLOUR,
    **{f"tone {n}": t[2] for n, t in look.TONES.items()},
    **{f"term {i}": c for i, (c, _) in enumerate(look.TERMS)},
    "data": look.DATA,
    **{f"share {n}": one[0] for n, one in look.SHARES.items()},
}


@pytest.mark.parametrize("name", MARKS)
def test_every_mark_is_seen_on_both_pages(name):
    assert all(look.contrast(MARKS[name], paper) >= 3.0 for paper in PAPERS)


@pytest.mark.parametrize("dark", [False, True])
def test_words_are_read_on_both_pages(dark):
    for words in (look.INK, look.AXIS_TEXT, look.PRIMARY):
        assert look.contrast(words[dark], look.PAPER[dark]) >= 4.5
        assert look.contrast(words[dark], look.WELL[dark]) >= 4.5
    for behind, ink in look.TINT.values():
        assert look.contrast(ink[dark], behind[dark]) >= 4.5 and look.contrast(look.INK[dark], behind[dark]) >= 4.5
    assert look.contrast(look.ON_PRIMARY[dark], look.PRIMARY[dark]) >= 4.5


@pytest.mark.parametrize("eye", EYES)
def test_parts_and_tones_stay_apart_for_every_eye(eye):
    for group in (look.COLOUR, {n: t[2] for n, t in look.TONES.items()}):
        for (a, one), (b, other) in itertools.combinations(group.items(), 2):
            assert apart(one, other, eye) >= 10, f"{a} and {b}"


def test_nothing_is_told_by_colour_alone():
    for looks in (look.COLOUR, look.SYMBOL, look.DASH, look.PATTERN):
        assert set(looks) == set(look.ARMS) == set(look.FADED) and len(set(looks.values())) == len(looks)
    for place in range(4):
        assert len({tone[place] for tone in look.TONES.values()}) == len(look.TONES)
    assert len(set(look.TERMS)) == len(look.TERMS)


def test_what_is_worked_out_of_shares_looks_like_no_model():
    colours, dashes, symbols = zip(*look.SHARES.values(), strict=True)
    assert not {*colours} & {*look.COLOUR.values()} and not {*symbols} & {*look.SYMBOL.values()}
    assert all(len({*one}) == len(look.SHARES) for one in (colours, dashes, symbols))
    for eye in EYES:
        assert all(apart(a, b, eye) >= 10 for a, b in itertools.combinations(colours, 2)), eye


def test_type_and_space_grow_in_clear_steps():
    for scale in (look.SPACE, look.TYPE, look.RADIUS):
        sizes = list(scale.values())
        assert all(b / a >= 1.12 for a, b in itertools.pairwise(sizes))


def test_the_theme_has_the_same_colours():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    named = {
        "backgroundColor": look.PAPER,
        "textColor": look.INK,
        "grayTextColor": look.AXIS_TEXT,
        "borderColor": look.EDGE,
        "secondaryBackgroundColor": look.WELL,
        "primaryColor": look.PRIMARY,
    }
    for option, by_dark in named.items():
        assert {False: theme["light"][option], True: theme["dark"][option]} == by_dark, option
    parts = [look.COLOUR[arm] for arm in ("teacher", "baseline", "student", "compressed", "helper", "plain")]
    assert theme["light"]["chartCategoricalColors"] == theme["dark"]["chartCategoricalColors"] == parts
    sizes = theme["headingFontSizes"]
    assert (sizes[0], sizes[1], sizes[2]) == tuple(f"{look.TYPE[n]:g}rem" for n in ("page", "title", "lead"))


def test_an_interval_is_a_bar_between_its_ends_and_a_missing_end_is_left_out():
    found = look.interval([1.0, 2.0], [0.5, None], [1.5, 2.25], look.COLOUR["student"])
    assert (found["array"], found["arrayminus"], found["visible"]) == ([0.5, 0.25], [0.5, 0.0], True)
    assert not look.interval([1.0], [None], [None], look.COLOUR["student"])["visible"]


def test_a_change_has_its_sign():
    assert [look.change(v) for v in (0.01234, -4.5, 0.0, 1200.0)] == ["+0.0123", "−4.5", "0", "+1,200"]


def test_styles_begin_with_the_variables_of_the_look():
    css = (ROOT / "pages" / "ui" / "browser" / "frame.css").read_text("utf-8")
    assert look_css.variables() in css, f"frame.css must hold:\n{look_css.variables()}"
    assert len(re.findall(r"^:root", css, re.M)) == 1


@pytest.mark.parametrize("dark", [False, True])
def test_cells_of_a_map_are_told_apart_and_read(dark):
    nothing = look.mixed(look.GREY, look.PAPER[dark], look.CELL_NOTHING)
    for hue in look.SHIFT_HUES:
        third, most = (look.mixed(hue, nothing, look.CELL_STRONGEST[dark] * share) for share in (1 / 3, 1.0))
        assert look.contrast(most, look.INK[dark]) >= 4.5 and look.contrast(third, look.INK[dark]) >= 4.5
    assert look.contrast(third, most) >= (2.0 if dark else 1.5)  # gains: a third of the strongest beside it
