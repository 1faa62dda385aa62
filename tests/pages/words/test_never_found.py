"""Classes that a model never finds are named, with what its teacher finds of them."""

from __future__ import annotations

import pytest

from pages.ui.shared.text import plain
from pages.ui.words import never_found


def told(student, teacher=((1, 8, 0), (0, 90, 0), (2, 3, 9)), classes=("a", "b", "lost"), **more):
    found = {"dataset": {"classes": list(classes)}, "teacher": {"confusion": [list(row) for row in teacher]}}
    return never_found.of({**found, "students": [{"confusion": [list(row) for row in student], **more}]}, 0)


def test_a_class_without_a_hit_is_named_with_its_rows_and_the_teachers_hits():
    said = plain(told(((5, 4, 0), (0, 90, 0), (0, 13.6, 0.4))))
    assert said.startswith("It never finds lost: none of the 14 test rows")
    assert "The teacher finds 9 of them." in said
    said = plain(told(((0.4, 8.6, 0), (0, 90, 0), (0, 14, 0))))
    assert "a, lost: none of the 23 test rows" in said and "The teacher finds 10 of them." in said


@pytest.mark.parametrize(
    "student",
    [
        ((5, 4, 0), (0, 90, 0), (0, 13.4, 0.6)),  # found in most seeds
        ((5, 4, 0), (0, 90, 0), (0, 4, 0)),  # too few rows to say it
        None,
    ],
)
def test_nothing_is_said_of_classes_that_are_found_or_hardly_there(student):
    if student is None:
        assert (
            never_found.of({"dataset": {"classes": ["n", "y"]}, "students": [{"confusion": [[9, 0], [9, 0]]}]}, 0)
            is None
        )
        assert never_found.of({"dataset": {}, "students": [{}]}, 0) is None
    else:
        assert told(student) is None


def test_of_a_model_trained_alone_its_own_counts_count():
    gone = ((5, 4, 0), (0, 90, 0), (0, 14, 0))
    full = {"confusion": [[5, 4, 0], [0, 90, 0], [0, 5, 9]]}
    assert told(gone, baseline=full, deployed={"arm": "baseline"}) is None
    assert told(gone, baseline=full, deployed={}) is not None
