"""The colours of the shipped theme are readable; Streamlit derives its captions from them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pages.ui import look
from pages.ui.charts import marks

THEME = tomllib.loads((Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
CAPTION = 0.6  # Streamlit writes captions in the text colour at this opacity


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_captions_and_accents_are_readable(name):
    theme = THEME[name]
    papers = [theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]]
    for paper in papers:
        assert marks.contrast(theme["textColor"], paper) >= 7
        assert marks.contrast(marks.mixed(theme["textColor"], paper, CAPTION), paper) >= 4.5
        assert marks.contrast(theme["primaryColor"], paper) >= 4.5
    chosen = marks.mixed(theme["primaryColor"], theme["backgroundColor"], 0.1)  # a chosen pill
    assert marks.contrast(theme["primaryColor"], chosen) >= 4.5
    ink = {"light": "#FFFFFF", "dark": "#0B1218"}[name]  # pages/ui/browser/frame.css
    assert marks.contrast(ink, theme["primaryColor"]) >= 4.5
    assert marks.contrast(marks.AXIS_TEXT[name == "dark"], theme["backgroundColor"]) >= 4.5
    assert marks.PAPER[name == "dark"] == theme["backgroundColor"]


@pytest.mark.parametrize("dark", [False, True])
def test_boxes_and_circles_that_are_not_chosen_are_seen(dark):
    theme = THEME["dark" if dark else "light"]
    for paper in (theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]):
        assert marks.contrast(look.BOX[dark], paper) >= 3


@pytest.mark.parametrize("arm", ["teacher", "baseline", "student"])
@pytest.mark.parametrize("dark", [False, True])
def test_marks_are_seen_on_either_page(arm, dark):
    assert marks.contrast(marks.COLOUR[arm], marks.PAPER[dark]) >= 3


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_beaten_and_the_line_of_the_best_are_still_seen(dark):
    for arm, opacity in look.FADED.items():
        faded = marks.mixed(marks.COLOUR[arm], marks.PAPER[dark], opacity)
        assert marks.contrast(faded, marks.PAPER[dark]) >= (2.4 if dark else 2.1), arm
    assert (
        look.contrast(
            marks.mixed("#7F7F7F", marks.PAPER[dark], float(look.FRONT.split(",")[-1][:-1])), marks.PAPER[dark]
        )
        >= 3
    )
