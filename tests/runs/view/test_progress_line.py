"""The live line of a terminal."""

from __future__ import annotations

from kd_core.runs.settings import reading
from kd_core.runs.view.progress_line import ProgressLine
from kd_core.runs.view.sweep_progress import SweepView
from tests.runs.view.test_sweep_progress import CHOSEN, PLAN, SPEC, ended, told


def line_after(*events):
    line = ProgressLine(SPEC)
    for event in events:
        line.take(event)
    return line.text(events[-1])


def test_a_what_if_shows_its_share_and_its_best_cell_so_far():
    assert line_after(PLAN, CHOSEN, told({1: 0.9})) == f"[{'#' * 1:<24}] 0/9 nothing to compare yet"
    scores = {0: 0.8, 1: 0.81, 2: 0.86}
    found = line_after(PLAN, CHOSEN, *(ended(p, s) for p, s in scores.items()))
    assert found == f"[{'#' * 8:<24}] 3/9 best so far: T 4, alpha 0.5, +6.00 points"
    errors = {**PLAN, "metric": "rmse", "better": "lower"}
    said = line_after(errors, CHOSEN, *(ended(p, s) for p, s in {0: 5.0, 1: 4.5, 2: 6.0}.items()))
    assert said.endswith("best so far: T 1, alpha 0.5, +0.50")


def test_only_seeds_that_have_ended_in_every_cell_are_compared():
    first, second = (
        {0: 0.80, 1: 0.84, 2: 0.82},
        {3: 0.80, 4: 0.70},
    )  # a baseline and T 1 of the second seed; T 4 trains on
    line, view = ProgressLine(SPEC), SweepView(PLAN)
    for event in (PLAN, CHOSEN, *(ended(p, s) for p, s in (first | second).items()), told({5: 0.99})):
        line.take(event)
        if event["kind"] != "plan":
            view.take(event)
    assert line.text(told({})).endswith("best so far: T 1, alpha 0.5, +4.00 points")
    assert reading.best_so_far(view.progress().cells, SPEC, "roc_auc", True) == 1  # as the live page says
    line.take(ended(5, 0.83))
    assert line.text(ended(5, 0.83)).endswith("best so far: T 4, alpha 0.5, +2.50 points")
    assert line_after(PLAN, CHOSEN, ended(0, 0.8), ended(1, 0.9), told({2: 0.95})).endswith("nothing to compare yet")


def test_an_ordinary_run_shows_who_was_trained():
    plain = {"kind": "plan", "metric": "roc_auc"}
    said = {"kind": "trained", "arm": "teacher", "student": None, "done": 1, "of": 4}
    assert line_after(plain, said) == f"[{'#' * 6:<24}] 1/4 teacher"
    arm = {"kind": "trained", "arm": "placebo", "student": "tiny", "done": 3, "of": 12}
    assert line_after(plain, arm) == f"[{'#' * 6:<24}] 3/12 placebo tiny"
    part = {"kind": "part", "phase": "evaluate", "done": 2, "of": 4}
    assert line_after(plain, part) == f"[{'#' * 12:<24}] 2/4 evaluate"
    texts = {"kind": "part", "phase": "teacher", "what": "texts", "done": 6, "of": 24}
    assert line_after(plain, texts) == f"[{'#' * 6:<24}] 6/24 teacher texts"


def test_a_run_that_takes_longer_than_its_plan_says_so_once():
    now = [0.0]
    line = ProgressLine(SPEC, lambda: now[0])
    work = [{"kind": "training:stacks", "phases": ["students"], "estimated": 20.0, "seconds": 20.0}]
    line.take({"kind": "plan", "metric": "roc_auc", "trainings": 4, "phases": ["students"], "work": work})
    line.take({"kind": "phase", "phase": "students", "state": "start"})
    now[0] = 15.0
    assert line.correction() is None
    now[0] = 40.0
    assert line.correction() == "took longer than thought: about 10 s more"
    assert line.correction() is None
