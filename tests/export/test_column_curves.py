"""What columns add to an additive student's answers: the parts of a row are its answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.data.preparation import prepare
from kd_core.distill.preparing import prepare as fitted
from kd_core.export.column_curves import MOST_LABELS, column_curves
from kd_core.models.building import build_for, viewed
from kd_core.specs import Choice, DatasetSpec
from kd_core.training.predict import predict

ADDITIVE = Choice(name="additive")
TARGETS = {"binary": "bought", "multiclass": "colour", "regression": "spent"}


def shop(path, task):
    """Numbers with and without holes, a flag, categories of few and many values, a date; times with hours."""
    rng = np.random.default_rng(4)
    rows = 500
    age = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40, 9, rows).round(1))
    frame = pd.DataFrame(
        {
            "age": age,
            "visits": rng.integers(0, 6, rows),
            "price": rng.lognormal(3, 1, rows).round(2),
            "member": np.where(rng.random(rows) < 0.05, None, rng.choice(["yes", "no"], rows)),
            "town": rng.choice(["Rome", "Oslo", "Bern"], rows),
            "shop": [f"s{i % 40}" for i in range(rows)],
            "seen": (pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "h")).astype(str),
        }
    )
    answer = frame["price"] / 20 + frame["visits"] + rng.normal(0, 1, rows)
    frame["bought"] = np.where(answer > answer.median(), "yes", "no")
    frame["colour"] = pd.qcut(answer, 3, labels=["red", "green", "blue"]).astype(str)
    frame["spent"] = (answer * 7 + 100).round(3)
    frame[[*frame.columns[:7], TARGETS[task]]].to_csv(path, index=False)
    return prepare(DatasetSpec(source=str(path), target=TARGETS[task], task=task))


def student(dataset, arch=ADDITIVE):
    torch.manual_seed(0)
    module = build_for(dataset, arch)
    if arch.name == "additive":
        fitted(module, dataset, arch, None)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn(weight.shape))
    return module.eval()


def read(pair, cells):
    """Read what a pair adds: straight between numbers, at their points for labels."""
    table = np.array(pair["added"])
    for side, cell in zip(pair["sides"], cells, strict=True):  # one side after the other becomes a row of numbers
        if side["kind"] == "number":
            value = side["missing_as"] if pd.isna(cell) else float(cell)
            flat = table.reshape(len(table), -1)
            table = np.array([np.interp(value, side["values"], c) for c in flat.T]).reshape(table.shape[1:])
        else:
            table = table[side["values"].index(None if pd.isna(cell) else str(cell))]
    return table


def added(told, rows):
    """Add up what the columns of rows are told to give, as a reader of the file would."""
    total = np.tile(np.array(told["level"]), (len(rows), 1))
    for pair in told.get("pairs", ()):
        for at in range(len(rows)):
            total[at] += read(pair, [rows[name].iloc[at] for name in pair["columns"]])
    for one in told["columns"]:
        cells, missing = rows[one["column"]], np.array(one["missing"][0])
        curve = np.array(one["added"])
        for at, cell in enumerate(cells):
            if pd.isna(cell):
                total[at] += missing
            elif one["kind"] == "number":
                total[at] += [np.interp(float(cell), one["values"], column) for column in curve.T]
            else:
                total[at] += curve[one["values"].index(str(cell))]
    return total


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_parts_of_a_row_add_up_to_its_answer(tmp_path, task):
    dataset = shop(tmp_path / "t.csv", task)
    module, rows = student(dataset), viewed(dataset, ADDITIVE)
    told = column_curves(module, dataset, rows)
    json.dumps(told, allow_nan=False)
    assert {one["column"]: one["kind"] for one in told["columns"]} == {
        **dict.fromkeys(["age", "visits", "price"], "number"),
        **dict.fromkeys(["member", "town", "shop"], "labels"),
        "seen": "time",
    }
    wide = [one["influence"] for one in told["columns"]]
    assert wide == sorted(wide, reverse=True) and min(wide) > 0
    parts = {one["column"]: one for one in told["columns"]}
    assert parts["shop"]["more"] == 40 - MOST_LABELS == 40 - len(parts["shop"]["values"])
    assert len(parts["seen"]["values"]) <= 300 and parts["seen"]["values"] == sorted(parts["seen"]["values"])
    cells = dataset.rows.iloc[dataset.test.row_ids]
    cells = cells[cells["shop"].isin(parts["shop"]["values"])].assign(seen=None)
    assert len(cells) > 20 and cells["age"].isna().any()

    def answers(frame):
        z = predict(module, rows.view.encode(frame)).astype(float)
        if task == "binary":
            return z[:, 1:] - z[:, :1]
        if task == "multiclass":
            return z - z.mean(axis=1, keepdims=True)
        return z * dataset.target_std + dataset.target_mean

    assert sorted(told["answers"]) == {"binary": ["yes"], "multiclass": ["blue", "green", "red"]}.get(task, ["spent"])
    alone = answers(cells)
    within = 1e-5 * max(1.0, np.abs(alone).max())
    np.testing.assert_allclose(added(told, cells), alone, atol=within)
    for stamp, part in list(zip(parts["seen"]["values"], parts["seen"]["added"], strict=True))[::40]:
        more = answers(cells.assign(seen=stamp.replace("T", " "))) - alone
        np.testing.assert_allclose(
            more, np.tile(np.array(part) - parts["seen"]["missing"][0], (len(more), 1)), atol=within
        )


def test_a_student_of_other_kind_has_none(tmp_path):
    dataset = shop(tmp_path / "t.csv", "binary")
    linear = Choice(name="piecewise", settings={"size": "tiny"})
    assert column_curves(student(dataset, linear), dataset, viewed(dataset, linear)) is None


PAIRS = Choice(name="additive", settings={"pairs": 4})
# age x price, member x town, visits x member, shop x price: by features
CHOSEN = ("age", "price"), ("member", "town"), ("visits", "member"), ("price", "shop")


@pytest.fixture
def some_pairs(monkeypatch):
    """Let these pairs be chosen, whatever they tell."""

    def chosen(dataset, pairs=CHOSEN):
        first, at = {}, 0
        for name, block in viewed(dataset, PAIRS).view.blocks.items():
            first[name], at = at, at + len(block.names)
        told = [tuple(sorted(first[n] for n in pair)) for pair in pairs]
        monkeypatch.setattr("kd_core.models.pairs.fitting.strongest", lambda x, g, w, most: told[:most])

    return chosen


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_parts_of_a_row_and_of_its_pairs_add_up_to_its_answer(tmp_path, task, some_pairs):
    dataset = shop(tmp_path / "t.csv", task)
    some_pairs(dataset)
    module, rows = student(dataset, PAIRS), viewed(dataset, PAIRS)
    told = column_curves(module, dataset, rows)
    json.dumps(told, allow_nan=False)
    assert {tuple(sorted(p["columns"])) for p in told["pairs"]} == {tuple(sorted(p)) for p in CHOSEN}
    wide = [one["influence"] for one in told["pairs"]]
    assert wide == sorted(wide, reverse=True) and min(wide) > 0
    shops = next(one for one in told["columns"] if one["column"] == "shop")["values"]
    cells = dataset.rows.iloc[dataset.test.row_ids]
    cells = cells[cells["shop"].isin(shops)].assign(seen=None)
    assert len(cells) > 20 and cells["age"].isna().any() and cells["member"].isna().any()
    z = predict(module, rows.view.encode(cells)).astype(float)
    alone = {
        "binary": z[:, 1:] - z[:, :1] if z.shape[1] > 1 else z,
        "multiclass": z - z.mean(axis=1, keepdims=True),
        "regression": z * dataset.target_std + dataset.target_mean,
    }[task]
    np.testing.assert_allclose(added(told, cells), alone, atol=2e-5 * max(1.0, np.abs(alone).max()))


def test_what_a_column_does_alone_stands_in_its_curve_and_not_in_its_pairs(tmp_path, some_pairs):
    dataset = shop(tmp_path / "t.csv", "regression")
    some_pairs(dataset, [("age", "price"), ("visits", "member")])
    told = column_curves(student(dataset, PAIRS), dataset, viewed(dataset, PAIRS))
    pair = next(p for p in told["pairs"] if "member" in p["columns"])
    if pair["columns"][0] != "visits":
        pair = {**pair, "sides": pair["sides"][::-1], "added": np.swapaxes(pair["added"], 0, 1)}
    visits, member = (pair["sides"][k]["values"] for k in (0, 1))
    rows = dataset.rows.iloc[dataset.train.row_ids]
    count = np.array(
        [
            [
                (
                    ((rows.visits - v).abs() < 1e-3)
                    & (rows.member.isna() if m is None else rows.member.astype(str) == m)
                ).sum()
                for m in member
            ]
            for v in visits
        ]
    )
    table = np.array(pair["added"])[..., 0]
    assert count.sum() == len(rows) and np.abs(table).max() > 1
    for axis in (0, 1):
        assert np.abs((count * table).sum(axis) / count.sum(axis)).max() < 1e-3 * np.abs(table).max()


def test_pairs_with_times_are_told_at_some_of_them_and_parts_of_one_time_are_its_own(tmp_path, some_pairs):
    dataset = shop(tmp_path / "t.csv", "binary")
    some_pairs(dataset, [("price", "seen")])
    module, rows = student(dataset, PAIRS), viewed(dataset, PAIRS)
    told = column_curves(module, dataset, rows)
    (pair,) = told["pairs"]
    assert {s["kind"] for s in pair["sides"]} == {"number", "time"} and pair["influence"] > 0
    times = next(s["values"] for s in pair["sides"] if s["kind"] == "time")
    assert 2 <= len(times) <= 25 and times == sorted(times)
    some = [f for f, n in enumerate(n for b in rows.view.blocks.values() for n in b.names)]
    at = len(some) - len(rows.view.blocks["seen"].names)
    some_pairs(dataset, [])
    import kd_core.models.pairs.fitting as found

    found.strongest = lambda x, g, w, most: [(at, at + 1)]  # put back by the fixture
    module = student(dataset, Choice(name="additive", settings={"pairs": 1}))
    told = column_curves(module, dataset, rows)
    assert told["pairs"] == [] and len(module.pairs()) == 1
