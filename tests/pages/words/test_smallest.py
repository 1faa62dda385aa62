"""Of several students, the smallest that is as good as the best on validation rows is named, without an order."""

from __future__ import annotations

import pytest

from pages.ui.shared.text import plain
from pages.ui.words import decision, smallest
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def made(small, tiny, **more):
    found = result(students=("tiny", "small"), **more)
    for one, score, size in zip(found["students"], (tiny, small), (5_000, 9_000), strict=True):
        one["margin"], one["size_bytes"] = 0.005, size
        one["selection"] = {"student": [{"score_selected": score}], "baseline": []}
        one["deployed"] = {"bytes": size}
    return found


@pytest.mark.parametrize(
    ("small", "tiny", "named"),
    [
        (0.86, 0.858, "tiny (4.9 KB) is the smallest"),
        (0.86, 0.85, "small (8.8 KB) is the best"),
        (0.85, 0.86, "tiny (4.9 KB) is the best"),
    ],
)
def test_the_smallest_within_the_margin_of_the_best_is_named(small, tiny, named):
    said = plain(smallest.of(made(small, tiny)))
    assert named in said and "2 students" in said


def test_it_is_a_fact_beside_the_advised_one_and_no_second_advice():
    found = made(0.86, 0.858)
    said = plain(smallest.of(found, 1))
    assert said.startswith("Smaller and nearly as good is tiny (4.9 KB): ROC-AUC 0.858 on validation, within")
    assert "take" not in said
    assert plain(smallest.of(found, 0)).startswith("Of these 2 students tiny (4.9 KB) is the smallest")
    assert smallest.of(made(0.86, 0.85), 0) is None


def test_it_is_not_set_beside_an_advised_model_that_is_smaller_still():
    found = made(0.86, 0.858)
    one = result(plain="level")["students"][0]["reference"]
    found["students"][1]["reference"] = {**one, "best": {**one["best"], "bytes": 4_000}}
    assert "the plain model" in decision.of(found, 1) and smallest.of(found, 1) is None
    found["students"][1]["reference"]["best"]["bytes"] = 6_000
    assert "the plain model" in decision.of(found, 1) and smallest.of(found, 1) is not None


def test_nothing_is_said_of_one_student_of_a_choice_or_of_what_is_not_known():
    assert smallest.of(result()) is None
    found = made(0.86, 0.858)
    assert smallest.of({**found, "choice": {"rule": "x"}}) is None
    found["students"][0]["selection"] = {}
    assert smallest.of(found) is None


def test_it_stands_in_the_verdict(jobs):  # noqa: F811
    at = open_page("runs", run=done_run(students=("tiny", "small")))
    assert not at.exception and "2 students" in words(at)
