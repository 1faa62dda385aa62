"""The chart of a student that was made smaller: what is drawn, what is told in words instead, and the corner of the goals."""

import json

import pytest

from kd_core.runs.view import compress_words
from pages.ui.compress import points
from pages.ui.shared.text import t
from tests.pages.compress.test_told import opened, smaller
from tests.pages.screen import jobs, words  # noqa: F401


@pytest.mark.parametrize("by", points.COSTS)
def test_points_are_teacher_baseline_student_and_the_stages_that_were_made(by):
    found = smaller()
    found["teacher"]["latency_ms"]["whole"] = {"1": {"p50": 1.0}}
    found["compressed"]["stages"][4]["reason"] = "no"
    drawn = points.points(found, by)
    assert [p["arm"] for p in drawn] == ["teacher", "student", "baseline", *["compressed"] * 3]
    costs = {p["label"]: p["x"] for p in drawn}
    assert costs["half-again-int8"] == {"bytes": 14_336, "time": 0.03}[by]
    edge, worst = points.goal(found, drawn, by)
    assert edge >= max(p["x"] for p in drawn) and worst == pytest.approx(0.9271 - 0.01)


def test_a_bar_ends_where_the_goal_is_surely_kept(jobs):  # noqa: F811
    found = smaller()
    block = found["compressed"]
    drawn = {p["id"]: p for p in points.points(found, "bytes")}
    whole = compress_words.student(block)["metrics"]["accuracy"]
    _, worst = points.goal(found, list(drawn.values()), "bytes")
    for one in block["stages"][1:]:
        low, high = one["lost"]["ci95"]
        bar = drawn[f"stage-{one['id']}"]
        assert (bar["low"], bar["high"]) == pytest.approx((whole - high / 100, whole - low / 100))
        assert (bar["low"] >= worst) == (high <= block["goals"]["most_lost"])  # as the verdict says it
    block["stages"][1]["lost"]["ci95"] = [None, None]  # one seed proves nothing
    (bare,) = [p for p in points.points(found, "bytes") if p["id"] == "stage-1"]
    assert bare["low"] is None and "on the mean" in t("compress.goal_name")


def test_a_teacher_far_to_the_right_is_told_in_words(jobs):  # noqa: F811
    found = smaller()
    drawn, away = points.near(points.points(found, "bytes"), False)
    assert not away and drawn[0]["arm"] == "teacher"
    found["teacher"]["size_bytes"] = 10**7
    drawn, away = points.near(points.points(found, "bytes"), False)
    assert [p["arm"] for p in away] == ["teacher"] and "teacher" not in [p["arm"] for p in drawn]
    assert "at 9.5 MB" in words(opened(found))


def test_a_stage_far_below_all_else_is_told_in_words_and_does_not_press_the_rest_together(jobs):  # noqa: F811
    found = smaller()
    stage = found["compressed"]["stages"][1]
    stage["metrics"]["accuracy"] = 0.13
    drawn, away = points.near(points.points(found, "bytes"), False)
    assert [p["id"] for p in away] == [f"stage-{stage['id']}"] and min(p["y"] for p in drawn) > 0.8
    assert "far worse than all else" in words(opened(found)) and "0.13" in words(opened(found))
    scores = {"a": (0.13, "compressed"), "b": (0.14, "compressed"), "c": (0.9, "student"), "d": (0.91, "teacher")}
    two = [{"id": name, "arm": arm, "x": 1.0, "y": y} for name, (y, arm) in scores.items()]
    assert not points.near(two, False)[1]  # two that lie low together are the picture
    errors = [{**p, "y": 1 - p["y"]} for p in two if p["id"] != "b"]
    assert [p["id"] for p in points.near(errors, True)[1]] == ["a"] and not points.near(errors, False)[1]


def test_the_corner_of_the_goals_follows_bytes_time_and_errors():
    found = smaller(goals={"most_lost": 2.0, "bytes": 20_000, "microseconds": 40.0})
    drawn = points.points(found, "bytes")
    assert points.goal(found, drawn, "bytes")[0] == 20_000 and points.goal(found, drawn, "time")[0] == 0.04
    found["compressed"]["metric"] |= {"better": "lower", "relative": True}
    assert points.goal(found, drawn, "bytes")[1] == pytest.approx(0.9271 * 1.02)


def test_the_chart_joins_chains_and_rings_the_stage_to_take(jobs):  # noqa: F811
    at = opened(smaller())
    specs = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    (pareto,) = [s for s in specs if any(d.get("marker", {}).get("symbol") == "circle-open" for d in s["data"])]
    paths = [d for d in pareto["data"] if d["mode"] == "lines" and d["line"].get("dash") == "dashdot"]
    assert [d["x"] for d in paths] == [[86016, 47104, 47104, 14336], [86016, 22528]]
    (ring,) = [d for d in pareto["data"] if d["mode"] == "markers" and d["marker"]["symbol"] == "circle-open"]
    assert ring["x"] == [14336]
    (layers,) = [s for s in specs if s["data"][0]["type"] == "bar"]
    assert layers["data"][0]["x"] == [0.8, 0.1, 2.25]
