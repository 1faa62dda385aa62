"""What can be compared while a what-if trains: seeds that ended in every cell, and the best of these alone."""

from __future__ import annotations

import pytest

from kd_core.runs.settings import reading, whole
from tests.pages.sweeps import sweep_spec


def cell(number, alpha, seeds, scores, done, alone=0.8):
    ended = [*done]
    return {
        "cell": number,
        "student": "tiny",
        "temperature": 1.0,
        "alpha": alpha,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "seeds": seeds,
        "scores": scores,
        "baseline": [alone] * len(seeds),
        "done": ended,
        "baseline_done": [True] * len(seeds),
        "mean": None,
        "gain": {"mean": None, "ci95": [None, None], "n": 0},
        "diverged": 0,
    }


SPEC = sweep_spec(temperature=(1,), alpha=(0, 0.5, 1))


def while_seeds_are_added(ended):
    """Two of three cells get a third seed; the baseline's has ended first, and with more seeds than any other."""
    return [
        cell(0, 0, [0, 1, 2], [0.80, 0.80, 0.80], [True, True, True]),
        cell(1, 0.5, [0, 1], [0.81, 0.81], [True, True]),
        cell(2, 1, [0, 1, 2], [0.84, 0.85, 0.5], [True, True, ended]),
    ]


def test_a_seed_counts_once_it_has_ended_in_every_cell_that_is_to_have_it():
    assert whole.seeds(while_seeds_are_added(False)) == {0, 1}
    assert whole.seeds(while_seeds_are_added(True)) == {0, 1, 2}
    waiting = [cell(0, 0, [0], [0.8], [True]), cell(1, 1, [0], [None], [False])]
    assert whole.seeds(waiting) == frozenset() and whole.held(waiting, "higher") == []


def test_the_best_is_never_that_with_more_seeds_alone():
    cells = while_seeds_are_added(False)
    found = reading.of_progress(cells, SPEC, "roc_auc", True)
    assert (found.best, found.seeds, found.so_far) == (2, 2, True)
    assert reading.best_so_far(cells, SPEC, "roc_auc", True) == 2
    ended = reading.of_progress(while_seeds_are_added(True), SPEC, "roc_auc", True)
    assert (ended.seeds, ended.so_far) == (3, False)


def test_mean_and_gain_are_of_the_same_seeds():
    held = whole.held(while_seeds_are_added(False), "higher")[2]
    assert held["mean"] == pytest.approx(0.845) and held["seeds"] == [0, 1]
    assert held["gain"]["mean"] == pytest.approx(0.045) and held["gain"]["n"] == 2
    lost = {**while_seeds_are_added(False)[1], "scores": [None, None]}
    assert whole.held([lost], "higher")[0]["mean"] is None


def test_a_what_if_that_stopped_early_is_told_by_what_ended():
    cells = [cell(0, 0, [0], [0.8], [True]), cell(1, 1, [0], [None], [False])]
    assert reading.of_progress(cells, SPEC, "roc_auc", True).best is None
    assert reading.of_progress(cells, SPEC, "roc_auc", False).best == 0
