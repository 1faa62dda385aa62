"""Every chart is drawn in one place: no toolbar of Plotly's, a finding as alternative text, a button that saves it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pages.ui.charts import marks
from pages.ui.shared import picture, text
from tests.pages.fixtures import HOSTILE, done_run
from tests.pages.screen import open_page
from tests.pages.sweeps import make_sweep

PAGES = Path(picture.__file__).parents[2]


def test_no_page_draws_a_chart_past_the_one_place():
    drawn = [p.name for p in PAGES.rglob("*.py") if "plotly_chart(" in p.read_text("utf-8")]
    assert drawn == ["picture.py"]


def test_plotlys_toolbar_is_off():
    assert marks.CONFIG["displayModeBar"] is False


@pytest.mark.parametrize(("page", "made"), [("runs", done_run), ("what_if", make_sweep), ("compare", done_run)])
def test_every_chart_has_its_buttons_and_says_what_it_shows(page, made):
    at = open_page(page, **{"run": made()} if page != "compare" else {"runs": made()})
    charts = at.get("plotly_chart")
    buttons = [c.proto for c in at.get("bidi_component") if "kd_picture" in c.proto.component_name]
    assert not at.exception and charts and len(buttons) == len(charts)
    for chart in charts:
        assert json.loads(chart.proto.config)["displayModeBar"] is False
        assert re.search(r"\d", chart.proto.alt) and len(chart.proto.alt) > 25, chart.proto.alt
        assert "&#" not in chart.proto.alt and "**" not in chart.proto.alt


def test_an_alternative_text_is_plain_and_an_ordinary_one_stays():
    for name in HOSTILE:
        assert text.plain(text.escape(name)) == name
    assert text.plain("a &lt; b") == "a &lt; b"


def test_black_or_white_is_readable_on_every_grey():
    for level in range(256):
        grey = f"#{level:02X}{level:02X}{level:02X}"
        assert marks.contrast(marks.readable_on(grey), grey) >= 4.5
    assert marks.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert marks.mixed("#FF0000", "#0000FF", 0.25) == "#4000BF"


def test_a_saved_comparison_says_what_it_shows_and_of_which_data():
    at = open_page("compare", runs=done_run())
    (own,) = [json.loads(c.proto.json) for c in at.get("bidi_component") if "pareto" in c.proto.json]
    assert (own["title"], own["about"]) == ("ROC-AUC against size", "visits → purchased")
