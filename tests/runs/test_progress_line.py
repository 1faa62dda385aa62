"""The live line of a terminal."""

from __future__ import annotations

from kd_core.runs.progress_line import ProgressLine
from tests.runs.test_sweep_progress import CHOSEN, PLAN, ended, told


def line_after(*events):
    line = ProgressLine()
    for event in events:
        line.take(event)
    return line.text(events[-1])


def test_a_what_if_shows_its_share_and_its_best_cell_so_far():
    assert line_after(PLAN, CHOSEN, told({1: 0.9})) == f"[{'#' * 1:<24}] 0/9 nothing to compare yet"
    found = line_after(PLAN, CHOSEN, told({0: 0.8, 1: 0.81, 2: 0.85}, epoch=10), ended(2, 0.86))
    assert found == f"[{'#' * 8:<24}] 1/9 best so far: T 4, alpha 0.5, +6.00 points"
    errors = {**PLAN, "metric": "rmse", "better": "lower"}
    assert line_after(errors, CHOSEN, told({0: 5.0, 1: 4.5})).endswith("best so far: T 1, alpha 0.5, +0.50")


def test_an_ordinary_run_shows_who_was_trained():
    plain = {"kind": "plan", "metric": "roc_auc"}
    said = {"kind": "trained", "arm": "teacher", "student": None, "done": 1, "of": 4}
    assert line_after(plain, said) == f"[{'#' * 6:<24}] 1/4 teacher teacher"
