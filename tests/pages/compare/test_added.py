"""Compare: the caution of a what-if whose cells got more seeds after a look."""

from __future__ import annotations

from kd_core.runs.settings.added import Added, Round
from tests.pages.compare.test_answer import walk
from tests.pages.fixtures import done_run, store
from tests.pages.screen import open_page, words
from tests.pages.sweeps import make_sweep

SAID = "2 seeds were added after a first look"


def test_added_seeds_are_told_of_the_runs_compared_and_of_no_other():
    swept, plain = make_sweep(seeds=3), done_run(name="plain")
    before = open_page("compare", runs=f"{swept},{plain}")
    assert not before.exception and SAID not in words(before)
    Added((Round((3, 4), (1,)),)).write(store().folder(swept))
    at = open_page("compare", runs=f"{swept},{plain}")
    said = [str(w.value) for w in at.warning]
    order = [e.type for e in walk(at.main) if e.type in ("alert", "warning", "plotly_chart", "arrow_data_frame")]
    assert order[0] == "plotly_chart" and "warning" in order  # answer and chart first
    assert [SAID in w and w.startswith("many:") for w in said] == [True]
    assert SAID not in words(open_page("compare", runs=plain))


def test_damage_of_what_was_added_is_told_and_the_rest_drawn():
    swept = make_sweep(seeds=3)
    (store().folder(swept).path / "added.json").write_text("{}")
    at = open_page("compare", runs=swept)
    assert not at.exception and "added.json" in words(at) and at.get("plotly_chart")
