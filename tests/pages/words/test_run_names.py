"""Boxes of runs, as on Soft labels: two runs of one name are told apart, and each opens itself."""

from __future__ import annotations

import dataclasses

import pytest

from pages.ui.words import run_names
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs, open_page  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def rows(*times):
    row = store().get(done_run())
    return [
        dataclasses.replace(row, id=f"run-{i}", name=name, created_utc=time) for i, (name, time) in enumerate(times)
    ]


def test_runs_are_named_by_as_much_of_their_time_as_tells_them_apart():
    found = run_names.of(
        rows(
            ("one", "2026-11-28T13:10:05.100Z"),
            ("two", "2026-11-28T13:10:05.100Z"),
            ("one", "2026-11-28T13:11:05.100Z"),
            ("two", "2026-11-28T13:10:07.100Z"),
            ("six", "2026-11-28T13:10:05.100Z"),
            ("six", "2026-11-28T13:10:05.900Z"),
        )
    )
    assert list(found.values()) == [
        "one · 2026-11-28 13:10",
        "two · 2026-11-28 13:10:05",
        "one · 2026-11-28 13:11",
        "two · 2026-11-28 13:10:07",
        "six · 2026-11-28 13:10:05 · run-4",
        "six · 2026-11-28 13:10:05 · run-5",
    ]


def test_of_two_runs_made_in_one_minute_the_one_that_is_chosen_opens():
    first, second = done_run(), done_run()
    at = open_page("soft_labels", run=second)
    box = at.selectbox(key="soft-run")
    assert len(set(box.options)) == len(box.options)
    for run in (first, second, first):
        label = next(o for o in at.selectbox(key="soft-run").options if o == run_names.of(store().list())[run])
        at.selectbox(key="soft-run").select(label).run()
        assert at.query_params["run"] in (run, [run]) and at.selectbox(key="soft-run").value == run
