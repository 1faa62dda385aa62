"""The panel of a cell of a what-if."""

from __future__ import annotations

import html

import pytest

from kd_core.evaluate import soft_labels
from kd_core.specs import RunSpec
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_cell, whatif_words
from pages.ui.what_if.whatif_cells import rows
from tests.pages.fixtures import store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import make_sweep
from tests.pages.what_if.test_what_if import _quiet, grid_of, map_of, run_page, said  # noqa: F401

pytestmark = pytest.mark.slow


def test_a_chosen_cell_shows_its_numbers_its_soft_labels_and_its_recipe():
    run_id = make_sweep()
    at = run_page(run=run_id, cell="4")
    assert not at.exception
    cell = grid_of(run_id).cell(4)
    assert "T = 4, α = 0.5" in said(at)
    shown = map_of(at)
    assert shown["chosen"] == 4
    panel = next(c["panel"] for c in shown["cells"] if c["id"] == 4)
    gain = html.unescape(whatif_words.gain_words("roc_auc", cell))
    assert panel["title"] == "T = 4, α = 0.5" and panel["gain"] == f"{gain}, 3 seeds"
    assert [line[0] for line in panel["seeds"]] == ["0", "1", "2", "mean"]
    assert len(shown["table"]) == 5 == len(panel["seeds"][0])
    at.segmented_control(key="whatif-part").set_value("soft").run()
    arrays = whatif_cell.kept(store().folder(run_id), "artifacts/cells.npz")
    same = soft_labels.agreement(arrays["teacher"], arrays["logits"][4])
    assert not at.exception and f"{100 * same:.1f} %" in [m.value for m in at.metric]
    at.segmented_control(key="whatif-part").set_value("recipe").run()
    assert not at.exception
    spec = whatif_cell.spec_of(store().folder(run_id), cell)
    assert spec.sweep is None and RunSpec.from_json(spec.to_json()).objective.settings == {
        "temperature": 4.0,
        "alpha": 0.5,
    }


@pytest.mark.slow
def test_the_best_cell_is_not_judged_twice_and_another_becomes_its_own_run(jobs):  # noqa: F811
    run_id = make_sweep()
    best = grid_of(run_id).best
    at = run_page(run=run_id, cell=str(best))
    assert at.button(key="whatif-judge").disabled
    other = next(i for i in grid_of(run_id).cells.index if i != best)
    at = run_page(run=run_id, cell=str(other))
    at.button(key="whatif-judge").click().run()
    assert jobs.submitted[0][0].sweep is None


@pytest.mark.slow
def test_zoom_fills_the_form_around_the_cell(jobs):  # noqa: F811
    run_id = make_sweep()
    at = run_page(run=run_id, cell="4")
    at.button(key="whatif-zoom").click().run()
    assert not at.exception and not jobs.submitted
    assert {"1", "4", "16"} <= set(at.multiselect(key="whatif.sweep.temperature").value)
    assert "25 cells" in said(at)


@pytest.mark.slow
def test_a_cell_opens_in_distill():
    at = run_page(run=make_sweep(), cell="4")
    at.button(key="whatif-distill").click().run()
    assert not at.exception and at.select_slider(key="distill.objective.hinton.temperature").value == 4.0


def test_without_a_choice_the_best_cell_is_shown_and_a_click_elsewhere_turns_the_map():
    run_id = make_sweep(students=("tiny", "small"))
    best = grid_of(run_id).best
    at = run_page(run=run_id)
    assert map_of(at)["chosen"] == best and "cell" not in at.query_params
    other = next(c.cell for c in rows(grid_of(run_id).cells) if c.student == "tiny" and c.alpha == 0.5)
    at.session_state["whatif-tab"] = str(t("what_if.tab.cost"))
    at.session_state["whatif-pareto"] = {"selection": {"points": [{"customdata": [str(other), "x"]}]}}
    at.run()
    assert not at.exception and str(other) in at.query_params["cell"] and map_of(at)["chosen"] == other
    assert at.segmented_control(key=f"whatif-student-{run_id}-done").value == "tiny"
    at.session_state["whatif-tab"] = str(t("what_if.tab.table"))
    at.session_state[f"whatif-table-{run_id}-0"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Cell")]}}
    at.run()
    assert not at.exception and str(best) in at.query_params["cell"] and map_of(at)["chosen"] == best
    assert at.segmented_control(key=f"whatif-student-{run_id}-done").value == "small"


def test_a_map_without_the_chosen_cell_shows_its_own_best():
    run_id = make_sweep(students=("tiny", "small"))
    best = grid_of(run_id).best_of
    at = run_page(run=run_id, cell=str(best["small"]))
    at.segmented_control(key=f"whatif-student-{run_id}-done").set_value("tiny").run()
    assert not at.exception and map_of(at)["chosen"] == best["tiny"] and "tiny, T = 1, α = 0.5" in said(at)


def test_the_chosen_cell_is_left_behind_with_its_run():
    at = run_page(run=make_sweep(), cell="4")
    at.button(key="runs-back").click().run()
    assert not at.exception and not {"run", "cell"} & set(at.query_params)
