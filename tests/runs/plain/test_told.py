"""Which plain model is to be taken in a student's place: no worse, and of those no worse the smaller one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kd_core.runs.outcome import read_outcome
from kd_core.runs.plain.told import SMALLER, Rule, read_plain, takes
from kd_core.runs.store.measured import Arm
from tests.pages.results import beside_plain, result, with_smaller

RULE = Rule("accuracy", "higher", 0.01)


def arm(score):
    return Arm({"accuracy": {"mean": score}})


def plain(score, size, standing="unclear", **more):
    block = {"name": "linear", "title": "a linear model", "bytes": size, "metrics": arm(score).metrics, "gain": {}}
    return read_plain({**block, "ci_family": [None, None], "word": standing, **more}, "plain")


@pytest.mark.parametrize(
    ("standing", "score", "size", "taken"),
    [
        ("ahead", 0.95, 100, False),
        ("behind", 0.80, 1000, True),
        ("level", 0.80, 1000, True),
        ("unclear", 0.90, 1000, True),
        ("unclear", 0.899, 1000, False),  # as large, and lower
        ("unclear", 0.891, 1000 * SMALLER, True),
        ("unclear", 0.889, 1000 * SMALLER, False),
        ("unclear", 0.891, 1000 * SMALLER + 1, False),
        (None, 0.95, 100, False),
    ],
)
def test_one_is_taken_that_is_no_worse_or_clearly_smaller_within_the_margin(standing, score, size, taken):
    assert takes(plain(score, size, standing or "ahead"), standing, arm(0.9), 1000, RULE) is taken
    errors = Rule("accuracy", "lower", 0.01)
    if standing == "unclear":
        assert takes(plain(1.8 - score, size), standing, arm(0.9), 1000, errors) is taken


def outcome(standing, best, word="unclear"):
    """A student, the best plain model of its size, which stands to it so, and one of fewer bytes where it is told how `best` stands to that."""
    found = beside_plain(result(verdict="inconclusive"), standing)
    read = read_outcome(with_smaller(found, word, best) if best else found)
    return read, read.students[0]


@pytest.mark.parametrize(
    ("standing", "best", "word", "taken"),
    [
        ("level", "ahead", "level", "trees_30x4"),
        ("level", "level", "level", "linear"),
        ("level", "level", "ahead", "trees_30x4"),  # surely worse than the student
        ("ahead", "level", "level", "linear"),
        ("ahead", "level", "ahead", None),
        ("level", None, "level", "trees_30x4"),  # an older result: nobody asked it about the test rows
        ("ahead", None, "level", None),
    ],
)
def test_the_smaller_one_is_taken_where_neither_student_nor_best_is_better(standing, best, word, taken):
    read, student = outcome(standing, best, word)
    found = student.instead(read.metric)
    assert (found and found.name) == taken
    assert [p.place for p in student.plains] == (["plain", "smaller"] if best else ["plain"])


def test_the_student_that_its_teacher_hurt_is_no_measure_for_the_smaller_one():
    read, student = outcome("ahead", "level", "level")
    assert replace(student, verdict="hurts").instead(read.metric) is None
    assert replace(student, verdict="hurts", taken="baseline").instead(read.metric) is not None
