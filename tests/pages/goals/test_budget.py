"""A result and Export say whether the model keeps to the goals of its run, and of the person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.goals import budget, kept
from pages.ui.goals.candidates import Goals
from tests.pages.fixtures import done_run, store
from tests.pages.goals.test_goals import started_with
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def test_the_line_says_what_is_used_up_and_whether_the_loss_is_proven():
    found = store().folder(done_run()).result()
    low, high = found["students"][0]["versus_teacher"]["roc_auc"]["ci95"]
    asked = Goals("roc_auc", 0.9, {"size": 20_480.0, "latency": 1.0}, lost=-(low + high) / 2)
    said = str(budget.line(found, 0, asked))
    assert "Within your goals: 1.2 KB of 20 KB; 5 µs of 1.00 ms; " in said and "lost at most is not proven (" in said
    assert "lost at most is proven (" in str(budget.line(found, 0, replace(asked, lost=-low)))
    beyond = str(budget.line(found, 0, replace(asked, lost=-high - 0.001)))
    assert "Not within your goals: " in beyond and "; more than " in beyond
    small = str(budget.line(found, 0, Goals("roc_auc", 0.8, {"size": 1_000.0})))
    assert small.endswith("Not within your goals: 1.2 KB of 1000 B; ROC-AUC 0.889 on test rows, 0.800 asked.")
    assert budget.line(found, 0, Goals("")) is None


def test_a_result_and_export_show_it_for_a_run_that_was_started_with_goals():
    run = done_run()
    asked = {kept.data_of(store().get(run)): Goals("roc_auc", None, {"size": 20_480.0}, own=True)}
    at = open_page("runs", run=run)
    assert not at.exception and "your goals" not in words(at)
    at = open_page("runs", {kept.ASKED: asked}, run=run)
    assert not at.exception and "Within your goals: 1.2 KB of 20 KB." in words(at)
    assert kept.kept("", store().folder(started_with({"bytes": 9, "score": None})).result()).most == {"size": 9.0}
