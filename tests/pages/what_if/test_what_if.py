"""What-if: the form with its count, the map in every state, one cell, and the views."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from kd_core.errors import KDError
from kd_core.safe_io import write_json
from pages.ui.shared import engine, example
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_reader, whatif_words
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import make_sweep, sweep_spec


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def charts(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def said(at):
    return html.unescape(words(at)).replace("\u2060", "")


def map_of(at):
    """What the page sent to the browser for the map of cells."""
    (made,) = [c.proto for c in at.get("bidi_component") if "kd_cell_map" in c.proto.component_name]
    return json.loads(made.json)


def gains_of(at):
    """The gains of the map by row and column, None where a cell has none."""
    shown = map_of(at)
    found = [[None] * len(shown["columns"]) for _ in shown["rows"]]
    for cell in shown["cells"]:
        found[cell["row"]][cell["column"]] = cell["gain"]
    return found


def grid_of(run_id):
    return whatif_reader.read(store().folder(run_id))


def dataset(task="binary"):
    return engine.library().save_spec(sweep_spec(task).dataset)


def form(**query):
    return open_page("what_if", **query)


def run_page(**query):
    return open_page("runs", **query)


# The form


def test_without_data_and_example_one_button_leads_to_the_data(monkeypatch, tmp_path):
    monkeypatch.setattr(example, "FOLDER", tmp_path / "none shipped")
    at = form()
    assert not at.exception
    assert t("what_if.no_data") in words(at) and t("distill.choose_data") in [b.label for b in at.button]
    assert t("what_if.list.none") in words(at)


def test_the_form_counts_before_it_starts_and_starts_what_it_shows(jobs):  # noqa: F811
    at = form(data=dataset())
    assert not at.exception
    assert "75 variants, 63 trainings" in said(at) and "25 cells" in said(at)
    at.button(key="whatif-start").click().run()
    spec, click, again = jobs.submitted[0]
    assert spec.sweep.temperature == (1, 2, 4, 8, 16) and spec.sweep.alpha == (0, 0.25, 0.5, 0.75, 1)
    assert spec.training.seeds == 3 and len(spec.students) == 1 and click and not again
    assert store().list(limit=1)[0].id in at.query_params["run"]


@pytest.mark.slow
def test_start_says_why_it_can_not_be_pressed():
    at = form(data=dataset())
    at.pills(key="whatif.students").set_value([]).run()
    assert at.button(key="whatif-start").disabled and t("what_if.form.no_students") in words(at)
    at.pills(key="whatif.students").set_value(["tiny"]).run()
    at.multiselect(key="whatif.sweep.temperature").set_value(["2"]).run()
    at.multiselect(key="whatif.sweep.alpha").set_value(["0.5"]).run()
    assert at.button(key="whatif-start").disabled and t("what_if.form.one_cell") in words(at)


@pytest.mark.slow
def test_a_refused_start_is_told_in_words(jobs):  # noqa: F811
    jobs.refuse = KDError("The disk is full.", "Free some space.", "disk_full")
    at = form(data=dataset())
    at.button(key="whatif-start").click().run()
    assert any("The disk is full." in e.value for e in at.error)


@pytest.mark.slow
def test_numbers_can_be_written_and_wrong_ones_are_named():
    at = form(data=dataset())
    at.session_state["whatif.sweep.temperature"] = ["3.3", "99", "warm"]
    at.run()
    assert not at.exception
    assert "99, warm" in said(at) and "from 0.5 to 20" in said(at)
    assert "15 variants" in said(at)  # 3.3 alone, 5 alphas, 3 seeds


@pytest.mark.slow
def test_more_axes_multiply_and_a_draft_survives_leaving():
    data = dataset()
    at = form(data=data)
    at.multiselect(key="whatif.sweep.learning_rate").set_value(["0.001", "0.002"]).run()
    assert "150 variants" in said(at)
    again = form(data=data)
    assert "150 variants" in said(again)
    assert again.multiselect(key="whatif.sweep.learning_rate").value == ["0.001", "0.002"]


def test_a_loss_without_temperature_offers_no_such_axis_and_says_why():
    at = form(data=dataset("regression"))
    assert not at.exception
    assert "is not varied" in said(at) and "no distribution to soften" in said(at)
    assert "whatif.sweep.temperature" not in [m.key for m in at.multiselect]
    assert t("what_if.instant.regression") in words(at)
    assert "15 variants, 15 trainings" in said(at)


@pytest.mark.slow
def test_a_run_in_the_address_opens_where_all_runs_do_with_its_cell():
    at = form(run=make_sweep(), cell="4")
    assert not at.exception and at.title[0].value == t("runs.title_result") and "T = 4, α = 0.5" in said(at)
    at = form(run="20990101-0000-none")
    assert not at.exception and any("There is no run" in e.value for e in at.error)


@pytest.mark.slow
def test_cloning_fills_the_form():
    run_id = make_sweep(temperature=(3, 6), alpha=(0.1, 0.9))
    at = form(clone=run_id)
    assert not at.exception
    assert at.multiselect(key="whatif.sweep.temperature").value == ["3", "6"]
    assert "12 variants" in said(at) and run_id in said(at)


@pytest.mark.slow
def test_earlier_what_ifs_are_listed_without_ordinary_runs():
    run_id = make_sweep()
    done_run(name="plain")
    at = form()
    links = [e.proto.page for e in at.main.get("page_link")] if hasattr(at.main, "get") else []
    assert "many" in html.unescape("".join(str(e.proto.label) for e in at.get("page_link")))
    assert not any("plain" in str(e.proto.label) for e in at.main.get("page_link"))
    assert links and run_id in "".join(e.proto.query_string for e in at.main.get("page_link"))


# One what-if, in every state


def test_the_best_so_far_has_no_number_before_all_its_seeds_have_ended():
    """Seen in a trial: +3.2 points after two seconds, +1.0 in the end."""
    grid = grid_of(make_sweep())
    best = grid.cells.loc[grid.best]
    assert whatif_words.seeds_words(grid, grid.cell(grid.best)) == "3 seeds"
    early = replace(grid, cells=grid.cells.assign(pending=True))

    def told(one):
        at = AppTest.from_function(_line, args=(one,)).run()
        return at.markdown[0].value

    assert "still in training" in told(early) and "points" not in told(early)
    assert f"{100 * best['gain']:+.1f} points" in told(grid).replace("−", "-") and "3 seeds" in told(grid)


def _line(grid):
    from pages.ui.what_if import whatif_head

    whatif_head.line(grid, active=True)


def test_while_it_trains_the_map_fills_and_nothing_can_be_chosen():
    run_id = make_sweep("running", finished=5)
    at = run_page(run=run_id)
    assert not at.exception
    assert "27 variants" in said(at) and "5 of 21 trainings" in said(at) and "best so far" not in said(at)
    going = store().snapshot(run_id, 0).sweep.at_work
    assert going > 0 and said(at).count(f"5 of 21 trainings, {going} under way") == 1  # above the bar alone
    assert said(at).count("of 21") == 1
    assert "all together (fused)" in said(at)
    shown = map_of(at)
    shades = [v for row in gains_of(at) for v in row]
    assert any(v is None for v in shades) and any(v is not None for v in shades)
    assert "…" in [c["text"] for c in shown["cells"]]
    assert not shown["choose"] and not shown["panel"] and shown["chosen"] is None
    assert "run-stop" in [b.key for b in at.button]


@pytest.mark.slow
@pytest.mark.parametrize("state", ["queued", "starting", "failed", "interrupted"])
def test_states_without_a_score_say_so(state):
    run_id = make_sweep(state, finished=0)
    at = run_page(run=run_id)
    assert not at.exception and "many" in said(at)
    if state == "failed":
        assert any("It broke." in e.value for e in at.error)
    if state == "interrupted":
        assert "run-resume" in [b.key for b in at.button]


def test_the_cells_that_a_choice_was_made_of_are_counted_as_what_they_are():
    text = said(run_page(run=make_sweep(students=("tiny", "small"))))
    assert "the best of 9 cells of this student (18 of all students) on 200 validation rows" in text


def test_the_title_tells_the_seeds_that_there_are_after_some_were_added():
    run_id = make_sweep(seeds=5)
    folder = store().folder(run_id)
    found = folder.result()
    named = f"Visits: what-if seeds={folder.spec().training.seeds}"
    store().set_name(run_id, named)
    assert f"#### {named}" in [m.value for m in run_page(run=run_id).markdown]
    for name in ("seeds", "scores", "baseline", "selected_epochs"):
        found["cells"][1][name] = found["cells"][1][name][:3]
    write_json(folder.path / "result.json", found)
    store().refresh(run_id)  # as the service does when a run ends
    at = run_page(run=run_id)
    assert "#### Visits: what-if seeds=3–5" in [m.value for m in at.markdown]
    assert "**Visits: what-if seeds=3–5**" in [link.proto.label for link in at.get("page_link")]


def test_done_has_the_verdict_on_top_and_says_what_the_map_is():
    at = run_page(run=make_sweep())
    assert not at.exception
    text = said(at)
    assert "27 variants · 21 trainings · 21 s" in text and "best on validation" in text
    assert "of ROC-AUC over the same student alone" in text and "the best of 9 cells on 200 validation rows" in text
    assert "read once" not in text  # they are read again where seeds are added
    shades = gains_of(at)
    assert np.shape(shades) == (3, 3) and shades[0] == [0, 0, 0]  # alpha 0 is the baseline itself
    cells = map_of(at)["cells"]
    assert sorted(c["id"] for c in cells) == list(range(9)) and sum(c["best"] for c in cells) == 1


@pytest.mark.slow
def test_a_stopped_grid_shows_what_it_has_and_why_the_rest_is_missing():
    run_id = make_sweep("cancelled", finished=4)
    at = run_page(run=run_id)
    assert not at.exception
    assert "4 of 21 trainings" in said(at) and "cells have no score" in said(at)
    cells = map_of(at)["cells"]
    assert any(t("what_if.missing.not_trained") in c["name"] for c in cells)
    assert {c["panel"].get("missing") for c in cells} == {None, str(t("what_if.missing.not_trained"))}


@pytest.mark.slow
def test_diverged_trainings_are_counted_not_hidden():
    run_id = make_sweep(diverged=(4,))
    at = run_page(run=run_id)
    assert not at.exception and "1 training came to no usable end" in said(at)


@pytest.mark.slow
def test_an_interrupted_what_if_keeps_its_map():
    at = run_page(run=make_sweep("interrupted", finished=9))
    assert not at.exception
    assert any(v is not None for row in gains_of(at) for v in row) and not at.get("segmented_control")


@pytest.mark.slow
def test_a_cell_that_does_not_exist_is_named():
    at = run_page(run=make_sweep(), cell="999")
    assert not at.exception and "There is no cell 999" in said(at)


@pytest.mark.slow
def test_regression_is_a_line_over_alpha():
    at = run_page(run=make_sweep(task="regression"), cell="1")
    assert not at.exception
    assert map_of(at)["columns"] == ["–"] and map_of(at)["rows"] == ["0", "0.5", "1"] and map_of(at)["chosen"] == 1
    assert t("what_if.map.no_temperature") in words(at)
    at.segmented_control(key="whatif-part").set_value("soft").run()
    assert not at.exception and "Mean distance between the cell's" in said(at)


@pytest.mark.slow
def test_several_students_and_rates_are_shown_one_at_a_time():
    run_id = make_sweep(students=("tiny", "small"), temperature=(1, 4), alpha=(0, 1), learning_rate=(0.001, 0.01))
    at = run_page(run=run_id)
    assert not at.exception
    place = f"whatif-learning_rate-{run_id}-done"
    best = grid_of(run_id).cell(grid_of(run_id).best)
    assert at.selectbox(key=place).value == best.learning_rate
    first = [c["id"] for c in map_of(at)["cells"]]
    at.selectbox(key=place).set_value(0.001 if best.learning_rate == 0.01 else 0.01).run()
    second = [c["id"] for c in map_of(at)["cells"]]
    assert first != second and not at.exception


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["each", "sizes", "settings", "cost", "table"])
def test_every_view_draws(tab):
    run_id = make_sweep(students=("tiny", "small"))
    at = run_page(run=run_id)
    at.session_state["whatif-tab"] = str(t(f"what_if.tab.{tab}"))
    at.run()
    assert not at.exception
    if tab == "settings":
        drawn = next(c for c in charts(at) if c["layout"].get("annotations"))
        texts = [html.unescape(a["text"]) for a in drawn["layout"]["annotations"]]
        assert {"<b>Student</b>", "<b>T</b>", "<b>α</b>"} <= set(texts)
        assert sum(d["x"].count(0) for d in drawn["data"]) == 18
        at.pills(key="whatif-only-alpha").set_value([0.5]).run()
        assert "6 of 18 cells" in said(at)
    if tab == "cost":
        assert str(t("compare.goal.none")) in said(at) and "cells meet the goals" not in said(at)
        assert not any(mark in said(at) for mark in ("✗", "✓", "meets"))
        assert at.session_state["whatif-way"] == "absolute"
        at.number_input(key="whatif-value-roc_auc").set_value(0.0)
        at.number_input(key="whatif-most-size").set_value(1e6)
        assert at.number_input(key="whatif-most-latency").value is None
        at.run()
        assert not at.exception and "18 of 18 cells meet the goals" in said(at) and "meets all" in said(at)
    if tab == "table":
        frame = at.dataframe[0].value
        assert len(frame) == 18 and frame.iloc[0, 1] == "★"
        assert "download-cells" in {b.key for b in at.get("download_button")}
