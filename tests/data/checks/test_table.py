import numpy as np
import pandas as pd

from kd_core.data.checks import table as checks
from kd_core.data.profile import profile_table
from kd_core.data.targets import near, read_target
from kd_core.data.types.typed_column import understand
from kd_core.errors import Problem
from tests.data.tables import clean, codes, one, table


def test_errors_come_first_and_the_rest_keeps_its_order():
    made = [Problem(s, c, "") for s, c in (("note", "a"), ("warning", "b"), ("error", "c"), ("note", "d"))]
    assert [p.code for p in checks.ordered(made)] == ["c", "b", "a", "d"]


def test_unknown_columns_name_the_role_and_what_there_is():
    names = [f"c{i}" for i in range(25)]
    found = checks.unknown_columns({"target": ["C3"], "drop": ["c1", None]}, names)
    assert len(found) == 1
    assert found[0].message == "No column 'C3' (target)."
    assert found[0].hint.startswith("Did you mean 'c3'? Columns: c0, c1,")
    assert found[0].hint.endswith("c19 and 5 more.")


def test_two_roles_of_the_target():
    found = checks.role_problems("y", ["y"], "y", None)
    assert [p.message for p in found] == [
        "y is the target and dropped at once.",
        "y is the target and the group column at once.",
    ]
    assert checks.role_problems(None, [], None, None) == []


def test_near():
    assert near("revenu", ["Revenue", "Month"]) == "Did you mean 'Revenue'? "
    assert near("qqq", ["Revenue"]) == ""


def test_classes_that_a_part_does_not_hold():
    y = read_target(understand(pd.Series(["a", "b", "c"] * 20, dtype="str"), "y"))
    parts = np.where(y.values == 0, 2, np.where(y.values == 1, 1, 0)).astype(np.int8)
    found = checks.split_problems(y, parts)
    assert [(p.severity, p.code) for p in found] == [
        ("error", "class_not_in_train"),
        ("warning", "class_not_in_validation"),
        ("warning", "class_not_in_test"),
        ("warning", "small_test"),
    ]
    assert found[0].message == "The train part holds no row of 2 classes: a, b."


def _labelled(yes: int, no: int, task=None):
    return read_target(understand(pd.Series(["yes"] * yes + ["no"] * no, dtype="str"), "fraud"), task)


def test_a_rare_class_and_a_small_test_part_are_told():
    y = _labelled(20, 1980)
    parts = np.where(np.arange(2000) % 20 == 0, 2, 0).astype(np.int8)
    (rare,) = checks.split_problems(y, parts)[1:]
    assert str(rare) == (
        "Only 20 of 2,000 rows (1 %) have fraud = yes, 1 of them in the test part: a model that never answers yes is right in 99.0 %. "
        "Judge by PR-AUC and recall, not by accuracy; class weights 'balanced' make students look for rare rows. "
        "Where few rows say yes, the threshold from which an answer is yes is chosen on validation rows."
    )
    y, parts = _labelled(200, 200), np.where(np.arange(400) % 8 == 0, 2, np.arange(400) % 2).astype(np.int8)
    (small,) = checks.split_problems(y, parts)
    assert (small.severity, small.code) == ("warning", "small_test")
    assert small.message.startswith("The test part holds only 50 rows: one row is 2.0 points of accuracy.")


def test_enough_rows_of_both_classes_draw_no_warning():
    y, parts = _labelled(500, 1500), (np.arange(2000) % 3).astype(np.int8)
    assert checks.split_problems(y, parts) == []


def test_words_for_missing_are_said_once_with_their_columns():
    data = clean() | {"work": ["?", "Private", "State"] * 200, "grade": ["-", "A", "B"] * 200}
    data["age"] = ["N/A", *data["age"][1:]]
    found = profile_table(table(data), target="bought")
    said = one(found.problems, "missing_words")
    assert said.severity == "warning"  # visible, not folded away
    assert (
        str(said) == "201 cells with a word for missing in 2 columns: age (N/A: 1), work (?: 200). Counted as missing."
    )
    assert (said.count, said.column, said.values["columns"]) == (201, None, ["age", "work"])
    kept = one(found.problems, "missing_words_kept")
    assert str(kept) == "Kept as a value, not read as missing: - in grade. Say so if it marks a missing cell."
    switched = profile_table(table(data), target="bought", missing={"work": False, "grade": True})
    assert "age (N/A: 1), grade (-: 200)" in str(one(switched.problems, "missing_words"))
    assert "? in work" in str(one(switched.problems, "missing_words_kept"))
    assert switched.column("work").missing == 0 and switched.column("grade").missing == 200
    wrong = profile_table(table(data), target="bought", missing={"wrk": True})
    assert "No column 'wrk' (missing). Did you mean 'work'?" in str(one(wrong.problems, "unknown_column"))


def test_words_of_columns_that_are_not_used_are_not_said():
    data = clean() | {"work": ["?", "Private", "State"] * 200}
    assert "missing_words" not in codes(profile_table(table(data), target="bought", drop=["work"]).problems)
