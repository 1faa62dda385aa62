"""Compare: which runs, the front, goals, differences, and one selection for chart and table."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from pages.ui.compare import naming
from pages.ui.result import comparison
from pages.ui.shared import example
from pages.ui.shared.text import t
from tests.pages.fixtures import HOSTILE, done_run, make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def figure(at):
    return json.loads(at.get("plotly_chart")[0].proto.spec)


def entries(*ids):
    runs = store()
    return [e for i in ids for e in comparison.entries(runs.get(i), runs.folder(i))]


def test_without_finished_runs_one_button_leads_to_distill(monkeypatch, tmp_path):
    monkeypatch.setattr(example, "FOLDER", tmp_path / "none shipped")
    make_run("running")
    make_run("queued")
    make_run("failed")
    at = open_page("compare")
    assert not at.exception
    assert t("compare.empty") in words(at) and t("compare.empty_button") in [b.label for b in at.button]


def test_without_finished_runs_the_example_is_shown_and_named():
    make_run("queued")
    at = open_page("compare")
    assert not at.exception and t("common.example.run") in words(at) and at.get("plotly_chart")
    done_run()
    assert t("common.example.run") not in words(open_page("compare"))


def test_the_runs_shown_without_a_choice_are_counted():
    done_run()
    assert t("compare.default_one") in words(open_page("compare"))
    done_run()
    assert t("compare.default_any", num=2) in words(open_page("compare"))


def test_an_example_that_cannot_be_kept_is_told(monkeypatch):
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(example, "adopt", full)
    at = open_page("compare")
    assert not at.exception and len(at.error) == 1 and t("compare.empty") in words(at)


@pytest.mark.slow
def test_the_latest_six_of_one_dataset_are_the_default():
    done_run(dataset="orders", name="other")
    ids = [done_run(name=f"run {i}") for i in range(8)]
    at = open_page("compare")
    assert not at.exception
    assert set(at.multiselect(key="compare-runs").value) == set(ids[2:])
    assert len(at.dataframe[0].value) == 6


def test_runs_in_the_address_are_shown_and_missing_ones_are_named():
    first, second = done_run(name="one"), done_run(name="two")
    done_run(name="three")
    at = open_page("compare", runs=f"{second},{first},20990101-0000-none")
    assert not at.exception
    assert list(at.dataframe[0].value["Run"]) == ["two", "one"]
    assert any("20990101-0000-none" in w.value.replace("&#45;", "-") for w in at.warning)


def test_choosing_runs_puts_them_in_the_address():
    first, second = done_run(name="one"), done_run(name="two")
    at = open_page("compare", runs=f"{first},{second}")
    at.multiselect(key="compare-runs").set_value([second]).run()
    assert at.query_params["runs"] in (second, [second])
    assert list(at.dataframe[0].value["Run"]) == ["two"]


def test_chart_holds_teacher_baselines_students_with_symbols_and_intervals():
    at = open_page("compare", runs=done_run(students=("tiny", "small")))
    symbols = {d["name"]: d["marker"]["symbol"] for d in figure(at)["data"] if d.get("marker", {}).get("symbol")}
    assert symbols.pop(t("compare.goal_name"))  # the shaded region is named in the legend
    assert symbols.pop(t("compare.named"))  # so is the ring
    assert symbols == {"Teacher": "square", "Baseline": "x", "Student": "circle"}
    assert any(d.get("error_y", {}).get("visible") for d in figure(at)["data"])
    assert any(d["name"] == t("compare.front") for d in figure(at)["data"])


@pytest.mark.parametrize("by", ["latency", "flops"])
def test_cost_can_be_changed_and_models_without_it_are_counted(by):
    at = open_page("compare", runs=done_run())
    at.get("button_group")[0].set_value(by).run()
    assert not at.exception
    missing = "1 model is not drawn" in words(at)
    assert missing == (by == "flops")


def test_an_error_metric_is_drawn_upside_down():
    at = open_page("compare", runs=done_run("regression"))
    low, high = figure(at)["layout"]["yaxis"]["range"]
    assert low > high
    assert t("compare.chart_note_lower") in words(at)


def test_a_candidate_brings_its_validation_score_where_that_is_of_the_metric():
    (found,) = entries(done_run())
    assert comparison.candidate(found, "roc_auc").validation == pytest.approx(0.88)
    assert comparison.candidate(found, "log_loss").validation is None


@pytest.mark.slow
def test_goals_can_be_told_in_numbers_on_the_page():
    at = open_page("compare", runs=done_run(students=("tiny", "small")))
    at.session_state["goal-way"] = "absolute"
    at.run()
    assert not at.exception
    at.number_input(key="goal-value-roc_auc").set_value(0.885)
    at.number_input(key="goal-most-size").set_value(2.0)
    at.number_input(key="goal-most-latency").set_value(4.0).run()
    assert "0 of 2 students meet the goals." in words(at) and "tiny: 1.2 KB, 5 µs, misses latency" in words(at)
    at.number_input(key="goal-most-latency").set_value(None).run()
    assert "1 of 2 students meet the goals." in words(at) and "tiny: 1.2 KB, 5 µs, meets all" in words(at)
    assert list(at.dataframe[0].value["Goals"]) == ["yes", "no"]
    at.number_input(key="goal-value-roc_auc").set_value(None)
    at.number_input(key="goal-most-size").set_value(None).run()
    assert not at.exception and t("compare.goal.none") in words(at)


def test_goals_on_the_page_count_students():
    at = open_page("compare", runs=done_run(students=("tiny", "small")))
    assert "0 of 2 students meet the goals." in words(at)
    at.number_input(key="goal-lost-roc_auc").set_value(4.0).run()
    assert "2 of 2 students meet the goals. 0 of them surely" in words(at)
    assert list(at.dataframe[0].value["Goals"]) == ["on the mean", "on the mean"]  # their intervals reach beyond
    at.number_input(key="goal-lost-roc_auc").set_value(9.0).run()
    assert list(at.dataframe[0].value["Goals"]) == ["yes", "yes"] and "of them surely" not in words(at)


def test_the_front_is_what_nothing_beats_in_both():
    points = [
        {"id": "a", "x": 1, "y": 0.8},
        {"id": "b", "x": 2, "y": 0.7},
        {"id": "c", "x": 3, "y": 0.9},
        {"id": "d", "x": 1, "y": 0.5},
    ]
    assert comparison.front(points, lower_is_better=False) == ["a", "c"]
    assert comparison.front(points, lower_is_better=True) == ["d"]


def test_only_differing_settings_are_listed():
    from kd_core.specs import Choice

    one = done_run(name="one")
    two = done_run(name="two", objective=Choice(name="hinton", settings={"temperature": 4.0, "alpha": 0.7}))
    names = naming.differing(entries(one, two))
    assert names == ["objective.settings.temperature"]
    at = open_page("compare", runs=f"{one},{two}")
    assert list(at.dataframe[0].value["T"]) == ["2", "4"]
    columns = list(at.dataframe[0].value.columns)
    first = columns[columns.index("Student") + 1 : columns.index("T")]  # what is reached stands before what differs
    assert {"Student ROC-AUC", "Against teacher [95 %]", "Size", "Latency p50"} <= set(first)
    shown = json.dumps(figure(at))
    assert "T\\u00a0=\\u00a02" in shown and "T\\u00a0=\\u00a04" in shown


def test_settings_left_empty_or_at_a_default_are_said_in_words():
    chosen, fixed = make_run("done", ("tiny",), result(), seeds=None), make_run("done", ("tiny",), result(), seeds=5)
    table = open_page("compare", runs=f"{chosen},{fixed}").dataframe[0].value
    assert list(table["seeds"]) == ["auto", "5"]
    said = entries(fixed)[0].settings
    assert said["training.batch_size"] == "auto" and said["dataset.group"] == said["dataset.read.comment"] == "none"
    assert said["dataset.copies"] == "together" and said["dataset.read.header"] == "auto"  # not in the recipe's JSON
    assert "dataset.sha256" not in said and "null" not in said.values()


def test_a_click_in_the_chart_picks_the_row_and_an_empty_event_keeps_it():
    run_id = done_run(students=("tiny", "small"))
    at = open_page("compare", runs=run_id)
    at.session_state["pareto"] = {"selection": {"points": [{"customdata": [f"{run_id}:1", "x"]}]}}
    at.run()
    assert at.session_state["compare-picked"] == [f"{run_id}:1"]
    (link,) = [link for link in at.get("page_link") if "Open small of" in link.proto.label]
    assert "student=small" in link.proto.query_string
    at.session_state["pareto"] = {"selection": {"points": []}}
    at.run()
    assert at.session_state["compare-picked"] == [f"{run_id}:1"]
    at.button(key="compare-clear").click().run()
    assert at.session_state["compare-picked"] == []


def test_a_picked_row_is_framed_in_the_chart():
    run_id = done_run(students=("tiny", "small"))
    at = open_page("compare", runs=run_id)
    at.session_state["compare-table-"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert at.session_state["compare-picked"] == [f"{run_id}:0"]
    frames = [d for d in figure(at)["data"] if d.get("marker", {}).get("symbol") == "square-open"]
    assert len(frames) == 1 and len(frames[0]["x"]) == 1


def test_runs_on_different_data_are_said_to_be_so():
    one, two = done_run(name="one"), done_run(name="two", dataset="orders")
    at = open_page("compare", runs=f"{one},{two}")
    assert any("do not compare directly" in w.value for w in at.warning)
    assert "need runs on the same data" in words(at) and "meet the goals" not in words(at)


def test_runs_without_a_common_metric_are_refused():
    one, two = done_run(), done_run("regression")
    at = open_page("compare", runs=f"{one},{two}")
    assert not at.exception
    assert any(t("compare.mixed_task") in w.value for w in at.warning)


def test_a_run_whose_result_has_gone_is_left_out():
    run_id = done_run()
    (store().folder(run_id).path / "result.json").unlink()
    assert entries(run_id) == []
    assert not open_page("compare", runs=run_id).exception


def test_everything_is_one_zip():
    from pages.ui.result.recipe import metrics_csv

    run_id = done_run()
    at = open_page("compare", runs=run_id)
    assert [b.proto.label for b in at.get("download_button")] == [t("compare.all")]
    from pages.ui.result.comparison_table import everything

    with zipfile.ZipFile(io.BytesIO(everything(store(), entries(run_id)))) as file:
        assert sorted(file.namelist()) == [f"{run_id}/metrics.csv", f"{run_id}/result.json", f"{run_id}/spec.json"]
        assert file.read(f"{run_id}/metrics.csv").decode() == metrics_csv(result() | {"run_id": run_id}).replace(
            "\r\n", "\r\n"
        )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_literally(name):
    at = open_page("compare", runs=done_run(students=(name[:40],), name=name, dataset=name, target=name))
    assert not at.exception
    chart = json.dumps(figure(at))
    for sign in ("<script", "![x](", "$\\"):
        assert sign not in words(at) and sign not in chart
    head, _, end = at.dataframe[0].value["Run"][0].partition("…")  # shortened in the middle where it is long
    assert len(head) > 5 and name.startswith(head) and name.endswith(end)


def test_a_metric_chosen_for_other_data_gives_way_to_the_runs_own():
    runs = [done_run(), done_run(dataset="orders")]
    at = open_page("compare", runs=runs[0])
    metric = at.selectbox(key="compare-metric")
    assert metric.value == "roc_auc"
    metric.set_value("accuracy").run()
    at.run()
    assert at.selectbox(key="compare-metric").value == "accuracy"
    at.multiselect(key="compare-runs").set_value([runs[1]]).run()
    assert at.selectbox(key="compare-metric").value == "roc_auc"


def test_goals_that_stay_with_other_data_are_said_to():
    runs = [done_run(), done_run(dataset="orders")]
    at = open_page("compare", runs=runs[0])
    at.number_input(key="goal-most-size").set_value(8.0).run()
    assert "hold for that data alone" not in words(at)
    at.multiselect(key="compare-runs").set_value([runs[1]]).run()
    assert at.number_input(key="goal-most-size").value is None
    assert t("compare.goals_elsewhere", data="visits → purchased") in words(at)
    at.number_input(key="goal-most-size").set_value(9.0).run()
    assert "hold for that data alone" not in words(at)
