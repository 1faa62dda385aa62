"""The picture beside a verdict: the three scores with their intervals, on one axis, true to the numbers of the table."""

from __future__ import annotations

import re

import pytest

from pages.ui.arms import scores
from pages.ui.charts.spread import bounds
from pages.ui.result import differences
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page  # noqa: F401


def lefts(found) -> dict[str, float]:
    """Where each mark stands, in percent of the axis, by the part it is of."""
    drawn = scores.drawing(found, 0, scores.scores(found, 0))
    return {arm: float(at) for arm, at in re.findall(r"<div class='(\w+)'>.*?<b style='left:([\d.]+)%'", drawn)}


def test_teacher_alone_and_taught_stand_where_their_scores_are():
    found = result()
    told = {one.arm: one for one in scores.scores(found, 0)}
    name, student = found["metric"]["name"], found["students"][0]
    assert told["teacher"].value == found["teacher"]["metrics"][name] and told["teacher"].low is None
    for arm, block in (("baseline", student["baseline"]), ("student", student)):
        assert told[arm].value == block["metrics"][name]["mean"]
        assert (told[arm].low, told[arm].high) == bounds(block["metrics"][name]["values"], name)
    at = lefts(found)
    scale = (at["teacher"] - at["baseline"]) / (told["teacher"].value - told["baseline"].value)
    assert at["student"] - at["baseline"] == pytest.approx(
        scale * (told["student"].value - told["baseline"].value), abs=0.2
    )
    assert all(0 <= place <= 100 for place in at.values())


def test_the_plain_model_that_may_be_the_one_to_take_stands_below():
    found = result(plain="unclear")
    name, best = found["metric"]["name"], found["students"][0]["reference"]["best"]
    assert [one.arm for one in scores.scores(found, 0)] == ["teacher", "baseline", "placebo", "student", "plain"]
    assert scores.scores(found, 0)[-1].value == best["metrics"][name]["mean"] and "plain" in lefts(found)
    found["students"][0]["reference"]["best"] = None
    assert "plain" not in lefts(found)


def test_better_is_to_the_right_where_a_lower_error_is_better(monkeypatch):
    found = result()
    before = lefts(found)
    monkeypatch.setattr(differences, "lower_is_better", lambda name: True)
    after = lefts(found)
    assert all(after[arm] == pytest.approx(100 - before[arm], abs=0.11) for arm in before)


def test_a_teacher_that_answered_some_of_the_rows_is_not_set_beside_the_others():
    found = result()
    rows = found["dataset"]["rows"]
    found["teacher"]["known"] = {**rows, "test": rows["test"] - 1}
    assert [one.arm for one in scores.scores(found, 0)] == ["baseline", "placebo", "student"]
    found["teacher"]["known"] = dict(rows)
    assert len(scores.scores(found, 0)) == 4


def test_the_placebo_has_a_line_of_its_own_where_there_is_one():
    found = result()
    name, placebo = found["metric"]["name"], found["students"][0]["placebo"]
    told = next(one for one in scores.scores(found, 0) if one.arm == "placebo")
    assert told.value == placebo["metrics"][name]["mean"] and "placebo" in lefts(found)
    assert ".kd-scores .placebo" in scores.STYLE
    found["students"][0]["placebo"] = None
    assert "placebo" not in lefts(found)


def test_it_says_what_its_bars_leave_out():
    found = result()
    drawn = scores.drawing(found, 0, scores.scores(found, 0))
    assert (
        drawn.count("the draw of the test rows is not in them") == 2
    )  # in sight, and in the words for a screen reader


def test_the_page_shows_it_before_its_tabs(jobs):  # noqa: F811
    at = open_page("runs", run=done_run())
    title = str(t("runs.scores.title", metric="ROC-AUC"))
    drawn = [one.proto.body for one in at.get("html") if "kd-scores" in one.proto.body]
    assert len(drawn) == 1 and title in drawn[0]
    assert len(at.get("plotly_chart")) == 2  # a picture of HTML costs the page no further chart
