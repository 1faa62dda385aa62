"""Goals on Compare: plain models are named beside the students, and numbers asked for are kept for other pages."""

from __future__ import annotations

import pytest

from pages.ui.result import comparison, goals
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def test_the_best_plain_model_is_named_beside_the_goals_and_in_the_table():
    run_id = done_run(students=("tiny",), plain="level")
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    (plain,) = comparison.plain_candidates([entry], "roc_auc")
    best = entry.student["reference"]["best"]
    assert plain.costs["size"] == best["bytes"] and plain.costs["latency"] == best["latency_ms"]["whole"]["1"]["p50"]
    at = open_page("compare", runs=run_id)
    at.number_input(key="goal-lost-roc_auc").set_value(9.0).run()
    said = words(at)
    assert not at.exception and f"Without a teacher: {plain.name}" in said.replace("\u2060", "")
    table = at.dataframe[0].value
    assert list(table["Student"]) == ["tiny", plain.name] and list(table["Run"])[1] == t("compare.plain")
    assert list(table["Goals"]) == ["yes", "yes"]
    at.number_input(key="goal-lost-roc_auc").set_value(0.0).run()
    assert "Without a teacher: " not in words(at)


def test_goals_in_numbers_are_kept_for_the_data_they_were_asked_of():
    at = open_page("compare", runs=done_run())
    assert goals.ASKED not in at.session_state  # against the teacher they are no numbers
    at.session_state["goal-way"] = "absolute"
    at.run()
    at.number_input(key="goal-most-size").set_value(20.0)
    at.number_input(key="goal-most-latency").set_value(1000.0).run()
    data, most = at.session_state[goals.ASKED]
    assert data == "visits → purchased" and most == {"size": 20_480.0, "latency": 1.0}
