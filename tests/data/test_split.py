import hashlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kd_core.data import split
from kd_core.data.split import TEST, TRAIN, VALIDATION
from kd_core.data.targets import read_target
from kd_core.data.types.typed_column import understand
from kd_core.errors import DataError
from kd_core.task import usual

SHARES = (0.15, 0.15)


def shares(parts):
    return np.bincount(parts, minlength=3) / len(parts)


def test_stratified_keeps_each_class_share_in_each_part():
    y = np.repeat([0, 1, 2], [5000, 900, 100])
    parts = split.stratified(y, *SHARES, seed=0)
    for c in range(3):
        assert shares(parts[y == c]) == pytest.approx([0.7, 0.15, 0.15], abs=0.006)


def test_every_class_is_in_every_part_when_it_has_three_rows():
    y = np.repeat(np.arange(6), [200, 3, 4, 5, 2, 1])
    parts = split.stratified(y, *SHARES, seed=3)
    for c in range(4):
        assert set(parts[y == c]) == {TRAIN, VALIDATION, TEST}
    assert TRAIN in parts[y == 4]
    assert parts[y == 5].tolist() == [TRAIN]


def test_regression_is_stratified_by_quantile():
    y = np.random.default_rng(0).lognormal(0, 2, 3000)
    parts = split.stratified(usual("number").strata(y), *SHARES, seed=0)
    top = y > np.quantile(y, 0.9)
    assert shares(parts[top]) == pytest.approx([0.7, 0.15, 0.15], abs=0.01)
    assert len(np.unique(usual("number").strata(np.r_[np.zeros(900), np.arange(100)]))) >= 2


@pytest.mark.slow
def test_same_data_and_seed_is_the_same_split_in_every_process():
    y = np.arange(1000) % 3
    here = split.stratified(y, *SHARES, seed=7)
    code = (
        "import numpy as np, sys; from kd_core.data import split;"
        "sys.stdout.buffer.write(split.stratified(np.arange(1000) % 3, 0.15, 0.15, seed=7).tobytes())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert here.tobytes() == there
    assert not np.array_equal(here, split.stratified(y, *SHARES, seed=8))
    # A fixed digest: another platform or numpy version must give the very same rows.
    assert hashlib.sha256(here.tobytes()).hexdigest()[:16] == "83f664b4132aad3f"


def test_groups_stay_whole_and_balanced():
    rng = np.random.default_rng(0)
    groups = rng.zipf(1.6, 8000) % 700
    y = (rng.random(700) < 0.3).astype(int)[groups]
    parts = split.grouped(groups, y, *SHARES, seed=0)
    frame = pd.DataFrame({"group": groups, "part": parts})
    assert (frame.groupby("group")["part"].nunique() == 1).all()
    # One group may hold more rows than a part should: the rest must still come close.
    assert shares(parts)[1:].min() > 0.1


def test_groups_are_balanced_for_the_class_share():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(600), rng.integers(1, 20, 600))
    y = (rng.random(600) < 0.25).astype(int)[groups]
    parts = split.grouped(groups, y, *SHARES, seed=0)
    assert shares(parts) == pytest.approx([0.7, 0.15, 0.15], abs=0.01)
    for part in range(3):
        assert y[parts == part].mean() == pytest.approx(y.mean(), abs=0.01)
    assert not np.array_equal(parts, split.grouped(groups, y, *SHARES, seed=1))


def test_few_groups():
    parts = split.grouped(np.repeat([4, 5, 6], [100, 5, 5]), np.zeros(110, int), *SHARES, seed=0)
    assert set(parts) == {0, 1, 2}
    with pytest.raises(DataError, match=r"The group column has 2 values; a split in three parts needs at least 3"):
        split.grouped(np.repeat([1, 2], 50), np.zeros(100, int), *SHARES, seed=0)


def test_newest_rows_are_the_test_part_and_ties_stay_together():
    rng = np.random.default_rng(0)
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, 5000), unit="D"))
    parts = split.by_time(days, *SHARES)
    assert days[parts == TRAIN].max() < days[parts == VALIDATION].min()
    assert days[parts == VALIDATION].max() < days[parts == TEST].min()
    assert shares(parts) == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_time_with_groups_and_gaps():
    time = pd.Series([*range(98), np.nan, np.nan], dtype="float64")
    parts = split.by_time(time, *SHARES)
    assert parts[-2:].tolist() == [TRAIN, TRAIN]
    groups = np.arange(100) // 7
    together = split.by_time(time, *SHARES, groups)
    assert all(len(set(together[groups == g])) == 1 for g in range(14))
    assert set(together) == {0, 1, 2}


def test_a_group_counts_as_its_newest_row():
    """A group with one row from today is asked about today: it must not teach what is tested on yesterday's rows."""
    time, groups = pd.Series(np.arange(100.0)), np.arange(100)
    groups[[0, 99]] = 0  # the oldest and the newest row
    groups[[1, 75]] = 1  # among the next newest
    parts = split.by_time(time, *SHARES, groups)
    assert parts[[0, 99]].tolist() == [TEST, TEST]
    assert parts[[1, 75]].tolist() == [VALIDATION, VALIDATION]
    assert set(parts[2:60]) == {TRAIN}


def test_few_times():
    with pytest.raises(DataError, match=r"The time column has 2 different values"):
        split.by_time(pd.Series([1.0, 2.0] * 20), *SHARES)
    assert set(split.by_time(pd.Series([1.0, 2.0, 3.0] * 20), *SHARES)) == {0, 1, 2}


def test_rows_without_target_are_in_no_part_and_rows_without_group_stand_alone():
    y = understand(pd.Series((["a", "b", ""] * 20), dtype="str"), "y")
    group = understand(pd.Series(([*"uvwxyz"] * 9 + [""] * 6), dtype="str"), "g")
    parts = split.assign(read_target(y), group, None, *SHARES, 0)
    assert (parts == -1).sum() == 20
    assert len(set(split.group_codes(group)[-6:])) == 6


@pytest.mark.parametrize("sizes", [[5, 5, 5], [900, 3, 3], [1, 1, 1, 500], [300, 300, 300]])
def test_every_part_gets_a_group(sizes):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(5):
        assert set(split.grouped(groups, groups % 2, *SHARES, seed)) == {0, 1, 2}


def test_rows_that_stand_alone_are_split_as_without_units():
    y = np.arange(1000) % 3
    assert np.array_equal(split.stratified(y, *SHARES, 7, np.arange(1000)), split.stratified(y, *SHARES, 7))


@pytest.mark.parametrize("seed", range(4))
def test_units_stay_whole_and_class_shares_exact(seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, 4000, p=[0.8, 0.15, 0.05])
    units = np.arange(4000)
    units[rng.choice(4000, 1200, replace=False)] = rng.integers(0, 300, 1200)  # some of them with several classes
    parts = split.stratified(y, *SHARES, seed, units)
    assert (pd.DataFrame({"unit": units, "part": parts}).groupby("unit")["part"].nunique() == 1).all()
    plain = split.stratified(y, *SHARES, seed)
    for part in range(3):
        assert np.array_equal(np.bincount(y[parts == part]), np.bincount(y[plain == part]))
    several = np.bincount(units)[units] > 1
    assert shares(parts[several]) == pytest.approx([0.7, 0.15, 0.15], abs=0.06)  # copies are not sent to one side
    assert not np.array_equal(parts, split.stratified(y, *SHARES, seed + 1, units))


def test_units_of_every_size_reach_every_part():
    units = np.repeat(np.arange(90), np.repeat([2, 9, 30], 30))
    for seed in range(5):
        parts = split.stratified(units % 2, *SHARES, seed, units)
        for size in (2, 9, 30):
            assert set(parts[np.bincount(units)[units] == size]) == {TRAIN, VALIDATION, TEST}
        assert shares(parts) == pytest.approx([0.7, 0.15, 0.15], abs=0.06)
    ten = np.repeat(np.arange(10), 50)  # the fewest that a unit of at most a tenth of the rows allows
    assert all(set(split.stratified(ten % 2, *SHARES, seed, ten)) == {0, 1, 2} for seed in range(50))


def test_units_are_the_same_split_on_every_platform():
    parts = split.stratified(np.arange(1000) % 3, *SHARES, 7, np.arange(1000) // 3 * (np.arange(1000) % 5 > 1) + 1)
    assert hashlib.sha256(parts.tobytes()).hexdigest()[:16] == "47ca74950d6db153"


def parted(words, y=None, **more):
    y = pd.Series(np.resize(["yes", "no", "no"], len(words)) if y is None else y, dtype="str")
    column = understand(pd.Series(words, dtype="str"), "set")
    return split.assign(read_target(understand(y, "y")), None, None, *SHARES, 0, given=column, **more)


def test_parts_are_taken_as_a_column_gives_them():
    words = np.resize(["train", "train", "dev", "test", "train"], 100)
    parts = parted(words)
    assert [set(words[parts == n]) for n in (TRAIN, VALIDATION, TEST)] == [{"train"}, {"dev"}, {"test"}]


def test_without_validation_rows_some_of_training_are_chosen_by_class():
    words = np.resize(["train", "train", "train", "test"], 800)
    parts = parted(words)
    assert np.array_equal(parts == TEST, words == "test")
    assert (parts == VALIDATION).sum() == 90, "its share of the 600 training rows"
    share = (np.resize(["yes", "no", "no"], 800)[parts == VALIDATION] == "yes").mean()
    assert share == pytest.approx(1 / 3, abs=0.02)


def test_validation_rows_are_chosen_in_whole_units():
    words = np.resize(["train", "train", "test"], 900)
    units = np.repeat(np.arange(300), 3)  # each holds two training rows and one test row: given parts go before
    parts = parted(words, units=units)
    held = {u: set(parts[(units == u) & (words == "train")]) for u in range(300)}
    assert all(len(found) == 1 for found in held.values()) and {VALIDATION} in held.values()


def test_a_column_without_test_rows_is_refused_with_its_words():
    with pytest.raises(DataError, match="The column set gives no rows for test: it says train, dev") as error:
        parted(np.resize(["train", "dev"], 60))
    assert error.value.code == "parts_lack"
