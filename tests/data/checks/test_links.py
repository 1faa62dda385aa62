import numpy as np
import pandas as pd
import pytest

from kd_core.data.checks.links import SAMPLE_ROWS, explained_shares, sample_rows
from kd_core.data.targets import read_target
from kd_core.data.types.typed_column import understand


def column(values, name="a", **more):
    return understand(pd.Series([str(v) for v in values], dtype="str"), name, **more)


@pytest.fixture(scope="module")
def flags():
    rng = np.random.default_rng(0)
    return rng, rng.integers(0, 2, 4000)


def share(values, y, **more):
    return explained_shares([column(values, **more)], read_target(column(y, "y")))["a"]


def test_a_copy_explains_everything_and_noise_nothing(flags):
    rng, y = flags
    assert share(np.where(y == 1, "u", "v"), y) > 0.99
    assert share(rng.normal(size=4000), y) < 0.01
    assert share([f"v{i}" for i in rng.integers(0, 300, 4000)], y) < 0.01


def test_kinds_are_on_one_scale(flags):
    """The same knowledge as a number, a category or a flag is worth the same."""
    rng, y = flags
    told = np.where(rng.random(4000) < 0.15, 1 - y, y)
    known = 1 + 0.15 * np.log2(0.15) + 0.85 * np.log2(0.85)  # bits left out of 1
    for values in (told, np.where(told == 1, "u", "v"), told * 7.5 + rng.uniform(0, 1, 4000)):
        assert share(values, y) == pytest.approx(known, abs=0.03)


def test_regression_share_is_r_squared(flags):
    rng, _ = flags
    x = rng.normal(size=4000)
    assert share(x, x + rng.normal(size=4000)) == pytest.approx(0.5, abs=0.04)
    assert share(x**2, x) < 0.02


def test_missing_values_and_dates_can_tell(flags):
    rng, y = flags
    assert share(np.where(y == 1, "", rng.normal(size=4000).round(3)), y) > 0.9
    days = (pd.Timestamp("2024-01-01") + pd.to_timedelta(y * 60 + rng.integers(0, 30, 4000), unit="D")).strftime(
        "%Y-%m-%d"
    )
    assert share(days, y) > 0.9
    assert share(["x"] * 4000, y) == 0.0


def test_infinite_words_in_an_id_do_not_fail(flags):
    _, y = flags
    assert 0 <= share(["inf" if i % 9 == 0 else i for i in range(4000)], y, kind="id") < 0.05


def test_sample_is_bounded_sorted_and_holds_known_targets_only():
    y = np.array(["a", "b", ""] * 10_000)
    rows = sample_rows(read_target(column(y, "y")))
    assert len(rows) == SAMPLE_ROWS
    assert (np.diff(rows) > 0).all()
    assert (y[rows] != "").all()


def test_a_slow_drift_with_the_date_is_seen_in_a_small_table():
    """28 % of yes in the first year and 6 % in the last: too little for 64 short spans of 23 rows, plain in long periods."""
    rng = np.random.default_rng(3)
    when = pd.date_range("2022-01-01", "2025-12-31", periods=1500)
    days = when.strftime("%Y-%m-%d")
    y = (rng.random(1500) < np.interp(when.year, [2022, 2025], [0.28, 0.06])).astype(int)
    assert np.sqrt(share(days, y)) > 0.1
    assert share(days, rng.permutation(y)) < 0.005
