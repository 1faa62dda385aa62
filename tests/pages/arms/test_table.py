"""The table of a result: what everybody asks for first, the rest folded, nothing lost."""

from __future__ import annotations

import pandas as pd

from pages.ui.arms import table
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page  # noqa: F401


def test_the_two_parts_are_the_whole_and_the_first_has_what_is_asked():
    found = result(plain="ahead")
    first, further = table.parts(found, 0)
    whole = table.comparison_frame(found, 0)
    pd.testing.assert_frame_equal(pd.concat([first, further]).loc[whole.index], whole)
    assert first.index[0] == whole.index[0] == "**ROC-AUC**"
    assert str(t("runs.result.file")) in first.index or str(t("runs.result.size")) in first.index
    assert sum(name.startswith("Latency p50") for name in first.index) == 1
    assert {str(t("runs.result.parameters")), str(t("runs.result.flops"))} <= set(further.index)
    assert len(first) <= 8


def test_the_page_folds_the_rest(jobs):  # noqa: F811
    run = done_run()
    assert len(open_page("runs", run=run).table) == 1  # a closed fold draws none of its cells
    at = open_page("runs", {"result-further": True}, run=run)
    first, further = (one.value for one in at.table[:2])
    assert len(first) < len(further)
    assert str(t("runs.result.further", num=len(further))) in [one.label for one in at.expander]


def test_where_yes_is_said_from_elsewhere_the_table_leads_with_that_threshold():
    found = result(plain="ahead")
    values = {
        n: {m: {"mean": 0.1 * i + 0.05 * j, "std": 0.01} for j, m in enumerate(table.MEASURED)}
        for i, n in enumerate(("half", "chosen"), 1)
    }
    block = {"used": True, "arms": {"student": values, "teacher": values}}
    found["students"][0]["threshold"] = block
    first, _ = table.parts(found, 0)
    title = str(t("runs.result.from_threshold", metric="Recall"))
    assert first.loc[title, "Student"] == first.loc[title, "Teacher"] == "0.250&nbsp;±&nbsp;0.010"
    assert first.loc[title, "Baseline"] == "–"
    halves = {"Precision, at 50 %", "Recall, at 50 %"}
    assert not halves & set(first.index) and halves & set(table.comparison_frame(found, 0).index)
    block["used"] = False
    assert title not in table.comparison_frame(found, 0).index


def test_what_hangs_on_a_threshold_says_which_and_only_for_yes_or_no():
    found = result()
    for arm in (found["teacher"], found["students"][0], found["students"][0]["baseline"]):
        arm["metrics"]["recall"] = arm["metrics"]["accuracy"]
    names = set(table.comparison_frame(found, 0).index)
    assert {"Accuracy, at 50 %", "Recall, at 50 %", "**ROC-AUC**"} <= names and not {"Accuracy", "Recall"} & names
    assert {"Accuracy, at 50 %", "Recall, at 50 %"} <= set(table.parts(found, 0)[0].index)
    found["task"] = "multiclass"
    assert {"Accuracy", "Recall"} <= set(table.comparison_frame(found, 0).index)
