"""What-if with no data chosen offers that of the run looked at last."""

from __future__ import annotations

import pytest

from kd_core.models import ARCHS
from pages.ui.shared import engine
from pages.ui.what_if import whatif_draft
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.sweeps import make_sweep


def test_the_data_of_the_run_looked_at_last_are_one_click_away(jobs):  # noqa: F811
    run_id = make_sweep("done", "multiclass", seeds=3)
    none = open_page("what_if")
    assert not none.exception and "whatif-of-run" not in [b.key for b in none.button]
    at = open_page("what_if", {"current.run": run_id})
    assert not at.exception
    (offer,) = [b for b in at.button if b.key == "whatif-of-run"]
    assert "visits" in offer.label


def opened_for(run_id):
    data = engine.library().save_spec(store().folder(run_id).spec().dataset)
    at = open_page("what_if", {"current.run": run_id}, data=data)
    assert not at.exception
    return at


@pytest.mark.slow
def test_it_starts_with_the_student_that_the_run_shows_and_says_who_is_not_offered(jobs):  # noqa: F811
    at = opened_for(done_run(students=("base",)))
    assert at.session_state["whatif_draft"]["values"]["students"][0]["name"] == "base"
    assert f"Not offered: {ARCHS.get('trees').title}" in words(at)
    sweep = at.session_state["whatif_draft"]["values"][
        "sweep"
    ]  # the run's own T = 2 and share of 0.7 are among those tried
    assert list(sweep["temperature"]) == [1, 2, 4, 8, 16] and list(sweep["alpha"]) == [0, 0.25, 0.5, 0.7, 1]


def test_a_runs_own_value_takes_the_place_of_the_nearest_and_of_no_end():
    shares, temperatures = whatif_draft.ALPHAS, whatif_draft.TEMPERATURES
    assert whatif_draft.with_own(shares, 0.95) == [0, 0.25, 0.5, 0.95, 1]
    assert whatif_draft.with_own(shares, 0.5) == list(shares) == whatif_draft.with_own(shares, None)
    assert whatif_draft.with_own(temperatures, 3.0) in ([1, 3, 4, 8, 16], [1, 2, 3, 8, 16])
