"""Groups of rows: which there are, what is compared in them, and what counts as sure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.evaluate.base import Answers
from kd_core.evaluate.examination.slices import FEWEST, slices

ROWS = 400


def answers(y, wrong):
    """Answer rows rightly but for those of a mask."""
    guess = np.where(wrong, 1 - y, y)
    return Answers("binary", y, p=np.eye(2)[guess] * 0.8 + 0.1)


@pytest.fixture
def made():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, ROWS)
    frame = pd.DataFrame(
        {
            "town": pd.Series(rng.choice(["a", "b", "c"], ROWS)).astype("category"),
            "amount": rng.normal(size=ROWS),
            "text": [f"row {i}" for i in range(ROWS)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS), "D"),
        }
    )
    frame.loc[:49, "amount"] = np.nan
    return y, frame


def test_every_group_has_enough_rows_and_its_own_scores(made):
    y, frame = made
    wrong = (frame.town == "b").to_numpy()
    found = slices(
        frame,
        {"student": answers(y, wrong & False), "baseline": answers(y, wrong)},
        "student",
        "baseline",
        ("no", "yes"),
    )
    assert {one.column for one in found} == {None, "town", "amount"}  # neither texts of their own nor times
    assert all(one.rows >= FEWEST for one in found)
    (town,) = (one for one in found if one.value == "b")
    assert (
        town.rows == wrong.sum() and town.scores == {"student": 1.0, "baseline": 0.0} and town.gain == 1.0 and town.sure
    )
    (other,) = (one for one in found if one.value == "a")
    assert other.gain == 0 and not other.sure
    assert found[0] is town or found[0].gain == 1.0  # the clearest first
    (gaps,) = (one for one in found if one.column == "amount" and one.value is None)
    assert gaps.rows == 50
    numbers = [one for one in found if one.low is not None]
    assert len(numbers) == 4 and sum(one.rows for one in numbers) == ROWS - 50
    (yes,) = (one for one in found if one.column is None and one.value == "yes")
    assert yes.rows == y.sum() and yes.gain == pytest.approx(wrong[y == 1].mean())


def test_numbers_are_compared_by_their_errors(made):
    _, frame = made
    y = np.linspace(0, 1, ROWS)
    near, far = Answers("regression", y, values=y + 0.1), Answers("regression", y, values=y - 0.3)
    for one in slices(frame, {"student": near, "baseline": far}, "student", "baseline"):
        assert one.gain == pytest.approx(0.2) and one.scores["student"] == pytest.approx(0.1)


def test_rows_of_one_unit_are_one_piece_of_evidence(made):
    y, frame = made
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(ROWS // 20), 20)
    wrong = np.repeat(rng.random(ROWS // 20) < 0.3, 20)
    arms = {"student": answers(y, wrong & False), "baseline": answers(y, wrong)}
    alone = {(one.column, one.value): one.half for one in slices(frame, arms, "student", "baseline", ("no", "yes"))}
    together = {
        (one.column, one.value): one.half for one in slices(frame, arms, "student", "baseline", ("no", "yes"), units)
    }
    assert alone.keys() == together.keys()
    assert np.mean([together[key] / alone[key] for key in alone if alone[key]]) > 1.3


@pytest.mark.slow
def test_by_chance_few_groups_are_sure():
    rng = np.random.default_rng(2)
    sure = 0
    for _ in range(60):
        y = rng.integers(0, 2, ROWS)
        frame = pd.DataFrame({f"c{i}": pd.Series(rng.choice(list("abcd"), ROWS)) for i in range(5)})
        arms = {arm: answers(y, rng.random(ROWS) < 0.3) for arm in ("student", "baseline")}
        sure += any(one.sure for one in slices(frame, arms, "student", "baseline"))
    assert sure <= 8  # 3 of 60 are expected at 5 %


def test_a_number_that_is_mostly_nought_has_a_group_of_noughts():
    y = np.zeros(ROWS, int)
    paid = np.concatenate([np.zeros(340), np.linspace(1, 9, 60)])
    arms = {"student": answers(y, y > 0), "baseline": answers(y, paid > 0)}
    found = {(one.low, one.high): one for one in slices(pd.DataFrame({"paid": paid}), arms, "student", "baseline")}
    assert [(low, high, one.rows) for (low, high), one in sorted(found.items())] == [(0, 0, 340), (0, 9, 60)]
    assert found[0, 9].gain == 1.0 and found[0, 0].gain == 0.0


def test_a_few_units_are_never_sure_however_alike_they_are():
    y = np.zeros(60, int)
    arms = {"student": answers(y, y > 0), "baseline": answers(y, y == 0)}
    frame = pd.DataFrame({"town": ["a"] * 60})
    for units, sure in ((np.repeat([0, 1], 30), False), (np.repeat(np.arange(10), 6), True)):
        (one,) = slices(frame, arms, "student", "baseline", (), units)
        assert one.gain == 1.0 and one.half == 0.0 and one.sure == sure
    (one,) = slices(frame, arms, "student", "baseline", (), np.zeros(60, int))
    assert one.half is None and not one.sure


def test_half_of_an_interval_is_students_t_over_units():
    rng = np.random.default_rng(4)
    y, units = np.zeros(80), np.repeat(np.arange(8), 10)
    off = rng.normal(size=80)
    arms = {"student": Answers("regression", y, values=y), "baseline": Answers("regression", y, values=off)}
    (one,) = slices(pd.DataFrame({"town": ["a"] * 80}), arms, "student", "baseline", (), units)
    means = np.abs(off).reshape(8, 10).mean(1)
    assert one.gain == pytest.approx(means.mean())
    assert one.half == pytest.approx(2.364624 * means.std(ddof=1) / 8**0.5, rel=1e-6)  # t of 7 degrees of freedom


def test_what_has_no_groups_of_enough_rows_gives_none_and_one_class_is_a_group():
    y = np.ones(FEWEST, int)
    arms = {arm: answers(y, y == 0) for arm in ("student", "baseline")}
    empty = pd.DataFrame({"a": [np.nan] * FEWEST, "b": pd.Series([None] * FEWEST, dtype="object")})
    found = slices(empty, arms, "student", "baseline", ("no", "yes"))
    assert {(one.column, one.value, one.rows) for one in found} == {(None, "yes", 30), ("a", None, 30), ("b", None, 30)}
    assert not any(one.sure for one in found)
    few = {arm: answers(y[:29], y[:29] == 0) for arm in arms}
    assert slices(empty.iloc[:29], few, "student", "baseline", ("no", "yes")) == []


def test_only_the_commonest_values_are_groups():
    values = np.repeat([f"v{i}" for i in range(10)], [30 + i for i in range(10)])
    y = np.zeros(len(values), int)
    arms = {arm: answers(y, y > 0) for arm in ("student", "baseline")}
    found = slices(pd.DataFrame({"town": values, "gift": values > "v4"}), arms, "student", "baseline")
    assert {one.value for one in found if one.column == "town"} == {f"v{i}" for i in range(2, 10)}
    assert {one.value for one in found if one.column == "gift"} == {"True", "False"}


def test_of_keys_and_texts_what_many_rows_share_is_a_group():
    y = np.zeros(ROWS, int)
    arms = {arm: answers(y, y > 0) for arm in ("student", "baseline")}
    words = [f"key {i}" if i % 4 else "unknown" for i in range(ROWS)]
    (one,) = slices(pd.DataFrame({"key": words}), arms, "student", "baseline")
    assert (one.value, one.rows) == ("unknown", ROWS // 4)
