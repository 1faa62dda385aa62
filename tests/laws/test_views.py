"""What holds for every way to read rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from kd_core.data.types.base import ColumnType
from kd_core.data.views import VIEWS
from kd_core.task import TASKS

VIEWED = VIEWS.entries()
TYPES = {
    "price": ColumnType("number"),
    "colour": ColumnType("category"),
    "words": ColumnType("text"),
    "gift": ColumnType("boolean"),
    "day": ColumnType("datetime"),
}


def make_frame(rows=80, seed=0):
    rng = np.random.default_rng(seed)
    words = np.array(["a", "good", "small", "bag", "that", "keeps", "its", "shape", "and", "was", "late"])
    return pd.DataFrame(
        {
            "price": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "colour": pd.Series(rng.choice(["red", "blue"], rows), dtype="category"),
            "words": pd.Series([" ".join(rng.choice(words, 12)) for _ in range(rows)], dtype="str"),
            "gift": pd.Series(rng.choice(["yes", "no"], rows), dtype="category"),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), "D"),
        }
    )


def fitted(entry, task="multiclass", groups=None):
    frame = make_frame()
    view = entry.make(TYPES, task, 0)
    y = np.arange(len(frame)) % 3 if TASKS.get(task).make.has_classes else np.arange(len(frame)) * 0.5
    return view, frame, view.fit(frame, y, groups)


def dense(x):
    return x.toarray() if issparse(x) else x


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
@pytest.mark.parametrize("task", [e.name for e in TASKS.entries()])
def test_rows_are_what_the_spec_says(entry, task):
    view, frame, own = fitted(entry, task)
    spec, x = view.spec, view.encode(frame, own)
    assert spec.kind == entry.name and issparse(x) is spec.sparse
    assert x.shape == (len(frame), *spec.shape) and x.dtype == np.dtype(spec.dtype)
    assert np.isfinite(dense(x)).all()
    if spec.high:
        assert dense(x).min() >= 0 and dense(x).max() < spec.high
    example = spec.example(3)
    assert example.shape == (3, *spec.shape) and example.dtype == x.dtype


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_a_row_is_read_the_same_alone_and_among_others(entry):
    view, frame, _ = fitted(entry)
    whole = dense(view.encode(frame))
    alone = np.concatenate([dense(view.encode(frame.iloc[i : i + 1])) for i in range(10)])
    assert np.allclose(whole[:10], alone, atol=1e-6)


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_rows_nobody_has_seen_the_like_of_are_read(entry):
    view, frame, _ = fitted(entry)
    odd = frame.iloc[:4].copy()
    odd["colour"] = pd.Series(["green", None, "red", ""], dtype="object").astype("category").to_numpy()
    odd["words"] = pd.Series(["Ж" * 500, None, "", "\x00 😀"], dtype="str").to_numpy()
    odd["price"] = [1e30, -1e30, np.nan, 0.0]
    x = view.encode(odd)
    assert x.shape == (4, *view.spec.shape) and np.isfinite(dense(x)).all()


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_the_same_training_rows_give_the_same_view(entry):
    (one, frame, _), (two, _, _) = fitted(entry), fitted(entry)
    assert one.spec == two.spec and np.array_equal(dense(one.encode(frame)), dense(two.encode(frame)))
    assert one.state() == two.state()


@pytest.mark.parametrize("entry", VIEWED, ids=lambda e: e.name)
def test_columns_that_can_not_be_read_so_have_a_reason(entry):
    assert entry.facts["fits"](TYPES) is None
    assert entry.facts["fits"]({})
    assert entry.facts["example"].kind == entry.name and entry.facts["version"] >= 1
    assert entry.title and entry.facts["reads"]
