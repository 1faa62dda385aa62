"""Views that know the commonest names alone."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.data.view import HeldOut
from kd_core.data.views import VIEWS
from kd_core.data.views.table import TableView
from tests.data.views.test_table import typed


def shop(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    at = np.minimum(rng.geometric(0.03, rows), 120)
    columns = {
        "sku": [f"s{i}" for i in at],
        "words": [f"a thing of the number {i}" for i in at],
        "price": rng.normal(size=rows).round(2),
    }
    return columns, (rng.random(rows) < 0.2 + 0.6 * (at % 2)).astype(int)


@pytest.mark.parametrize("kind", ["table", "columns"])
def test_a_shortened_view_reads_names_left_out_as_names_never_seen(kind):
    types, frame = typed(shop()[0])
    whole = VIEWS.get(kind).make(types, "binary", 0)
    y = shop()[1]
    whole.fit(frame, y)
    every = whole.names, {name: len(whole.blocks[name].known) for name in ("sku", "words")}
    assert every[0] is None
    view = whole.shortened(600)
    view.fit(frame, y)
    kept = {name: counts[0] for name, counts in view.names.columns.items()}
    assert 0 < kept["words"] < kept["sku"] < every[1]["sku"] and view.names.bytes <= 600 < view.names.of_bytes
    known = list(view.blocks["sku"].known)
    assert known == list(whole.blocks["sku"].known)[: kept["sku"]]  # the commonest, in the same order
    left = frame[~frame["sku"].isin(known) & ~frame["words"].isin(list(view.blocks["words"].known))]
    strange = left.assign(sku="never seen", words="neither seen")
    assert len(left) and np.array_equal(view.encode(left), view.encode(strange))
    assert not np.array_equal(whole.encode(left), whole.encode(strange))
    again = type(view).from_state(view.state())
    assert np.array_equal(again.encode(frame), view.encode(frame)) and view.spec.shape == whole.spec.shape


def test_a_view_whose_names_all_fit_or_that_has_no_table_of_names_is_not_shortened():
    types, frame = typed(shop()[0])
    whole = TableView(types, "binary")
    whole.fit(frame, shop()[1])
    size = whole.shortened(0).names.of_bytes
    assert whole.shortened(size) is None and whole.shortened(size - 1) is not None
    few = TableView({"price": types["price"]}, "binary")
    few.fit(frame[["price"]], shop()[1])
    assert few.shortened(0) is None


def test_names_are_kept_by_their_rows_and_no_target_is_looked_at():
    types, frame = typed(shop()[0])
    y = shop()[1]
    one, other = TableView(types, "binary"), TableView(types, "binary")
    one.fit(frame, y)
    other.fit(frame, 1 - y[::-1])
    assert one.shortened(500).names == other.shortened(500).names


def test_a_shortened_view_forgets_held_out_targets():
    types, frame = typed(shop()[0])
    y, held = shop()[1], np.arange(600) < 150
    first = TableView(types, "binary")
    first.fit(frame, y)

    def without(labels):
        view = first.shortened(400)
        own = view.fit(frame, labels)
        parts = {"train": view.encode(frame, own), "validation": view.encode(frame[:50])}
        found = view.without(HeldOut(frame, np.arange(600), np.arange(50), labels, None, held, parts))
        return view, found

    view, (rest, _, x_held) = without(y)
    _, (_, _, other) = without(np.where(held, 1 - y, y))
    assert np.array_equal(x_held, other) and rest.shape == (450, view.spec.width)
    unknown = ~frame["sku"][held].isin(list(view.blocks["sku"].known)).to_numpy()
    assert len(np.unique(x_held[unknown][:, -4:-2], axis=0)) == 1  # of a fold's view too the rest is one


@pytest.mark.parametrize("most", [0, 40, 400])
def test_many_classes_keep_a_column_for_each_of_the_first_names_that_are_known(most):
    types, frame = typed({"sku": shop()[0]["sku"]})
    y = np.arange(600) % 20
    whole = TableView(types, "multiclass")
    whole.fit(frame, y)
    view = whole.shortened(most)
    x = view.fit_transform(frame, y)
    kept = view.names.columns["sku"][0]
    assert x.shape == (600, len(view.feature_names)) and x.shape[1] == min(kept, 24) + 2
    assert (x[:, :-1].sum(axis=1) == 1).all()
