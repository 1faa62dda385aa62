"""Which student of a what-if is shown: one choice for verdict and map; and what is said of one whose best cell has no teacher."""

from __future__ import annotations

import html

import pytest

from kd_core.runs.outcome import read_outcome
from kd_core.specs import DatasetSpec
from pages.ui.access import aids
from pages.ui.arms import scores, table
from pages.ui.data import understanding
from pages.ui.evidence import cell_words
from pages.ui.result import comparison, result_tabs, verdict
from pages.ui.runs import run_list, students
from pages.ui.shared.text import t
from pages.ui.words import decision, in_short
from tests.pages.fixtures import store
from tests.pages.screen import jobs, open_page  # noqa: F401
from tests.pages.sweeps import NO_TEACHER_HELPS, make_sweep
from tests.pages.what_if.test_what_if import _quiet, charts, grid_of, map_of, run_page, said  # noqa: F401

STUDENTS = ("tiny", "small")


def shown(at, run_id):
    """Whose verdict and whose map stand on the page."""
    found = store().folder(run_id).result()
    at_card = [i for i in range(2) if str(decision.of(found, i)) in "\n".join(m.value for m in at.markdown)]
    numbers = {c["id"] for c in map_of(at)["cells"]}
    cells = grid_of(run_id).cells
    return [found["students"][i]["name"] for i in at_card], set(cells[cells["cell"].isin(numbers)]["student"])


def test_the_best_student_opens_and_the_address_names_another():
    run_id = make_sweep(students=STUDENTS)
    assert shown(run_page(run=run_id), run_id) == (["small"], {"small"})
    assert shown(run_page(run=run_id, student="tiny"), run_id) == (["tiny"], {"tiny"})


def test_the_student_of_a_cell_in_the_address_is_shown_and_of_two_the_one_that_is_named():
    run_id = make_sweep(students=STUDENTS)
    (tiny,) = (c for c in grid_of(run_id).cells.index[4:5])
    assert grid_of(run_id).cell(tiny).student == "tiny"
    assert shown(run_page(run=run_id, cell=str(tiny)), run_id) == (["tiny"], {"tiny"})
    at = run_page(run=run_id, cell=str(tiny), student="small")
    assert shown(at, run_id) == (["small"], {"small"}) and map_of(at)["chosen"] != tiny


def test_the_map_follows_the_verdict_and_the_verdict_the_map():
    run_id = make_sweep(students=STUDENTS)
    at = run_page(run=run_id)
    at.pills(key=f"student-{run_id}").set_value(0).run()
    assert not at.exception and shown(at, run_id) == (["tiny"], {"tiny"})
    at.segmented_control(key=f"whatif-student-{run_id}-done").set_value("small").run()
    assert not at.exception and shown(at, run_id) == (["small"], {"small"})
    at.pills(key=f"student-{run_id}").set_value(0).run()
    assert not at.exception and shown(at, run_id) == (["tiny"], {"tiny"})


def test_a_row_of_the_table_of_cells_turns_both():
    run_id = make_sweep(students=STUDENTS)
    at = open_page("runs", {"whatif-tab": str(t("what_if.tab.table"))}, run=run_id)
    grid = grid_of(run_id)
    from pages.ui.what_if import whatif_table

    row = next(i for i, c in enumerate(whatif_table._in_order(grid)["cell"]) if grid.cell(c).student == "tiny")
    at.session_state[f"whatif-table-{run_id}-0"] = {"selection": {"cells": [(row, "x")], "rows": [], "columns": []}}
    at.run()
    assert not at.exception and shown(at, run_id) == (["tiny"], {"tiny"})


@pytest.fixture
def alone():
    run_id = make_sweep(name=NO_TEACHER_HELPS)
    return run_id, store().folder(run_id).result()


def test_of_a_student_without_a_teacher_no_gain_is_told_on_the_page(alone):
    run_id, found = alone
    at = run_page(run=run_id)
    words = html.unescape(said(at))
    assert not at.exception and str(t("runs.word.untaught")) in words
    assert "On validation no cell with a teacher did better than none (α = 0)" in words
    assert (
        "What would settle it" not in words and "DISTILLING" not in words and "over the same student alone" not in words
    )
    assert "a gain by" not in words and "The map below shows the validation rows" in words
    assert "model trained alone" in str(decision.of(found, 0))
    assert str(t("runs.overview.paired_title")) not in words  # a seed has no pair


def test_its_judgement_has_no_interval_no_placebo_and_nothing_open(alone):
    _, found = alone
    told = verdict.judge(found, 0)
    assert (told.word, told.settle, told.source, told.family) == ("untaught", None, None, None)
    assert str(told.next) == str(t("runs.reason.untaught.next"))
    assert "±" not in str(told.gain) and "%" not in str(told.gain)
    assert str(in_short.meaning(found, 0)) == str(t("runs.in_short.untaught"))


def test_its_table_picture_and_charts_hold_it_once(alone):
    _, found = alone
    frame = table.comparison_frame(found, 0)
    assert not {str(t("runs.arm.student")), str(t("runs.result.improvement"))} & set(frame.columns)
    assert [s.arm for s in scores.scores(found, 0) if s.arm in ("baseline", "student")] == ["baseline"]
    own = [p for p in result_tabs.size_points(found) if p["arm"] in ("baseline", "student")]
    assert [(p["arm"], p["label"]) for p in own] == [("baseline", "tiny")]


def test_the_list_of_runs_and_compare_tell_no_gain_of_it(alone):
    run_id, _ = alone
    row = store().get(run_id)
    assert run_list.verdict_cell(row.headline) == "Best without a teacher" and run_list.gain_cell(row.headline) is None
    (entry,) = comparison.entries(row, store().folder(run_id))
    arms = [p["arm"] for p in comparison.points([entry], "roc_auc", "size")]
    assert sorted(arms) == ["baseline", "teacher"] and comparison.missing([entry], "roc_auc", "size") == 0


def test_the_panel_of_a_cell_that_is_its_own_baseline_subtracts_nothing(alone):
    run_id, _ = alone
    grid = grid_of(run_id)
    lines = cell_words.panel(grid, grid.cell(grid.best))["seeds"]
    assert grid.cell(grid.best).is_baseline and {line[3] for line in lines} == {"–"} == {line[1] for line in lines}
    assert lines[-1][2] != "–"


def test_older_results_say_their_verdict():
    taught = read_outcome(store().folder(make_sweep()).result()).students[0]
    assert taught.word == taught.verdict and not taught.untaught


def test_on_a_phone_what_stands_behind_the_map_is_drawn_once_its_fold_is_open():
    run_id = make_sweep()
    kept = {aids.KEY: {"narrow": True}}
    closed = open_page("runs", kept, run=run_id)
    assert not closed.exception and not [c for c in charts(closed) if c["layout"].get("height") == 230]
    opened = open_page("runs", kept | {"whatif-more": True}, run=run_id)
    assert not opened.exception and [c for c in charts(opened) if c["layout"].get("height") == 230]


def test_pairs_of_an_additive_student_are_told_as_the_most_that_its_file_takes():
    facts = understanding.facts("x", DatasetSpec(source="sample:visits", target="purchased"))
    pairs, curves = ({"name": "additive", "settings": {"pairs": n}} for n in (8, 0))
    assert "file at most" in students.cost(pairs, facts) and "file about" in students.cost(curves, facts)
