"""The list of runs."""

from __future__ import annotations

import pytest

from kd_core.safe_io import write_json
from pages.ui.runs import run_list
from pages.ui.shared import text
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, make_run, spec, store
from tests.pages.screen import Jobs, jobs, open_page, words  # noqa: F401
from tests.pages.test_runs import labels


def test_without_runs_one_button_leads_to_distill(buttons):
    at = open_page("runs")
    assert not at.exception
    assert t("runs.empty") in words(at)
    assert t("runs.empty_button") in labels(at)
    assert not at.dataframe


def test_the_list_shows_state_scores_gain_and_verdict_without_reading_results(buttons, monkeypatch):
    done_run(students=("tiny", "small"))
    make_run("failed", error={"code": "x", "message": "No.", "hint": "", "error_id": "e1"})
    from kd_core.runs.store.folder import RunFolder

    def refuse(self):
        raise AssertionError("the list must not read result files")

    monkeypatch.setattr(RunFolder, "result", refuse)
    at = open_page("runs")
    assert not at.exception
    frame = at.dataframe[0].value
    assert list(frame["state"]) == ["failed", "done"]
    row = frame.iloc[1]
    assert row["verdict"] == "Helped" and row["gain"] == "+0.90 [+0.48, +1.32]" and row["metric"] == "ROC-AUC"
    assert row["versus"] == "−3.70 [−4.02, −3.38]"
    shown = [name for name in frame.columns if name in run_list.MAIN]
    assert (
        shown.index("student_score") < shown.index("verdict") < shown.index("gain")
    )  # the level stands before what was gained
    assert (row["teacher_score"], row["baseline_score"], row["student_score"]) == ("0.926", "0.880", "0.889")
    assert row["students"] == "tiny, small" and row["seconds"] == "1 min" and row["date"] == "2026-01-02 03:04"


def test_a_row_with_numbers_of_two_models_says_whose_each_is(buttons):
    run_id = done_run(verdict="hurts")
    folder = store().folder(run_id)
    found = folder.result()
    one = found["students"][0]
    own = {"roc_auc": {**one["versus_teacher"]["roc_auc"], "mean": -0.046, "ci95": [-0.05, -0.042]}}
    one["deployed"] = {**one.get("deployed", {}), "arm": "baseline", "versus_teacher": own}
    write_json(folder.path / "result.json", found)
    store().refresh(run_id)
    row = open_page("runs").dataframe[0].value.iloc[0]
    assert row["student_score"] == "0.880 alone" and row["versus"] == "−4.60 [−5.00, −4.20] alone"
    assert row["verdict"] == "Hurt" and row["gain"].startswith("−2.00 [") and row["gain"].endswith("] taught")


@pytest.mark.slow
def test_filters_narrow_the_list_and_stand_in_the_address(buttons):
    done_run(name="apples")
    make_run("interrupted", name="pears")
    at = open_page("runs")
    at.text_input(key="q").set_value("apple").run()
    assert list(at.dataframe[0].value["name"]) == ["apples"]
    at.text_input(key="q").set_value("").run()
    at.get("button_group")[0].set_value(["interrupted"]).run()
    assert list(at.dataframe[0].value["name"]) == ["pears"]
    at.text_input(key="q").set_value("nothing like it").run()
    assert t("runs.nothing_found") in words(at)
    at.button(key="runs-clear").click().run()
    assert len(at.dataframe[0].value) == 2


def test_a_filter_in_the_address_is_applied(buttons):
    done_run(name="apples")
    done_run(name="pears")
    at = open_page("runs", q="pear")
    assert list(at.dataframe[0].value["name"]) == ["pears"]


def test_a_starred_run_is_found_by_its_star(buttons):
    first = done_run(name="apples")
    done_run(name="pears")
    store().star(first)
    at = open_page("runs")
    at.toggle(key="starred").set_value(True).run()
    assert list(at.dataframe[0].value["name"]) == ["apples"] and list(at.dataframe[0].value["star"]) == [run_list.STAR]


@pytest.mark.slow
def test_many_runs_come_in_pages_of_fifty(buttons):
    runs = store()

    for i in range(53):
        runs.create(spec(name=f"run {i}"))
    at = open_page("runs")
    assert len(at.dataframe[0].value) == 50
    assert "1–50 of 53 runs" in words(at)
    at.session_state["runs_page"] = 2
    at.run()
    assert len(at.dataframe[0].value) == 3 and "51–53 of 53 runs" in words(at)


def test_a_click_on_a_row_opens_the_run(buttons):
    run_id = done_run()
    at = open_page("runs")
    at.session_state["runs-table-0"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "name")]}}
    at.run()
    assert at.query_params["run"] in (run_id, [run_id])
    assert "DISTILLING HELPED" in words(at)


def test_long_names_are_broken_into_lines_and_rows_stay_low_without_them(jobs):  # noqa: F811
    done_run(name="visits")
    assert open_page("runs").dataframe[0].proto.row_height == run_list.ROW
    same = "Visits to purchase: what-if T=1–16 (5) α=0–1 (5) weight decay=0–0.1 (5) tiny+small"
    names = [f"{same} seeds=3", f"{same}+base seeds=3"]
    for name in names:
        done_run(name=name)
    told = open_page("runs").dataframe[0]
    assert set(names) < set(told.value["name"]) and told.proto.row_height == run_list.BROKEN


@pytest.mark.parametrize(("standing", "said"), [("behind", True), ("ahead", False)])
def test_a_plain_model_that_is_no_worse_stands_beside_the_word(buttons, standing, said):
    found = store().folder(done_run(plain=standing)).result()["students"][0]["reference"]["best"]
    row = open_page("runs").dataframe[0].value.iloc[0]
    plain = str(t("runs.short.plain", score=text.score(found["metrics"]["roc_auc"]["mean"])))
    assert row["verdict"].endswith(f"; {plain}") == said and ("plain" in row["verdict"]) == said
