"""Compare: other runs one press away, and what the picked student gives away."""

from __future__ import annotations

import json

from pages.ui.result import comparison
from pages.ui.shared import engine, session
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, store
from tests.pages.screen import open_page


def test_the_other_runs_of_the_same_data_are_one_press_away():
    one, two, other = done_run(name="one"), done_run(name="two"), done_run(name="other", dataset="orders")
    at = open_page("compare", runs=one)
    button = at.button(key="compare-add")
    assert button.label == t("compare.add_other")
    button.click().run()
    assert not at.exception and at.multiselect(key="compare-runs").value == [one, two]
    assert at.query_params["runs"] == f"{one},{two}" and other not in str(at.query_params)
    assert not [b for b in at.button if b.key == "compare-add"]


def test_the_default_is_there_again_after_another_page():
    run = done_run()
    at = open_page("compare", {"compare-url": []})  # kept; the choice itself Streamlit drops when the page is left
    assert not at.exception and at.multiselect(key="compare-runs").value == [run]


def test_alpha_is_no_setting_of_a_run_that_hears_no_label():
    def settings(run):
        return comparison.entries(store().get(run), store().folder(run))[0].settings

    alpha = "objective.settings.alpha"
    assert alpha in settings(done_run()) and alpha not in settings(done_run(mode="data_free"))


def test_no_line_of_the_best_is_drawn_through_models_of_different_data():
    one, two, other = done_run(name="one"), done_run(name="two", students=("small",)), done_run(dataset="orders")

    def drawn(*runs):
        at = open_page("compare", runs=",".join(runs))
        assert not at.exception
        spec = json.loads(at.get("plotly_chart")[0].proto.spec)
        return {part.get("name") for part in spec["data"]}, [str(c.value) for c in at.caption]

    names, said = drawn(one, two)
    assert str(t("compare.front")) in names and str(t("compare.chart_note_mixed")) not in " ".join(said)
    names, said = drawn(one, other)
    assert str(t("compare.front")) not in names and str(t("compare.chart_note_mixed")) in " ".join(said)


def test_without_chosen_data_the_runs_are_those_of_the_run_that_was_looked_at():
    own = done_run(name="own")
    done_run(dataset="orders", name="newer")
    assert open_page("compare", run=own).multiselect(key="compare-runs").value == [own]
    assert own not in open_page("compare").multiselect(key="compare-runs").value


def test_of_data_and_run_the_one_that_was_looked_at_later_says_which_runs_are_compared():
    own, other = done_run(name="own"), done_run(name="other", dataset="orders")
    orders = engine.library().save_spec(store().folder(other).spec().dataset)
    assert open_page("compare", data=orders, run=own).multiselect(key="compare-runs").value == [own]
    later = open_page("compare", {session.CHOSEN_LATER: True}, data=orders, run=own)
    assert later.multiselect(key="compare-runs").value == [other]
    assert open_page("compare", data=orders).multiselect(key="compare-runs").value == [other]
