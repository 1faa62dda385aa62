"""Disturbed rows: what is touched, how much, and that the same seed gives the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.data.pictures.column import png
from kd_core.data.types.base import ColumnType
from kd_core.evaluate.examination.disturbance import DISTURBANCES, mistyped, pixels_of_file

ROWS = 2000
WAYS = {one.name: one for one in DISTURBANCES}
TYPES = {
    "amount": ColumnType("number"),
    "town": ColumnType("category"),
    "code": ColumnType("category", codes=True),
    "words": ColumnType("text"),
    "photo": ColumnType("picture"),
}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    grey = png(np.full((8, 8, 1), 128, np.uint8))
    amount = rng.normal(50, 10, ROWS)
    amount[::10] = np.nan
    return pd.DataFrame(
        {
            "amount": amount,
            "town": pd.Series(rng.choice(["a", "b"], ROWS)).astype("category"),
            "code": "7",
            "words": "the quick brown fox jumps",
            "photo": pd.Series([grey] * ROWS, dtype="object"),
        }
    )


def test_cells_go_missing_by_their_share(frame):
    found = WAYS["missing"].disturbed(frame, TYPES, 0.2, 1)
    for name in frame:
        was, now = frame[name].isna(), found[name].isna()
        assert (now | ~was).all()
        assert (now & ~was).sum() / (~was).sum() == pytest.approx(0.2, abs=0.04)
        assert (found[name][~now] == frame[name][~now]).all()


def test_noise_moves_numbers_alone_and_by_their_spread(frame):
    found = WAYS["noise"].disturbed(frame, TYPES, 0.1, 1)
    moved = (found.amount - frame.amount).dropna()
    assert moved.std() == pytest.approx(0.1 * frame.amount.std(), rel=0.1) and len(moved) == frame.amount.notna().sum()
    pd.testing.assert_frame_equal(found.drop(columns="amount"), frame.drop(columns="amount"))


def test_typos_touch_texts_alone(frame):
    found = WAYS["typos"].disturbed(frame, TYPES, 0.1, 1)
    assert (found.words != frame.words).mean() > 0.5 and (found.town == frame.town).all()


def test_letters_are_mistyped_by_their_share():
    rng = np.random.default_rng(3)
    text = "abcdefgh " * 400
    changed = mistyped(text, 0.1, rng)
    assert changed.count(" ") == text.count(" ") or abs(changed.count(" ") - 400) < 60
    assert 0.02 < 1 - len(changed) / len(text) < 0.06  # a third of the hits leaves the letter out
    assert mistyped(text, 0.0, rng) == text
    assert set(mistyped("这个包很好看质量不错" * 50, 0.3, rng)) <= set("这个包很好看质量不错")


def test_grain_keeps_size_and_middle(frame):
    file = WAYS["grain"].disturbed(frame.iloc[:200], TYPES, 0.1, 1).photo
    pixels = np.stack([pixels_of_file(one) for one in file]).astype(float)
    assert pixels.shape == (200, 8, 8, 1)
    assert pixels.mean() == pytest.approx(128, abs=2) and pixels.std() == pytest.approx(25.5, rel=0.1)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_gives_the_same_rows_and_another_others(frame, way):
    rows = frame.iloc[:50]
    first, again, other = (WAYS[way].disturbed(rows, TYPES, 0.2, seed) for seed in (4, 4, 5))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    assert rows.equals(frame.iloc[:50])  # what was given is as it was


def test_a_way_without_columns_says_so():
    assert WAYS["grain"].columns({"a": ColumnType("number")}) == []
    assert WAYS["noise"].columns(TYPES) == ["amount"]


def test_codes_have_no_noise_and_spaces_stay_where_they_are():
    assert WAYS["noise"].columns({"a": ColumnType("number", codes=True), "b": ColumnType("number")}) == ["b"]
    assert WAYS["missing"].columns({"a": ColumnType("number", codes=True)}) == ["a"]
    assert mistyped("    ", 1.0, np.random.default_rng(0)) == "    "
