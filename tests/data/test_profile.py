import numpy as np
import pandas as pd
import pytest

from kd_core.data.profile import histogram, profile_table
from kd_core.data.table import Table
from kd_core.errors import Problem
from tests.data.tables import clean, codes, one, table


def test_understands_a_table_without_help():
    found = profile_table(table(clean()))
    assert (found.target, found.task, found.classes, found.positive) == ("bought", "binary", ("no", "yes"), "yes")
    assert found.num_rows == 600
    assert [c.kind for c in found.columns] == ["number", "number", "category", "number", "boolean"]
    assert sum(found.class_counts) == 600
    assert found.column("age").minimum < 20 < found.column("age").maximum
    assert found.column("channel").histogram[0] == ("mail", "search", "social")
    assert sum(found.column("channel").histogram[1]) == 600
    assert found.frame["age"].dtype == "float64"
    assert isinstance(found.frame["bought"].dtype, pd.CategoricalDtype)
    assert "bought looks like the target." in str(one(found.problems, "target_inferred"))
    assert found.understood == {"separator": "comma"}


def test_links_rank_columns_by_what_they_tell():
    found = profile_table(table(clean(2000)), target="bought")
    link = {c.name: c.target_link for c in found.columns}
    assert link["bought"] is None
    assert link["age"] > 0.2 > link["noise"]
    assert link["channel"] > link["noise"]


def test_everything_can_be_overridden():
    data = clean() | {"visitor": np.repeat(np.arange(200), 3), "day": [f"2024-01-{i % 28 + 1:02d}" for i in range(600)]}
    found = profile_table(
        table(data),
        target="channel",
        task="multiclass",
        kinds={"age": "category"},
        drop=["noise"],
        group="visitor",
        time="day",
    )
    assert (found.target, found.task, found.classes) == ("channel", "multiclass", ("mail", "search", "social"))
    assert found.column("age").kind == "category"
    assert (found.column("noise").used, found.column("noise").why_dropped) == (False, "dropped by hand")
    assert found.column("visitor").why_dropped == "groups the rows; not a feature"
    assert found.column("day").used
    assert "random_over_time" not in codes(found.problems)


def test_unknown_columns_and_roles_are_all_named_at_once():
    found = profile_table(table(clean()), target="bougth", drop=["nois", "age"], kinds={"x": "number"}, group="grp")
    texts = [str(p) for p in found.problems if p.code == "unknown_column"]
    assert len(texts) == 4
    assert texts[0].startswith("No column 'bougth' (target). Did you mean 'bought'? Columns: age, spend,")
    assert "no_target" not in codes(found.problems)
    clash = profile_table(table(clean()), target="bought", drop=["bought"])
    assert str(one(clash.problems, "target_role")).startswith("bought is the target and dropped at once.")


def test_problems_of_the_reader_are_kept_and_errors_come_first():
    base = table(clean())
    read = Table(base.frame, "csv", problems=(Problem("note", "joined", "2 files joined."),))
    found = profile_table(read, target="none_such")
    assert found.problems[0].severity == "error"
    assert "joined" in codes(found.problems)


def test_missing_cells_are_told_once_with_rows():
    data = clean()
    for name in ("age", "channel"):
        data[name] = data[name].astype(object)
        data[name][[4, 9]] = ""
    found = profile_table(table(data), target="bought")
    text = str(one(found.problems, "missing_cells"))
    assert text.startswith("2 rows have 4 empty cells in age, channel (rows 5, 10).")
    assert "filled with the median" in text and "In channel, missing counts as a value of its own." in text


@pytest.mark.parametrize(
    ("rows", "told"),
    [([4, 9], "2 rows have an empty cell in age (rows 5, 10)."), ([4], "1 row has an empty cell in age (row 5).")],
)
def test_of_one_column_rows_are_counted_and_not_its_cells_as_well(rows, told):
    data = clean()
    data["age"] = data["age"].astype(object)
    data["age"][rows] = ""
    assert str(one(profile_table(table(data), target="bought").problems, "missing_cells")).startswith(told)


def test_codes_are_told_once_and_not_after_a_choice():
    rng = np.random.default_rng(0)
    p = np.array([0.2, 0.4, 0.03, 0.2, 0.04, 0.13])
    data = clean(3000) | {k: rng.choice(6, 3000, p=p) + 1 for k in ("browser", "region")}
    found = profile_table(table(data), target="bought")
    assert str(one(found.problems, "numeric_codes")).startswith("browser, region look numeric but take 6 whole values")
    chosen = profile_table(table(data), target="bought", kinds={"browser": "number", "region": "category"})
    assert "numeric_codes" not in codes(chosen.problems)


def test_an_id_set_by_hand_is_not_warned_about():
    found = profile_table(table(clean()), target="bought", kinds={"noise": "id"})
    assert found.column("noise").why_dropped == "set by hand"
    assert "id_column" not in codes(found.problems)


def test_nothing_to_learn_from():
    found = profile_table(table({"id": range(100), "same": ["x"] * 100, "y": ["a", "b"] * 50}), target="y")
    text = str(one(found.problems, "no_features"))
    assert "No column is left to predict from. id: it counts the rows; same: always the same value" in text


def test_no_rows_and_nothing_to_predict():
    found = profile_table(table({"a": ["x"] * 5}))
    assert "5 data rows; at least 30 are needed." in str(one(found.problems, "too_few_rows"))
    assert "No column to predict is chosen." in str(one(found.problems, "no_target"))


def test_group_with_two_values_is_a_listed_problem():
    data = clean() | {"half": np.repeat(["a", "b"], 300)}
    found = profile_table(table(data), target="bought", group="half")
    assert "The group column has 2 values" in str(one(found.problems, "too_few_groups"))


def test_time_may_be_a_number():
    data = clean() | {"week": np.arange(600) // 10}
    found = profile_table(table(data), target="bought", time="week")
    assert found.column("week").kind == "number"
    assert not [p for p in found.problems if p.severity == "error"]


def test_time_set_to_a_type_without_order_is_a_listed_problem():
    found = profile_table(table(clean()), target="bought", time="channel", kinds={"channel": "category"})
    text = str(one(found.problems, "not_a_time"))
    assert text.startswith("The time column channel is read as category, which has no order in time.")


@pytest.mark.parametrize(
    ("values", "bars", "total"),
    [
        (pd.Series(np.random.default_rng(0).normal(size=500)), 20, 500),
        (pd.Series([1.0, 2.0, 2.0, np.nan]), 2, 3),
        (pd.Series([f"v{i % 40}" for i in range(400)], dtype="category"), 20, 400),
        (pd.Series(pd.date_range("2024-01-01", periods=60)), 20, 60),
        (pd.Series(["some words", "more of the words"], dtype="str"), 20, 2),
        (pd.Series([np.nan, np.nan]), 0, 0),
    ],
)
def test_histogram_counts_every_value_once(values, bars, total):
    labels, counts = histogram(values)
    assert len(labels) == len(counts) == bars
    assert sum(counts) == total
