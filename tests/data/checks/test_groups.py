"""Columns that can stand for the group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.data.checks.groups import FEWEST, stand_ins
from kd_core.data.profile import understand_table
from tests.data.checks.test_leaks import table

GROUPS = 200
of = np.repeat(np.arange(GROUPS), 4)


def found(column, groups=of, **more):
    data = {
        "basket": [f"b{g}" for g in groups],
        "given": column,
        "noise": np.random.default_rng(0).normal(size=len(groups)),
        **more,
    }
    data["bought"] = np.where(np.random.default_rng(1).random(len(groups)) < 0.4, "yes", "no")
    made = understand_table(table(data), target="bought", group="basket")
    return [p for p in made.profile.problems if p.code == "group_named"]


def when(groups):
    return [str(t) for t in pd.Timestamp("2024-01-01") + pd.to_timedelta(37 * np.asarray(groups), "min")]


@pytest.mark.parametrize(
    "column", [when(of), (of * 7.25 + 0.125), [f"till {g}" for g in of]], ids=["date", "number", "label"]
)
def test_one_value_a_group_and_one_group_a_value_is_named(column):
    (problem,) = found(column)
    assert problem.column == "given" and problem.severity == "warning"
    assert str(problem).startswith(
        "given can stand for basket: it is the same in the rows of one basket, and 200 values tell 200 of them apart."
    )


def test_values_that_groups_share_or_that_change_within_one_are_not():
    assert found(when(of % 150)) == []  # 150 values of 200 groups
    assert len(found(when(of % 160))) == 1
    changing = np.array(when(of), dtype=object)
    changing[:16:4] = "2030-01-01 00:00:00"  # in 4 of 200
    assert len(found(changing.tolist())) == 1
    changing[:20:4] = "2030-01-01 00:00:00"
    assert found(changing.tolist()) == []


def test_few_groups_and_groups_of_hardly_a_row_are_left_alone():
    few = np.repeat(np.arange(FEWEST - 1), 20)
    assert found(when(few), few) == []
    lone = np.concatenate([np.arange(300), np.arange(100)])
    assert found(when(lone), lone) == []


def test_an_empty_cell_says_nothing_about_its_group():
    holes = [v if i % 4 else "" for i, v in enumerate(when(of))]
    assert len(found(holes)) == 1


def test_the_group_itself_is_not_told():
    made = understand_table(
        table({"basket": of, "a": of % 7, "bought": np.where(of % 3 == 0, "yes", "no")}),
        target="bought",
        group="basket",
    )
    assert stand_ins(list(made.features), made.typed["basket"]) == []
