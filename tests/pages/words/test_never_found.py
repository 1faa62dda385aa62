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


def yes_or_no(recall, used=False, positives=104, **more):
    def arm(half):
        chosen = {"recall": {"mean": 0.583}, "precision": {"mean": 0.291}}
        return {"half": {"recall": {"mean": half}}, "chosen": chosen, "values": [0.16, 0.2]}

    block = {"used": used, "positives": positives, "arms": {"student": arm(recall), "baseline": arm(0.4)}}
    student = {"threshold": block, "confusion": [[640, 6], [104, 0]], **more}
    return never_found.of({"dataset": {"classes": ["stayed", "left"]}, "students": [student]}, 0)


def test_a_yes_that_is_hardly_ever_said_is_told_with_what_another_threshold_gives():
    said = plain(yes_or_no(0.0012))
    assert "hardly ever left: from 50 % on it finds 0.1 % of the 104 test rows" in said
    assert "From 18.0 % on" in said and "finds 58.3 %, and 29.1 % of those it names" in said


@pytest.mark.parametrize("more", [{"recall": 0.1}, {"recall": 0.0, "used": True}, {"recall": 0.0, "positives": 4}])
def test_nothing_is_said_where_yes_is_found_is_asked_from_elsewhere_or_is_too_rare_to_tell(more):
    assert yes_or_no(**more) is None
    assert yes_or_no(0.0, baseline={}, deployed={"arm": "baseline"}) is None  # the one to take home finds them
