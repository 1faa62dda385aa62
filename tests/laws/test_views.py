"""What holds for every way to read rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from kd_core.data.pictures.column import as_files, column_of
from kd_core.data.types.base import ColumnType
from kd_core.data.views import VIEWS
from kd_core.task import TASKS

VIEWED = VIEWS.entries()
TYPES = {
    "price": ColumnType("number"),
    "paid": ColumnType("number"),
    "colour": ColumnType("category"),
    "town": ColumnType("category"),
    "words": ColumnType("text"),
    "gift": ColumnType("boolean"),
    "day": ColumnType("datetime"),
    "photo": ColumnType("picture"),
    "basket": ColumnType("items", separator=" ", catalogue=tuple(f"item{i}" for i in range(30))),
}


def make_frame(rows=80, seed=0):
    rng = np.random.default_rng(seed)
    words = np.array(["a", "good", "small", "bag", "that", "keeps", "its", "shape", "and", "was", "late"])
    return pd.DataFrame(
        {
            "price": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "paid": np.exp(4 * rng.normal(size=rows)),  # heavy tails: scaled by rank
            "colour": pd.Series(rng.choice(["red", "blue"], rows), dtype="category"),
            "town": pd.Series([f"town {i % 60}" for i in range(rows)], dtype="category"),  # by the target's average
            "words": pd.Series([" ".join(rng.choice(words, 12)) for _ in range(rows)], dtype="str"),
            "gift": pd.Series(rng.choice(["yes", "no"], rows), dtype="category"),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), "D"),
            "photo": column_of(rng.integers(0, 256, (rows, 9, 8, 3)).astype(np.uint8)),
            "basket": pd.Series(
                [" ".join(f"item{i}" for i in rng.integers(0, 30, rng.integers(0, 9))) for _ in range(rows)],
                dtype="str",
            ),
        }
    )


def fitted(entry, task="multiclass", groups=None):
    frame = make_frame()
    view = entry.make(TYPES, task, 0)
    y = np.arange(len(frame)) % 3 if TASKS.get(task).make.has_classes else np.arange(len(frame)) * 0.5
    return view, frame, view.fit(frame, y, groups)


def dense(x):
    return x.toarray() if issparse(x) else x


def same(one, two):
    return np.array_equal(dense(one), dense(two), equal_nan=True)


def holes(x):
    return np.flatnonzero(np.isnan(dense(x)).reshape(len(dense(x)), -1).any(axis=0)).tolist()


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
@pytest.mark.parametrize("task", [e.name for e in TASKS.entries()])
def test_rows_are_what_the_spec_says(entry, task):
    view, frame, own = fitted(entry, task)
    spec, x = view.spec, view.encode(frame, own)
    assert spec.kind == entry.name and issparse(x) is spec.sparse
    assert x.shape == (len(frame), *spec.shape) and x.dtype == np.dtype(spec.dtype)
    assert not np.isinf(dense(x)).any() and holes(x) == list(spec.holes)
    assert holes(spec.example(4)) == list(spec.holes) and len(spec.values) in (0, spec.width)
    if spec.high:
        assert dense(x).min() >= 0 and dense(x).max() < spec.high
    example = spec.example(3)
    assert example.shape == (3, *spec.shape) and example.dtype == x.dtype


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_a_row_is_read_the_same_alone_and_among_others(entry):
    view, frame, _ = fitted(entry)
    whole = dense(view.encode(frame))
    alone = np.concatenate([dense(view.encode(frame.iloc[i : i + 1])) for i in range(10)])
    assert same(whole[:10], alone)


def odd_rows(frame):
    odd = frame.iloc[:4].copy()
    odd["colour"] = pd.Series(["green", None, " red ", ""], dtype="object").astype("category").to_numpy()
    odd["town"] = pd.Series(["town 1", "nowhere", None, "town 59"], dtype="object").astype("category").to_numpy()
    odd["paid"] = [-1.0, 1e29, 0.0, np.nan]
    odd["words"] = pd.Series(["Ж" * 500, None, " good  bag ", "\x00 😀"], dtype="str").to_numpy()
    odd["photo"] = frame["photo"].iloc[:3].reindex([0, 7, 1, 9]).set_axis(odd.index)
    odd["basket"] = pd.Series(["item3 nothing item3", None, " item1  item2 ", "item29 " * 400], dtype="str").to_numpy()
    odd["price"] = [1e30, -1e30, np.nan, np.inf]
    odd["gift"] = pd.Series(["maybe", None, "yes", "no"], dtype="object").astype("category").to_numpy()
    odd["day"] = pd.to_datetime(
        ["1677-09-22", None, "2262-04-11 05:00", "2026-02-03 23:59:59"], format="ISO8601"
    ).to_numpy()
    return odd


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_rows_nobody_has_seen_the_like_of_are_read(entry):
    view, frame, _ = fitted(entry)
    x = view.encode(odd_rows(frame))
    assert x.shape == (4, *view.spec.shape) and not np.isinf(dense(x)).any()
    assert view.spec.values or not holes(x)  # a view that tells of values leaves missing ones to the model


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_the_same_training_rows_give_the_same_view(entry):
    (one, frame, _), (two, _, _) = fitted(entry), fitted(entry)
    assert one.spec == two.spec and same(one.encode(frame), two.encode(frame))
    assert one.state() == two.state()


@pytest.mark.slow
@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
@pytest.mark.parametrize("task", [e.name for e in TASKS.entries()])
def test_a_view_made_of_its_saved_state_is_the_fitted_one_bit_for_bit(entry, task):
    view, frame, _ = fitted(entry, task)
    files = view.state()
    again = entry.make.from_state(files)
    assert all(isinstance(data, bytes) and not data.startswith(b"\x80") for data in files.values())  # no pickle
    assert again.spec == view.spec and dict(again.types) == dict(view.types) and again.state() == files
    assert set(again.types) <= set(TYPES) and all(TYPES[name] == column for name, column in again.types.items())
    for rows in (frame, odd_rows(frame)):
        whole = dense(view.encode(rows))
        assert same(whole, again.encode(rows))
        alone = [dense(again.encode(rows.iloc[i : i + 1])) for i in range(len(rows))]
        assert same(whole, np.concatenate(alone))  # one row, one answer, whatever stands beside it


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_a_row_is_shown_with_every_column(entry):
    view, frame, _ = fitted(entry)
    row = as_files(frame.iloc[:1]).iloc[0].to_dict()
    shown = view.show(row)
    told = {**shown.fields, **shown.texts, **shown.pictures}
    seen = {name for name, column in view.types.items() if column.kind in ("text", "picture")}
    assert seen == {*shown.texts, *shown.pictures}  # what a person reads or looks at is drawn large
    assert set(told) | {"photo"} == set(row) and shown.fields["gift"] == row["gift"]
    assert set(shown.texts) <= {"words"} and all(shown.texts[name] == row[name] for name in shown.texts)
    assert set(shown.pictures) <= {"photo"} and all(file.startswith(b"\x89PNG") for file in shown.pictures.values())


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_columns_that_can_not_be_read_so_have_a_reason(entry):
    assert entry.facts["fits"](TYPES) is None
    assert entry.facts["fits"]({})
    assert entry.facts["example"].kind == entry.name and entry.facts["version"] >= 1
    assert entry.title and entry.facts["reads"]
