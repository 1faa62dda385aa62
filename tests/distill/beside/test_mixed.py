"""Rows mixed by one share: what is mixed of which two, what is left out, who answers them, and where it is found again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.pictures.column import column_of, pixels_of
from kd_core.data.preparation import prepare
from kd_core.data.view import Viewed, Views
from kd_core.distill.beside import mixed
from kd_core.distill.beside.mixed import LINEAR
from kd_core.errors import DataError, SpecError
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers import made_rows
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.crossfit import folds as deal_folds
from tests.teachers.test_made_rows import FOREST, ask, table

CNN = Choice(name="cnn", settings={"size": "tiny", "epochs": 1})


@pytest.fixture
def data(tmp_path, own_workspace):
    return prepare(DatasetSpec(source=str(table(tmp_path / "a.csv")), target="target"))


def pictures_of(path, x):
    labels = np.arange(len(x)) % 2
    np.savez(path, x=x, y=labels)
    return prepare(DatasetSpec(source=str(path), target="class", copies="apart"))


@pytest.fixture
def pictures(tmp_path, own_workspace):
    x = np.random.default_rng(0).integers(0, 256, (120, 8, 9, 3), dtype=np.uint8)
    return pictures_of(tmp_path / "p.npz", x)


def values(data, name):
    return data.rows[name].iloc[data.train.row_ids].to_numpy(float)


def test_numbers_lie_on_the_line_by_one_share_and_the_rest_is_of_one_of_the_two(data):
    made = mixed.make(data, 3, 0, 4)
    source = data.rows[list(made.frame)].iloc[data.train.row_ids]
    a, count = values(data, "a"), values(data, "count")
    first, second = a[made.first], a[made.second]
    far = np.abs(first - second) > 0.5
    share = (made.frame["a"].to_numpy(float) - second)[far] / (first - second)[far]
    assert share.min() >= 0 and share.max() <= 1 and len(share) > 300
    assert np.quantile(share, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.06)
    whole = share * count[made.first][far] + (1 - share) * count[made.second][far]
    assert np.abs(made.frame["count"].to_numpy(float)[far] - whole).max() <= 0.5 + 1e-9
    assert (made.frame["count"] == made.frame["count"].round()).all()  # counts stay counts
    for at, name in enumerate(made.frame):
        assert made.frame[name].dtype == source[name].dtype
        taken = made.taken[:, at]
        assert taken[far][share > 0.8].mean() < 0.2 and taken[far][share < 0.2].mean() > 0.8
        if name not in ("a", "count"):
            picked = source[name].iloc[np.where(taken, made.second, made.first)].reset_index(drop=True)
            pd.testing.assert_series_equal(made.frame[name], picked)
    assert (made.taken[:, 2] != made.taken[:, 3]).any()  # each column by itself
    at = list(made.frame).index("a")
    picked = np.where(made.taken[:, at], second, first)
    gap = np.isnan(first) | np.isnan(second)
    np.testing.assert_array_equal(made.frame["a"].to_numpy(float)[gap], picked[gap])


def test_the_two_are_any_rows_of_one_fold_drawn_anew_each_time(data):
    made, fold_N = mixed.make(data, 3, 0, 2), deal_folds(data.train.y, data.train.groups, 3, 0)
    assert (made.first != made.second).all()
    assert (fold_N[made.first] == made.fold).all() and (fold_N[made.second] == made.fold).all()
    assert len(made.frame) + made.dropped == 2 * len(data.train) == len(made.fold) + made.dropped
    once, twice = (made.second[: made.count(1)], made.second[made.count(1) :])
    assert (once != twice[: len(once)]).mean() > 0.9
    drawn = [mixed._partners(np.array([0, 0, 0, 1]), 2, np.random.default_rng(i)) for i in range(200)]
    assert {row[3] for row in drawn} == {-1} and [{row[i] for row in drawn} for i in range(3)] == [
        {1, 2},
        {0, 2},
        {0, 1},
    ]


@pytest.mark.parametrize("kind", ["data", "pictures"])
def test_the_same_seed_gives_the_same_rows_and_fewer_times_the_first_of_them(kind, request):
    data = request.getfixturevalue(kind)
    three, again, other = (mixed.make(data, 3, seed, 3) for seed in (0, 0, 1))
    assert three.digest == again.digest != other.digest
    assert replace(three, frame=other.frame).digest != three.digest
    one, view = mixed.make(data, 3, 0, 1), "columns" if kind == "data" else "pixels"
    np.testing.assert_array_equal(one.encoded(data, view), three.encoded(data, view)[: three.count(1)])
    assert 0 < one.count(1) == three.count(1) < three.count(2) < three.count(3) == len(three.frame)


def test_averages_of_the_target_are_those_of_the_row_that_the_category_came_from(data):
    made = mixed.make(data, 3, 0, 1)
    viewed = data.view("table")
    (span,) = viewed.view.target_columns().values()
    x, taken = viewed.parts["train"], made.taken[:, list(made.frame).index("town"), None]
    wanted = np.where(taken, x[made.second][:, span], x[made.first][:, span])
    np.testing.assert_array_equal(made.encoded(data, "table")[:, span], wanted)


def test_pixels_are_mixed_and_rounded_to_bytes():
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 1), dtype=np.uint8)
    missing = np.array([False, False, True])
    column = column_of(x, missing)
    first, second, share = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 0]), np.array([0.25, 0.9, 0.5, 0.5])
    picked = column.iloc[[1, 1, 0, 2]].reset_index(drop=True)
    found = mixed._pictures(column, picked, first, second, share)
    own = pixels_of(found)
    for i in (0, 1):
        line = share[i] * x[first[i]].astype(float) + (1 - share[i]) * x[second[i]]
        assert np.abs(own[i] - line).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(own[2], x[0])
    assert found.isna().tolist() == [False, False, False, True]


def test_pictures_are_read_as_students_read_them(pictures, monkeypatch):
    made = mixed.make(pictures, 2, 0, 2)
    x, own = pictures.view("pixels").parts["train"].astype(float), made.encoded(pictures, "pixels")
    assert own.dtype == np.uint8 and own.shape == (len(made.frame), 3, 8, 9) and made.dropped == 0
    first, second = x[made.first], x[made.second]
    share = ((own - second) * (first - second)).sum((1, 2, 3)) / ((first - second) ** 2).sum((1, 2, 3))
    line = share[:, None, None, None] * (first - second) + second
    assert np.abs(own - line).max() < 1 and np.quantile(share, [0.25, 0.75]) == pytest.approx([0.25, 0.75], abs=0.12)
    monkeypatch.setattr(mixed, "_AT_ONCE", 7)
    assert mixed.make(pictures, 2, 0, 2).digest == made.digest


def test_pictures_like_one_to_judge_by_are_left_out_and_counted(tmp_path, own_workspace):
    x = np.zeros((200, 4, 4, 1), np.uint8)
    x[::3] = 200
    data = pictures_of(tmp_path / "p.npz", x)
    made = mixed.make(data, 2, 0, 1)
    shades = set(made.encoded(data, "pixels")[:, 0, 0, 0].tolist())
    assert len(shades) > 10 and not shades & {0, 200} and made.dropped > 40
    told = made.note()["message"]
    assert f"{len(made.frame):,} rows were mixed" in told and f"{made.dropped:,} more were left out" in told


def test_what_can_not_be_mixed_is_refused_with_its_reason(data, pictures, tmp_path):
    with pytest.raises(SpecError, match="can't be made with 1 fold"):
        mixed.make(data, 1, 0, 1)
    with pytest.raises(SpecError, match="can't be made for what reads word pieces"):
        mixed.make(data, 3, 0, 1).encoded(replace(data, views=Views({"tokens": data.view})), "tokens")
    viewed = pictures.view("pixels")
    kept = np.memmap(tmp_path / "x", np.uint8, "w+", shape=viewed.parts["train"].shape)
    mapped = Viewed(viewed.spec, {**viewed.parts, "train": kept}, viewed.view)
    with pytest.raises(DataError, match="training pictures are kept on the disk"):
        mixed.make(replace(pictures, views=Views({"pixels": lambda: mapped})), 2, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "teacher"), [("data", FOREST), ("pictures", CNN)])
def test_a_teacher_answers_them_once_and_they_are_not_taken_for_rows_made_otherwise(kind, teacher, request, tmp_path):
    data, cache = request.getfixturevalue(kind), TeacherCache(tmp_path / "kept")
    known = data.spec.model_copy(update={"sha256": "0" * 64})
    data = replace(data, spec=known)
    made = LINEAR.make(data, 3, 0, 2)
    found = ask(data, teacher, made, cache)
    assert found.made.shape == (len(made.frame), 2) and np.isfinite(found.made).all() and np.ptp(found.made) > 0
    again = ask(data, teacher, LINEAR.make(data, 3, 0, 2), cache)
    assert again.cached and (again.made == found.made).all()
    assert cache.holds(known, teacher, 3, 0, made_rows=2, made_as="linear")
    assert not cache.holds(known, teacher, 3, 0, made_rows=2)
    if kind == "data":
        ask(data, teacher, made_rows.make(data, 3, 0, 1), cache)
        assert cache.holds(known, teacher, 3, 0, made_rows=1)
        assert not cache.holds(known, teacher, 3, 0, made_rows=1, made_as="linear")
