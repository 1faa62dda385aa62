"""Rows made of training rows: what they are made of, what is left out, and who labels them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.data.view import Viewed
from kd_core.errors import DataError, SpecError
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers import made_rows
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import SOURCES
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.teachers.sources.average import averaged
from tests.teachers.tables import dataset as bare

FOREST = Choice(name="random_forest", settings={"trees": 10})


def table(place, rows=300, towns=40, target="binary"):
    """Numbers whole and broken, a flag, categories of few and of many values, dates and gaps."""
    rng = np.random.default_rng(0)
    a, count = rng.normal(size=rows).round(3), rng.poisson(9, rows)
    a[rng.random(rows) < 0.1] = np.nan
    town = [f"town {i}" for i in rng.integers(0, towns, rows)]
    z = np.nan_to_num(a) + 0.2 * count + rng.normal(size=rows)
    told = np.where(z > 1.8, "yes", "no") if target == "binary" else z.round(3)
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")
    columns = {"a": a, "count": count, "kind": rng.choice(["x", "y"], rows), "town": town, "day": day, "target": told}
    pd.DataFrame(columns).to_csv(place, index=False)
    return place


@pytest.fixture
def data(tmp_path, own_workspace):
    return prepare(DatasetSpec(source=str(table(tmp_path / "a.csv")), target="target"))


def ask(data, teacher, made, cache=None, folds=3, **more):
    more = {"notify": lambda event: None, "should_stop": lambda: False, **more}
    return teacher_answers(data, teacher, folds=folds, seed=0, cache=cache, made=made, **more)


def test_each_is_made_of_two_different_rows_of_one_fold_column_by_column(data):
    made = made_rows.make(data, 3, 0, 2)
    fold_N = deal_folds(data.train.y, data.train.groups, 3, 0)
    assert made.times == 2 and made.count(0) == 0 and made.count(2) == len(made.frame) == made.ends[1]
    assert made.ends[0] + made.dropped >= len(data.train) * 0.9 and made.ends[0] <= len(data.train)
    assert (made.first != made.second).all() and (fold_N[made.first] == made.fold).all()
    assert (fold_N[made.second] == made.fold).all()
    source = data.rows[list(made.frame)].iloc[data.train.row_ids]
    assert 0.4 < made.taken.mean() < 0.6
    for at, name in enumerate(made.frame):
        assert made.frame[name].dtype == source[name].dtype
        first, second = (source[name].iloc[rows].reset_index(drop=True) for rows in (made.first, made.second))
        own = made.frame[name]
        kept = ~made.taken[:, at]
        pd.testing.assert_series_equal(own[kept], first[kept])
        if name in ("a", "count"):
            gap = (first - second).abs()
            moved = own[made.taken[:, at]] - second[made.taken[:, at]]
            assert (moved.abs()[gap == 0] < 1e-9).all() and (moved.abs().dropna() > 1e-9).any()
            far = (moved.abs() / gap)[(gap > 0) & made.taken[:, at]]
            assert name == "count" or (0.2 < np.sqrt((far**2).mean()) < 0.3 and far.max() < 2)
            assert name == "a" or (own.dropna() == own.dropna().round()).all()  # counts stay counts
        else:
            pd.testing.assert_series_equal(own[~kept], second[~kept])


def test_neighbours_are_the_nearest_of_the_fold_one_further_each_time(data):
    x, fold_N = np.asarray(data.view().parts["train"]), deal_folds(data.train.y, data.train.groups, 3, 0)
    near = made_rows._neighbours(x, fold_N, 3, 3)
    for i in (0, 7, 100):
        others = np.flatnonzero((fold_N == fold_N[i]) & (np.arange(len(x)) != i))
        distance = ((x[others].astype(float) - x[i]) ** 2).sum(1)
        np.testing.assert_allclose(
            ((x[near[:, i]].astype(float) - x[i]) ** 2).sum(1), np.sort(distance)[:3], rtol=1e-3, atol=1e-4
        )


def test_a_fold_without_enough_rows_gives_fewer_and_neighbours_come_from_a_part_of_many(monkeypatch):
    x, fold_N = np.arange(7, dtype=np.float32)[:, None], np.array([0, 0, 0, 0, 1, 1, 2])
    near = made_rows._neighbours(x, fold_N, 3, 2)
    assert near[:, 6].tolist() == [-1, -1] and near[:, 4].tolist() == [5, -1] and near[0, 0] == 1
    monkeypatch.setattr(made_rows, "POOL", 2)
    few = made_rows._neighbours(x, fold_N, 3, 2)[0, :4]
    assert len(set(few.tolist())) == 2


def test_the_same_seed_gives_the_same_rows_and_fewer_times_the_first_of_them(data):
    four, again, other = (made_rows.make(data, 3, seed, 4) for seed in (0, 0, 1))
    assert four.digest == again.digest != other.digest
    one = made_rows.make(data, 3, 0, 1)
    pd.testing.assert_frame_equal(one.frame, four.frame.iloc[: four.count(1)])
    np.testing.assert_array_equal(one.encoded(data, "columns"), four.encoded(data, "columns")[: four.count(1)])


def test_what_reads_like_a_validation_or_test_row_is_left_out_and_counted(tmp_path, own_workspace):
    rng = np.random.default_rng(0)
    few = pd.DataFrame({"a": rng.integers(0, 4, 400), "b": rng.choice(["x", "y", "z"], 400)})
    few.assign(target=rng.choice(["no", "yes"], 400)).to_csv(tmp_path / "few.csv", index=False)
    spec = DatasetSpec(source=str(tmp_path / "few.csv"), target="target", copies="apart", kinds={"a": "number"})
    data = prepare(spec)
    made = made_rows.make(data, 2, 0, 2)
    x = made.encoded(data, "table")
    known = {tuple(row) for split in ("validation", "test") for row in data.view().parts[split].tolist()}
    assert not known & {tuple(row) for row in x.tolist()}
    assert made.dropped > 300 and len(x) + made.dropped == 2 * len(data.train) and len(made.fold) == len(x)
    note = made.note()
    assert f"{len(x):,} rows were made" in note["message"] and f"{made.dropped:,} more" in note["message"]


def test_averages_of_the_target_are_those_of_the_rows_that_it_was_made_of(data):
    made = made_rows.make(data, 3, 0, 1)
    for kind in made_rows.VIEWS:
        viewed = data.view(kind)
        (span,) = viewed.view.target_columns().values()
        at = list(made.frame).index("town")
        x, own = viewed.parts["train"], made.encoded(data, kind)
        wanted = np.where(made.taken[:, at, None], x[made.second][:, span], x[made.first][:, span])
        np.testing.assert_array_equal(own[:, span], wanted)
        rest = np.setdiff1d(np.arange(x.shape[1]), span)
        np.testing.assert_array_equal(own[:, rest], viewed.view.encode(made.frame)[:, rest])


def test_the_fold_that_labels_them_knows_no_target_of_the_rows_they_were_made_of(data):
    made, fold_N = made_rows.make(data, 3, 0, 1), deal_folds(data.train.y, data.train.groups, 3, 0)
    held = fold_N == 1
    frame = made.frame.iloc[made.of_fold(1)]

    def read(y):
        other = replace(data, parts={**data.parts, "train": replace(data.train, y=y)})
        return other.without("table", held, frame)

    before, after = read(data.train.y), read(np.where(held, 1 - data.train.y, data.train.y))
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(before[2]) == held.sum() + len(frame)
    np.testing.assert_array_equal(before[2][: held.sum()], data.without("table", held)[2])


@pytest.mark.slow
def test_each_is_labelled_by_the_teacher_of_its_fold_and_kept(data, tmp_path):
    made, cache = made_rows.make(data, 3, 0, 2), TeacherCache(tmp_path / "kept")
    found, plain = ask(data, FOREST, made, cache), ask(data, FOREST, None, cache)
    assert not plain.cached and plain.made is None and plain.cache_key != found.cache_key
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(found.logits[split], plain.logits[split])
    assert found.made.shape == (len(made.frame), 2) and np.isfinite(found.made).all()
    again = ask(data, FOREST, made, cache)
    assert again.cached and (again.made == found.made).all()
    assert cache.holds(data.spec, FOREST, 3, 0, made_rows=2) == cache.holds(data.spec, FOREST, 3, 0)
    fold_N = deal_folds(data.train.y, data.train.groups, 3, 0)
    entry = SOURCES.get("random_forest")
    from kd_core.seeding import derive
    from kd_core.teachers.base import Ask
    from kd_core.teachers.fitting import _Fits

    held, rows = fold_N == 2, made.of_fold(2)
    fits = _Fits(
        entry.make.fit, entry.spec.parse(FOREST.settings), Ask(data, "table", 3, 0, None, "", "cpu", print, bool)
    )
    x, x_validation, x_held = data.without("table", held, made.frame.iloc[rows])
    y = data.scaled_y("train")[~held]
    fitted = entry.make.fit(fits.spec, fits.data(x, y, x_validation, ~held), derive(0, "teacher", 2), print, bool)
    np.testing.assert_array_equal(fitted.logits(x_held[held.sum() :]), found.made[rows])


@pytest.mark.slow
def test_a_file_of_known_content_tells_made_rows_apart_without_reading_a_row(data, tmp_path):
    known = data.spec.model_copy(update={"sha256": "0" * 64})
    data = replace(data, spec=known)
    cache = TeacherCache(tmp_path / "kept")
    ask(data, FOREST, made_rows.make(data, 3, 0, 2), cache)
    assert cache.holds(known, FOREST, 3, 0, made_rows=2)
    assert not cache.holds(known, FOREST, 3, 0) and not cache.holds(known, FOREST, 3, 0, made_rows=1)


@pytest.mark.slow
def test_teachers_that_ask_others_label_them_by_those(data):
    made = made_rows.make(data, 3, 0, 1)
    names = ("random_forest", "gradient_boosting")
    each = [ask(data, Choice(name=name), made) for name in names]
    both = ask(data, Choice(name="average", settings={"teachers": names}), made)
    np.testing.assert_array_equal(both.made, averaged(each, data).made)
    best = ask(data, Choice(name="best", settings={"teachers": names, "average": False}), made)
    np.testing.assert_array_equal(best.made, each[names.index(best.details["chosen"])].made)


def test_who_can_not_label_or_read_them_is_refused_with_its_reason(data, tmp_path):
    made = made_rows.make(data, 3, 0, 1)
    frame = pd.read_csv(tmp_path / "a.csv").assign(p=0.4)
    frame.to_csv(tmp_path / "b.csv", index=False)
    given = prepare(DatasetSpec(source=str(tmp_path / "b.csv"), target="target", drop=("p",)))
    with pytest.raises(SpecError, match="'soft_labels' can't label rows that are made"):
        ask(given, Choice(name="soft_labels", settings={"columns": ["p"]}), made)
    with pytest.raises(SpecError, match="can't be made with 1 fold"):
        made_rows.make(data, 1, 0, 1)
    with pytest.raises(SpecError, match="can't be made for what reads word pieces"):
        made.encoded(replace(data, views=type(data.views)({"tokens": lambda: data.view()})), "tokens")
    with pytest.raises(SpecError, match="can't be made for what reads table"):
        made_rows.make(bare("binary"), 3, 0, 1)
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=data.view().parts["train"].shape)
    viewed = Viewed(data.view().spec, {**data.view().parts, "train": mapped}, data.view().view)
    with pytest.raises(DataError, match="training rows are kept on the disk"):
        made_rows.with_made(viewed, made, data, 1)
