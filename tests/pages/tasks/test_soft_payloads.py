"""What the browser gets of labels, numbers, lists and next items: the rows as they are, once, and nothing of a slider."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.types.base import ColumnType
from kd_core.evaluate import class_map
from kd_core.specs import Choice
from pages.ui.result.kept_rows import Kept
from pages.ui.soft import amounts, component, items, labels, lists

RNG = np.random.default_rng(0)


def kept(truth, width, rows=None, view=None):
    z = {arm: RNG.normal(size=(len(truth), width)).astype(np.float32) for arm in component.ARMS}
    frame = rows if rows is not None else pd.DataFrame({"x": np.arange(len(truth))})
    return Kept(np.arange(len(truth)) * 2, np.asarray(truth), z, frame, view)


def plain(data):
    """What is no array must be plain: a numpy scalar turns the whole payload into a text."""
    rest = {k: v for k, v in data.items() if not isinstance(v, np.ndarray | pd.DataFrame)}
    json.dumps(rest)
    return data


def test_labels_come_with_the_order_of_their_map_and_a_row_that_has_some():
    has = RNG.random((80, 4)) < 0.3
    has[0] = False
    one = kept(has.astype(int), 4)
    one.logits["student"][0] = -50 * one.logits["teacher"][0]  # widest apart, but without a label
    data = plain(labels.payload(one, "labels", list("abcd"), 2.0)[0])
    tree = class_map.tree(class_map.likeness(class_map.label_lift(labels.shares(one.logits["teacher"], 2.0), has)))
    assert data["order"] == tree.order.tolist() and data["floor"] == 0.025
    assert np.array_equal(data["labels"].reshape(80, 4), has) and has[data["opening"]].any()
    assert np.array_equal(data["teacher"], one.logits["teacher"].ravel())


def test_more_labels_than_a_browser_follows_are_fewer_rows(monkeypatch):
    monkeypatch.setattr(labels, "SHARES", 100)
    one = kept((RNG.random((80, 4)) < 0.3).astype(int), 4)
    data, _ = labels.payload(one, "few-labels", list("abcd"), None)
    assert len(data["ids"]) == 25 and data["ids"][-1] == one.row_ids[-1] + 1 and data["trained"] is None


def test_numbers_come_scaled_with_what_scales_them_back():
    found = {"artifacts": {"target_mean": [5.0], "target_std": 2.0}, "dataset": {"target": "price"}}
    one = kept(RNG.normal(size=30), 1)
    data = plain(amounts.payload(one, "amounts", found, 0.03)[0])
    assert (data["centre"], data["unit"], data["trained"], data["start"]) == (5.0, 2.0, 0.03, 0.03)
    assert 0.03 in data["temperatures"] and data["temperatures"][0] == 0.0
    apart = np.abs(one.logits["student"] - one.logits["teacher"])[:, 0]
    assert data["opening"] == apart.argmax() and data["truth"].dtype == np.float64


@pytest.mark.parametrize(
    ("own", "shared", "wanted"),
    [(None, "bounded_mse", 0.2), ("bounded_mse", "mse", 0.0), ("mse", "bounded_mse", None), (None, "mse", None)],
)
def test_the_margin_is_the_students_own(own, shared, wanted):
    settings = {"margin": 0.2} if shared == "bounded_mse" else {}
    spec = SimpleNamespace(students=[SimpleNamespace(objective=own)], objective=Choice(name=shared, settings=settings))
    assert amounts.margin_of(spec, 0) == wanted


def test_rows_of_a_list_lie_together_and_are_told_by_what_differs():
    code = np.array([1, 0, 1, 0, 1])
    rows = pd.DataFrame({"search": ["b", "a", "b", "a", "b"], "price": [1, 2, 3, 4, 5]})
    one = kept([0.0, 2.0, 1.0, 0.0, 3.0], 1, rows)
    ndcg = {"teacher": np.array([0.5, np.nan]), "student": np.array([0.9, 0.1]), "baseline": np.array([0.5, 0.5])}
    fields = {"price": ["1", "2", "3", "4", ""]}
    data, cells = lists.payload(one, "lists", code, ["a", "b"], ndcg, fields, 2.0)
    plain(data)
    assert data["starts"].tolist() == [0, 2, 5] and data["rows"].tolist() == [3, 7, 1, 5, 9]
    assert data["grades"].tolist() == [2, 0, 0, 1, 3] and data["documents"][:3] == ["price 2", "price 4", "price 1"]
    assert data["documents"][4] == "" and data["opening"] == 0  # a list of no relevant row is not begun with
    assert cells.fields == ("search",) and cells.cells["0"].tolist() == ["a", "b"]  # the same for all rows of a list


def test_items_come_with_the_names_that_a_list_has_and_histories_item_by_item():
    types = {"history": ColumnType("items", separator="|")}
    view = SimpleNamespace(types=types, show=lambda row: SimpleNamespace(fields=dict(row), texts={}, pictures={}))
    rows = pd.DataFrame({"history": ["a|b c| d", "b", None]})
    z = np.array([[7, 3, -0.1, -2.5, -9], [3, 7, -0.1, -2.5, -9], [5, 3, -0.1, -2.5, -9]], np.float32)
    one = Kept(np.arange(3), np.array([3, 3, -1]), dict.fromkeys(component.ARMS, z), rows, view)
    data, cells = items.payload(one, "items", [f"item {i}" for i in range(20)], 1.0)
    plain(data)
    assert data["items"] == ["item 3", "item 5", "item 7"] and data["at"] == {"3": 0, "5": 1, "7": 2}
    assert (data["catalogue"], data["kept_items"], data["opening"]) == (20, 2, 0)  # the right one is second
    assert cells.strips == ("history",) and cells.fields == () and cells.cells["0"].tolist() == ["a\nb c\nd", "b", ""]


def test_rows_that_a_teacher_did_not_answer_are_left_out_of_items():
    z = np.array([[7, 3, -0.1, -2.5, -9]] * 3, np.float32)
    z_teacher = z.copy()
    z_teacher[1] = np.nan
    one = Kept(np.arange(3), np.array([3, 3, 7]), {"teacher": z_teacher, "student": z, "baseline": z}, pd.DataFrame({"x": [1, 2, 3]}))  # fmt: skip
    assert items.payload(one, "some-items", [str(i) for i in range(9)], None)[0]["ids"].tolist() == [1, 3]
