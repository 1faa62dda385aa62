"""A target with several labels a row, and hostile files of it: every message says what, where, and what to do."""

import numpy as np
import pandas as pd
import pytest

from kd_core.data.profile import profile_table, understand_table
from kd_core.data.table import Table
from kd_core.limits import LABELS

ROWS = 240
NAMES = ["food", "books", "toys"]


def flags(seed=0, rows=ROWS):
    return (np.random.default_rng(seed).random((rows, 3)) < [0.5, 0.3, 0.2]).astype(int)


def table(cells=None, rows=ROWS, **more):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=rows).round(4).astype(str), **more})
    if cells is not None:
        frame["tags"] = pd.Series(cells, dtype="str").replace("", pd.NA)
    return Table(frame.astype("str"), "csv")


def lists(y=None, separator=";"):
    return [separator.join(n for n, v in zip(NAMES, row, strict=True) if v) for row in (flags() if y is None else y)]


def one(problems, code):
    (found,) = [p for p in problems if p.code == code]
    return found


def test_a_column_of_lists_becomes_a_table_of_0_and_1():
    found = understand_table(table(lists()), target="tags", task="multilabel")
    target = found.target
    assert target.classes == tuple(sorted(NAMES)) and target.task == "multilabel"
    order = [NAMES.index(n) for n in target.classes]
    assert (target.values == flags()[:, order]).all() and target.present.all()
    assert target.counts == tuple(flags()[:, order].sum(0)) == found.profile.class_counts
    said = one(found.profile.problems, "label_lists")
    assert "words between ;" in said.message and "3 labels in 240 rows" in said.message
    empty = int((flags().sum(1) == 0).sum())
    assert one(found.profile.problems, "rows_without_label").count == empty
    assert found.parts is not None and set(found.parts.tolist()) == {0, 1, 2}


def test_a_column_of_lists_is_proposed_by_itself():
    assert profile_table(table(lists())).task == "multilabel"
    assert profile_table(table(lists())).target == "tags"


def test_several_columns_of_yes_and_no_are_labels():
    y = flags()
    words = {"food": y[:, 0], "books": np.where(y[:, 1], "yes", "no"), "toys": np.where(y[:, 2], "True", "False")}
    found = understand_table(table(None, **words), target="food", more_targets=("books", "toys"))
    assert found.target.task == "multilabel" and found.target.classes == tuple(NAMES)
    assert (found.target.values == y).all()
    assert {c.name for c in found.features} == {"x"}, "a target is no feature of the others"
    assert found.profile.column("books").target_link is None


def test_a_row_where_one_is_missing_is_left_out_and_counted():
    y = flags().astype(object)
    y[3, 1] = y[9, 2] = ""
    words = {n: y[:, k] for k, n in enumerate(NAMES)}
    found = understand_table(table(None, **words), target="food", more_targets=("books", "toys"), task="multilabel")
    assert (~found.target.present).nonzero()[0].tolist() == [3, 9]
    known = np.delete(flags(), [3, 9], axis=0)
    assert found.target.counts == tuple(known.sum(0)) and (found.target.values[[3, 9]] == -1).all()
    assert {p.column: p.count for p in found.profile.problems if p.code == "target_missing"} == {"books": 1, "toys": 1}


def test_other_values_among_0_and_1_are_named_with_their_rows():
    y = flags().astype(object)
    y[4, 1] = "2"
    y[7, 1] = "<b>maybe</b>"
    words = {n: y[:, k] for k, n in enumerate(NAMES)}
    found = profile_table(table(None, **words), target="food", more_targets=("books", "toys"), task="multilabel")
    said = one(found.problems, "not_yes_no")
    assert said.column == "books" and said.rows == (5, 8) and "2, <b>maybe</b>" in said.message


def test_half_lists_and_half_text_is_refused_with_both_counts():
    cells = ['["food"]'] * 120 + ["food and books"] * 120
    said = one(profile_table(table(cells), target="tags", task="multilabel").problems, "mixed_lists")
    assert said.severity == "error" and "120 cells" in said.message and said.count == 120 and said.rows[0] == 121


def test_a_few_cells_that_are_no_lists_are_named():
    cells = ['["food", "books"]', '["food"]', '["toys"]', "[]"] * 60
    cells[10] = '["food", ["books"]]'
    said = one(profile_table(table(cells), target="tags", task="multilabel").problems, "not_lists")
    assert said.rows == (11,) and said.severity == "error"


def test_thousands_of_labels_are_refused_and_rare_ones_can_be_left_out():
    cells = [f"common;{'often;' if i % 2 else ''}{'third;' if i % 3 else ''}rare{i}" for i in range(5000)]
    cells[:10] = ["often"] * 10
    wide = table(cells, 5000)
    said = one(profile_table(wide, target="tags", task="multilabel").problems, "too_many_labels")
    assert f"at most {LABELS}" in said.message and "4,990 of them stand in fewer than 3 rows" in said.message
    kept = understand_table(wide, target="tags", task="multilabel", rare="drop")
    assert kept.target.classes == ("common", "often", "third")
    left = one(kept.profile.problems, "rare_labels")
    assert left.count == 4990 and "their rows stay" in left.message and kept.target.present.all()
    merged = understand_table(wide, target="tags", task="multilabel", rare="merge")
    assert merged.target.classes == ("common", "often", "third", "other") and merged.target.counts[3] == 4990


def test_a_label_of_no_row_or_of_every_row_is_too_rare_both_ways():
    y = flags()
    for value in (0, 1):
        words = {"food": y[:, 0], "books": y[:, 1], "toys": np.full(ROWS, value)}
        asked = {"target": "food", "more_targets": ("books", "toys"), "task": "multilabel"}
        said = one(profile_table(table(None, **words), **asked).problems, "small_label")
        assert said.severity == "error" and "toys" in said.message
        assert understand_table(table(None, **words), **asked, rare="drop").target.classes == ("food", "books")


def test_one_label_alone_is_no_target_of_several():
    said = one(profile_table(table(["a"] * 100 + [""] * 140), target="tags", task="multilabel").problems, "one_label")
    assert "1 label" in said.message


def test_texts_are_no_labels():
    cells = ["word " * 60 + f"{i}" for i in range(ROWS)]
    said = one(profile_table(table(cells), target="tags", task="multilabel").problems, "not_lists")
    assert "at most 200 characters" in said.hint


def test_a_positive_class_is_refused():
    found = profile_table(table(lists()), target="tags", task="multilabel", positive="food")
    assert one(found.problems, "positive_unused").severity == "error"


def test_a_column_that_gives_one_label_away_is_told():
    y = flags()
    found = profile_table(table(lists(y), hint=np.where(y[:, 0], "in", "out")), target="tags", task="multilabel")
    assert any(p.column == "hint" and "food" in p.message for p in found.problems if p.severity == "warning")


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_other_tasks_take_one_column(task):
    words = {n: flags()[:, k] for k, n in enumerate(NAMES)}
    found = profile_table(table(None, **words), target="food", more_targets=("books",), task=task)
    assert one(found.problems, "one_target").severity == "error"
