import numpy as np
import pandas as pd
import pytest

from kd_core.data.targets import infer_task, read_target
from kd_core.data.types.typed_column import understand
from tests.data.tables import codes, one


def column(values, name="t", **more):
    return understand(pd.Series([str(v) for v in values], dtype="str"), name, **more)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 20, "binary"),
        (["0", "1"] * 20, "binary"),
        (["1.5", "2.5"] * 20, "binary"),
        (["a", "b", "c"] * 20, "multiclass"),
        ([1, 2, 3, 4, 5] * 20, "multiclass"),
        (np.linspace(0, 1, 60), "regression"),
        (range(5, 205, 2), "regression"),
        ([0.5, 1, 1.5, 2, 2.5] * 20, "regression"),
    ],
)
def test_infers_the_task(values, task):
    assert infer_task(column(values)) == task
    assert read_target(column(values)).task == task


@pytest.mark.parametrize(
    ("values", "asked", "positive", "classes"),
    [
        (["TRUE"] * 30 + ["FALSE"] * 10, None, "TRUE", ("FALSE", "TRUE")),
        (["a"] * 30 + ["z"] * 10, None, "z", ("a", "z")),
        (["a"] * 10 + ["z"] * 30, None, "a", ("z", "a")),
        (["a"] * 10 + ["z"] * 30, "z", "z", ("a", "z")),
        (["1"] * 30 + ["0"] * 10, None, "1", ("0", "1")),
        (["1.0"] * 30 + ["0.0"] * 10, "1.0", "1", ("0", "1")),
        (["Yes"] * 30 + ["No"] * 10, "yes", "Yes", ("No", "Yes")),
    ],
)
def test_positive_class_is_the_second(values, asked, positive, classes):
    found = read_target(column(values), positive=asked)
    assert not codes(found.problems)
    assert (found.positive, found.classes) == (positive, classes)
    assert found.counts == tuple(int((found.values == i).sum()) for i in (0, 1))
    assert found.classes[found.values[0]] == column(values).values.astype("str")[0]


def test_unknown_positive_class_is_named_with_the_nearest():
    found = read_target(column(["buyer", "visitor"] * 20), positive="byer")
    assert str(one(found.problems, "unknown_class")) == (
        "No class 'byer' in target t. Did you mean 'buyer'? Classes: buyer, visitor."
    )
    three = read_target(column(["a", "b", "c"] * 20), positive="a")
    assert "A positive class (a) needs 2 classes; t has 3." in str(one(three.problems, "positive_unused"))
    number = read_target(understand(pd.Series(np.linspace(0, 9, 60)), "t"), "regression", positive="1")
    assert "A positive class (1) needs 2 classes; t is predicted as a number." in str(
        one(number.problems, "positive_unused")
    )


def test_numbers_as_classes_are_in_numeric_order():
    found = read_target(column([10, 9, 1] * 20), task="multiclass")
    assert found.classes == ("1", "9", "10")
    assert found.values[:3].tolist() == [2, 1, 0]


def test_rows_without_target_are_counted_and_marked():
    found = read_target(column(["a", "b", ""] * 20))
    assert "Target t is missing in 20 rows (rows 3, 6, 9, 12, 15, …)." in str(one(found.problems, "target_missing"))
    assert found.present.sum() == 40
    assert (found.values == -1).sum() == 20


def test_too_few_rows_and_dates():
    assert "29 rows with a target; at least 30 are needed" in str(
        one(read_target(column(["a", "b", "b"] * 9 + ["a", "b"])).problems, "too_few_rows")
    )
    dated = column([f"2024-01-{i % 28 + 1:02d}" for i in range(50)])
    assert "Target t is a date." in str(one(read_target(dated).problems, "date_target"))


def test_not_binary():
    found = read_target(column(["a", "b", "c"] * 20), task="binary")
    assert "Target t has 3 classes, a binary task has 2." in str(one(found.problems, "not_binary"))


def test_regression_needs_numbers_that_differ():
    words = read_target(column(["a", "b"] * 20), task="regression")
    assert "40 values are no numbers" in str(one(words.problems, "target_not_numeric"))
    same = read_target(column(["5"] * 40), task="regression")
    assert "Target t is always 5." in str(one(same.problems, "constant_target"))
    flags = read_target(column(["0", "1"] * 20), task="regression")
    assert flags.values[:2].tolist() == [0.0, 1.0]


def test_continuous_target_as_classification():
    rng = np.random.default_rng(0)
    found = read_target(column(rng.normal(size=900).round(2)), task="multiclass")
    assert "looks like regression" in str(one(found.problems, "looks_like_regression"))
    assert codes(found.problems) == ["looks_like_regression"]
    few = read_target(column(rng.integers(0, 30, 3000) / 2), task="multiclass")
    assert one(few.problems, "looks_like_regression").severity == "warning"


def test_small_classes_are_told_together():
    found = read_target(column(["a", "b"] * 20 + ["x", "y", "y"]))
    assert "2 classes are too small: x (1 row), y (2 rows); each needs >= 3 rows (rows 41, 42, 43)." in str(
        one(found.problems, "small_class")
    )
