"""Several target columns of a file: each is read as its own task, none is a feature, and what is wrong names its column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare, profile_source
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from kd_core.task import task_of

KIND = "multitask"


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 240
    a, b = rng.normal(size=n), rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "a": a.round(4),
            "b": b.round(4),
            "bought": np.where(a + rng.normal(size=n) > 0, "yes", "no"),
            "minutes": (40 + 9 * b + rng.normal(size=n)).round(3),
            "shop": np.array(["north", "south", "west"])[rng.integers(0, 3, n)],
            "day": pd.date_range("2026-01-01", periods=n).astype(str),
        }
    )

    def write(**changes):
        frame.assign(**changes).to_csv(tmp_path / "t.csv", index=False)
        return str(tmp_path / "t.csv")

    return write


def spec(source, *targets, **more):
    return DatasetSpec(source=source, target=targets[0], more_targets=targets[1:], **more)


def test_each_target_is_of_its_own_task_and_no_feature(table, tmp_path):
    data = prepare(spec(table(), "bought", "minutes", "shop"), tmp_path)
    heads = task_of(data.task).heads
    assert [(h.name, h.task, h.classes) for h in heads] == [
        ("bought", "binary", ("no", "yes")),
        ("minutes", "regression", ()),
        ("shop", "multiclass", ("north", "south", "west")),
    ]
    assert data.columns == ("a", "b", "day")
    assert data.classes == ("bought: no", "bought: yes", "minutes", "shop: north", "shop: south", "shop: west")
    assert data.num_outputs == 6 and data.train.y.shape == (len(data.train), 3) and data.train.y.dtype == np.float64


def test_rows_without_any_target_are_left_out_and_those_with_some_are_kept(table, tmp_path):
    base = pd.read_csv(table())
    bought, minutes, shop = base["bought"].copy(), base["minutes"].copy(), base["shop"].copy()
    bought[:10], minutes[5:20], shop[5:12] = None, None, None
    source = table(bought=bought, minutes=minutes, shop=shop)
    data = prepare(spec(source, "bought", "minutes", "shop"), tmp_path)
    rows = sum(len(part) for part in data.parts.values())
    assert rows == 240 - 5  # rows 5 to 9 know nothing
    codes = {p.code: p for p in data.problems}
    assert codes["no_target_known"].count == 5 and codes["target_partly_known"].severity == "warning"
    assert not any(np.isnan(part.y).all(axis=1).any() for part in data.parts.values())


def test_a_task_can_be_asked_for_by_name(table, tmp_path):
    grades = np.random.default_rng(1).integers(1, 5, 240)
    source = table(minutes=grades)
    inferred = prepare(spec(source, "bought", "minutes"), tmp_path)
    asked = prepare(spec(source, "bought", "minutes", task=f"{KIND}:minutes=regression"), tmp_path)
    assert [h.task for h in task_of(inferred.task).heads] == ["binary", "multiclass"]
    assert [h.task for h in task_of(asked.task).heads] == ["binary", "regression"]


@pytest.mark.parametrize(
    ("more", "code", "column"),
    [
        ({"task": f"{KIND}:nobody=regression"}, "no_such_target", "nobody"),
        ({"drop": ("shop",)}, "target_role", "shop"),
        ({"group": "shop"}, "target_role", "shop"),
        ({"time": "shop"}, "target_role", "shop"),
        ({"part": "shop"}, "target_role", "shop"),
    ],
)
def test_a_target_has_no_second_role_and_tasks_are_of_targets(table, tmp_path, more, code, column):
    found = profile_source(table(), root=tmp_path, target="bought", more_targets=("minutes", "shop"), **more)
    assert (code, column) in {(p.code, p.column) for p in found.problems if p.severity == "error"}


def test_a_target_named_twice_is_an_error_that_names_it(table, tmp_path):
    for twice in (("bought", "minutes", "bought"), ("bought", "minutes", "minutes")):
        found = profile_source(table(), root=tmp_path, target=twice[0], more_targets=twice[1:])
        assert ("target_twice", twice[-1]) in {(p.code, p.column) for p in found.problems if p.severity == "error"}


def test_a_target_of_which_nothing_is_known_and_a_date_are_errors_that_name_them(table, tmp_path):
    with pytest.raises(DataError, match="minutes") as raised:
        prepare(spec(table(minutes=np.nan), "bought", "minutes"), tmp_path)
    assert raised.value.code == "target_all_missing"
    with pytest.raises(DataError, match="day") as raised:
        prepare(spec(table(), "bought", "day"), tmp_path)
    assert raised.value.code == "date_target"


def test_thirty_targets_are_read_and_more_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"y{i}": rng.normal(size=120).round(4) for i in range(31)} | {"x": rng.normal(size=120)})
    frame.to_csv(tmp_path / "wide.csv", index=False)
    names = [f"y{i}" for i in range(31)]
    data = prepare(spec(str(tmp_path / "wide.csv"), *names[:30]), tmp_path)
    assert data.num_outputs == 30 and data.columns == ("y30", "x")
    with pytest.raises(DataError, match="31 targets") as raised:
        prepare(spec(str(tmp_path / "wide.csv"), *names), tmp_path)
    assert raised.value.code == "too_many_targets"


def test_a_column_that_gives_one_target_away_is_told_with_that_target(table, tmp_path):
    base = pd.read_csv(table())
    source = table(copy=base["shop"].map({"north": 1.0, "south": 2.0, "west": 3.0}))
    found = profile_source(source, root=tmp_path, target="bought", more_targets=("minutes", "shop"))
    (leak,) = [p for p in found.problems if p.code == "leak_column"]
    assert leak.column == "copy" and "shop" in leak.message
