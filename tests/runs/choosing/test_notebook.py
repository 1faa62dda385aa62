"""What is kept of a choice between attempts."""

from __future__ import annotations

import pytest

from kd_core.runs.choosing.notebook import KEEP_SECONDS, Notebook
from kd_core.runs.choosing.rule import Candidate, Decision

ONE = Candidate("a", 100, 5.0, 0.9, 0.8, 3.0)
OUT = Candidate("b", left_out={"code": "too_large", "bytes": 7})


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_results_seconds_and_decision_are_read_again(tmp_path, clock):
    path = tmp_path / "c" / "choice.json"
    book = Notebook(path, "k", clock)
    clock.now += 7
    book.add(OUT)
    book.add(ONE)
    book.decide(Decision("a", "best_within", "a", ("score",), None))
    clock.now += 1000  # the time between two attempts does not count
    again = Notebook(path, "k", clock)
    assert again.in_order(["a", "b", "c"]) == [ONE, OUT] and again.stale == 0
    assert again.decision == Decision("a", "best_within", "a", ("score",), None)
    clock.now += 2
    assert again.seconds == pytest.approx(9)


def test_the_time_is_noted_now_and_then(tmp_path, clock):
    book = Notebook(tmp_path / "choice.json", "k", clock)
    clock.now += KEEP_SECONDS / 2
    book.tick()
    assert not book.path.exists()
    clock.now += KEEP_SECONDS
    book.tick()
    assert Notebook(book.path, "k", clock).seconds == pytest.approx(1.5 * KEEP_SECONDS)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"key": "k"}', '{"key": "k", "candidates": [3], "decision": null}'])
def test_another_key_or_damage_begins_anew_and_is_counted(tmp_path, clock, text):
    path = tmp_path / "choice.json"
    book = Notebook(path, "k", clock)
    clock.now += 5
    book.add(ONE)
    book.add(OUT)
    if text is not None:
        path.write_text(text)
    again = Notebook(path, "other" if text is None else "k", clock)
    assert (again.known, again.decision, again.stale) == ({}, None, 2 if text is None else 1)
    assert again.seconds == pytest.approx(0)
