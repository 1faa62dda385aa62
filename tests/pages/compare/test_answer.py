"""Compare names one student: it is ringed from the start, leads to its result, and another page's advice is told where it differs."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace

import pytest

from pages.ui.access import aids
from pages.ui.compare import answer
from pages.ui.goals.candidates import Goals
from pages.ui.result import comparison, comparison_table, verdict
from pages.ui.shared import example, session, text
from pages.ui.shared.text import plain, t
from tests.pages.fixtures import done_run, make_run, store
from tests.pages.results import result, with_smaller
from tests.pages.screen import jobs, open_page, words  # noqa: F401

ASKED = Goals("roc_auc", 0.5)


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def walk(block):
    for child in block.children.values():
        yield child
        if hasattr(child, "children"):
            yield from walk(child)


def rings(at):
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    return [d for d in spec["data"] if d.get("marker", {}).get("symbol") == "circle-open"]


def test_the_named_student_is_ringed_before_anybody_picks_one_and_leads_to_its_result():
    run_id = done_run(students=("tiny", "small"))
    at = open_page("compare", runs=run_id)
    at.number_input(key="goal-lost-roc_auc").set_value(9.0).run()
    (ring,) = rings(at)
    assert len(ring["x"]) == 1 and ring["name"] == t("compare.named") and ring["showlegend"]
    (link,) = [one for one in at.get("page_link") if one.proto.label == t("compare.open_result")]
    assert f"run={run_id}" in link.proto.query_string and "student=tiny" in link.proto.query_string
    assert "compare-picked" not in at.session_state or not at.session_state["compare-picked"]


def test_nothing_is_ringed_where_nothing_is_asked_for():
    at = open_page("compare", runs=done_run())
    at.session_state["goal-way"] = "absolute"
    at.run()
    assert not rings(at) and t("compare.open_result") not in [one.proto.label for one in at.get("page_link")]


def test_goals_and_answer_stand_before_the_chart_on_every_screen():
    at = open_page("compare", runs=done_run())
    order = [e.type for e in walk(at.main) if e.type in ("number_input", "plotly_chart")]
    assert order[:4] == ["number_input"] * 3 + ["plotly_chart"]


def test_on_a_phone_answer_and_chart_come_before_the_choices_which_are_folded(monkeypatch):
    run_id = done_run()
    wide = open_page("compare", runs=run_id)
    assert not [e.label for e in wide.expander if e.label in (t("compare.fold_runs"), t("compare.fold_choices"))]
    monkeypatch.setattr(aids, "is_narrow", lambda: True)
    at = open_page("compare", runs=run_id)
    assert not at.exception
    order = [e.type for e in walk(at.main) if e.type in ("number_input", "plotly_chart", "selectbox")]
    assert order[:5] == ["plotly_chart", "selectbox", *["number_input"] * 3]
    folds = {e.label: e for e in at.expander}
    runs, choices = folds[t("compare.fold_runs")], folds[t("compare.fold_choices")]
    assert not runs.proto.expanded and [w.key for w in runs.multiselect] == ["compare-runs"]
    assert not choices.proto.expanded and len(choices.number_input) == 3
    at.number_input(key="goal-most-size").set_value(0.1).run()
    assert "0 of 1 student meets the goals." in words(at)
    at.multiselect(key="compare-runs").set_value([]).run()
    assert {e.label: e for e in at.expander}[
        t("compare.fold_runs")
    ].proto.expanded  # nothing to see before one is chosen


def test_another_advice_of_the_result_page_is_told_with_both_rules():
    run_id = done_run(students=("tiny", "small"))
    found = comparison.entries(store().get(run_id), store().folder(run_id))
    first = verdict.best_student(found[0].result)
    one, other = (comparison.candidate(e, "roc_auc") for e in (found[first], found[1 - first]))
    assert answer.otherwise(found[first], one, ASKED) is None
    said = plain(answer.otherwise(found[1 - first], other, ASKED) or "")
    assert (
        found[first].label in said and "best on validation" in said and "smallest that surely meets your goals" in said
    )
    assert "best within your limits" in str(
        answer.otherwise(found[1 - first], other, Goals("roc_auc", None, {"size": 9e9}))
    )


def test_a_plain_model_that_the_result_page_advises_is_told():
    run_id = done_run(students=("tiny",), plain="level")
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    student = comparison.candidate(entry, "roc_auc")
    said = answer.otherwise(entry, student, ASKED)
    assert said is not None and "plain model" in said and "by another rule" in said
    (beside,) = comparison.plain_candidates([entry], "roc_auc")
    assert answer.otherwise(entry, beside, ASKED) is None  # the very model that the result advises


@pytest.mark.parametrize("sure", [True, False])
def test_a_plain_model_named_where_the_result_advises_a_smaller_one_is_told(sure):
    run_id = make_run("done", ("tiny",), with_smaller(result(plain="level")))
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    best, smaller = comparison.plain_candidates([entry], "roc_auc")
    assert smaller.costs["size"] < best.costs["size"]
    asked = Goals("roc_auc", 0.5 if sure else None, {"size": 2e3} if sure else {"size": 9e9})
    said = plain(answer.otherwise(entry, best, asked) or "")
    assert smaller.name in said and text.size(smaller.costs["size"]) in said and "advises a plain model" in said
    assert answer.otherwise(entry, smaller, asked) is None
    assert answer.model(smaller, entry) == "plain linear" and answer.model(best, entry) == "plain trees_30x4"


def test_runs_of_one_name_tell_their_students_apart_by_the_time_alone():
    from pages.ui.compare import naming

    runs = [done_run(name="visits") for _ in range(2)]
    rows = [
        replace(store().get(run), created_utc=at)
        for run, at in zip(runs, ("2026-11-28T13:46:00", "2026-11-28T13:48:00"), strict=True)
    ]
    found = [e for row in rows for e in comparison.entries(row, store().folder(row.id))]
    assert [e.label for e in naming.apart(naming.dated(found, rows))] == ["tiny · 13:46", "tiny · 13:48"]


def test_a_teachers_time_stands_in_the_unit_of_the_field_beside_it():
    at = open_page("compare", runs=done_run())
    field = at.number_input(key="goal-most-latency")
    assert field.label == "One row at most (µs)"
    assert field.proto.placeholder.endswith(" µs")


def test_the_ring_lies_on_the_mark_where_a_baseline_is_moved_aside():
    from pages.ui.charts.compare import pareto

    both = {"x": 9000.0, "y": 0.713, "low": 0.71, "high": 0.716, "label": "tiny", "hover": ""}
    points = [{**both, "id": "a", "arm": "baseline"}, {**both, "id": "a:taught", "arm": "student"}]
    shown = {"x_title": "Size", "names": {"baseline": "Baseline", "student": "Student"}, "written": str}
    fig = pareto(points, [], metric="m", lower_is_better=False, front_name="", named="a", named_as="named", **shown)
    at = {d["name"]: d["x"] for d in fig.to_dict()["data"]}
    assert at["named"] == at["Baseline"] != at["Student"]


def with_models(*ids):
    """Copies of the example, whose models can be taken home and made smaller."""
    _, run = example.adopt()
    for own in ids:
        shutil.copytree(store().folder(run).path, store().runs / own)
        store().refresh(own)
    return ids


def test_who_comes_from_compare_is_offered_its_answer_and_no_default_becomes_the_run_that_was_looked_at():
    small = done_run(students=("tiny", "small"))
    compared = open_page("compare", runs=f"{done_run()},{small}")
    compared.number_input(key="goal-lost-roc_auc").set_value(9.0).run()
    runs, model = compared.session_state[session.COMPARED]
    assert len(runs) == 2 and small in runs and model == "tiny"
    other, asked, newest = with_models("aa-other", "bb-asked", "zz-newest")
    kept = {session.COMPARED: ((other, asked), "small"), f"current.{session.RUN}": newest}
    at = open_page("export", kept)
    assert at.selectbox(key="export-run").value == other
    assert at.selectbox(key=f"export-student-{other}").value == "small"
    at.run()
    assert at.session_state[f"current.{session.RUN}"] == newest and session.COMPARED in at.session_state
    at.selectbox(key="export-run").set_value(asked).run()
    assert at.session_state[f"current.{session.RUN}"] == asked and session.COMPARED not in at.session_state


@pytest.mark.parametrize("page", ["export", "soft_labels"])
def test_a_run_that_a_page_offers_by_itself_is_not_the_one_that_was_looked_at(page):
    older, newest = with_models("aa-older", "zz-newest")
    at = open_page(page).run()
    box = at.selectbox(key="export-run" if page == "export" else "soft-run")
    assert not at.exception and f"current.{session.RUN}" not in at.session_state
    assert at.query_params[session.RUN] in (box.value, [box.value])  # the address leads here again
    box.set_value(older if box.value == newest else newest).run()
    assert at.session_state[f"current.{session.RUN}"] == at.selectbox(key=box.key).value
    asked = open_page(page, run=older)
    assert asked.session_state[f"current.{session.RUN}"] == older


def test_a_plain_model_of_two_runs_is_one_row_or_told_apart_by_its_run():
    runs = [done_run(name=name, students=("tiny",), plain="level") for name in ("spring", "autumn")]
    found = [e for run in runs for e in comparison.entries(store().get(run), store().folder(run))]
    student = str(t("compare.column.student"))
    (one,) = comparison_table.plain_lines(found, "roc_auc", None)
    assert "·" not in one[student]
    other = copy.deepcopy(found[1].result)
    best = other["students"][0]["reference"]["best"]
    best["metrics"]["roc_auc"]["mean"] -= 0.01
    told = comparison_table.plain_lines([found[0], replace(found[1], result=other)], "roc_auc", None)
    assert [line[student] for line in told] == [f"{one[student]} · spring", f"{one[student]} · autumn"]
    best["metrics"]["roc_auc"]["mean"] += 0.02  # the best comes first: a phone folds what follows
    told = comparison_table.plain_lines([found[0], replace(found[1], result=other)], "roc_auc", None)
    assert [line[student] for line in told] == [f"{one[student]} · autumn", f"{one[student]} · spring"]


def test_a_plain_model_beyond_a_limit_is_not_praised_and_the_best_within_limits_is_called_that():
    run_id = done_run(plain="behind")  # smaller than the student, and better
    path = store().folder(run_id).path / "result.json"
    found = json.loads(path.read_text())
    found["students"][0]["reference"]["best"]["latency_ms"]["whole"]["1"]["p50"] = 0.06
    path.write_text(json.dumps(found))
    at = open_page("compare", runs=run_id)
    at.number_input(key="goal-lost-roc_auc").set_value(9.0)
    at.number_input(key="goal-most-latency").set_value(50.0).run()
    assert "smaller and scores better" not in words(at) and "tiny: 1.2 KB, 40 µs" in words(at)
    at.number_input(key="goal-lost-roc_auc").set_value(None).run()
    assert "Best score within the limits, of the students" in words(at)
