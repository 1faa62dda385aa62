"""What a model leans on: by hand, and alike or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.evaluate.examination.importance import Leaning, alike, dealings, importance

FRAME = pd.DataFrame({"a": np.arange(200.0), "b": np.arange(200.0)[::-1], "c": 1.0})


def test_a_column_counts_by_what_the_score_loses():
    target = FRAME.a.to_numpy()

    def score(frame):
        return -float(np.abs(frame.a.to_numpy() - target).mean())

    found = {one.column: one for one in importance(score, FRAME, ["a", "b", "c"])}
    lost = [np.abs(target[order] - target).mean() for order in dealings("a", 200, 5, 0)]
    assert found["a"].lost == pytest.approx(np.mean(lost)) and found["a"].spread == pytest.approx(np.std(lost, ddof=1))
    assert found["b"].lost == found["c"].lost == 0.0
    errors = importance(lambda frame: -score(frame), FRAME, ["b", "a"], better="lower")
    assert [one.column for one in errors] == ["a", "b"] and errors[0].lost == found["a"].lost


def test_an_undefined_score_gives_no_row():
    assert importance(lambda frame: None, FRAME, ["a"]) == []


def test_models_are_alike_by_the_order_of_their_columns():
    ours = [Leaning(name, lost, 0.0) for name, lost in zip("abcd", (0.4, 0.3, 0.2, 0.1), strict=True)]
    scaled = [Leaning(one.column, 10 * one.lost, 0.0) for one in ours]
    turned = [Leaning(one.column, -one.lost, 0.0) for one in ours]
    assert alike(ours, scaled) == pytest.approx(1.0) and alike(ours, turned) == pytest.approx(-1.0)
    assert alike(ours[:2], scaled) is None
    assert alike(ours, [Leaning(name, 0.0, 0.0) for name in "abcd"]) is None


def test_a_column_may_have_any_name_and_an_undefined_dealing_is_left_out():
    frame = FRAME.rename(columns={"a": "self", "b": "frame"})
    asked = []

    def score(rows):
        asked.append(rows.copy())
        return None if len(asked) == 3 else float((rows["self"].to_numpy() == frame["self"]).mean())

    (one,) = importance(score, frame, ["self"], repeats=3)
    orders = dealings("self", 200, 3, 0)
    kept = [1 - (order == np.arange(200)).mean() for order in (orders[0], orders[2])]
    assert one.lost == pytest.approx(np.mean(kept)) and one.spread == pytest.approx(np.std(kept, ddof=1))
    assert all(sorted(rows["self"]) == sorted(frame["self"]) for rows in asked) and list(frame["self"]) == list(FRAME.a)
    (alone,) = importance(lambda rows: 1.0, frame, ["frame"], repeats=1)
    assert (alone.lost, alone.spread) == (0.0, 0.0)


def test_every_column_is_dealt_its_own_way_and_the_same_for_every_model():
    first, again, other = dealings("a", 50, 2, 0), dealings("a", 50, 2, 0), dealings("b", 50, 2, 0)
    assert all((x == y).all() for x, y in zip(first, again, strict=True))
    assert (first[0] != first[1]).any() and (first[0] != other[0]).any()
    assert (first[0] != dealings("a", 50, 2, 1)[0]).any()
