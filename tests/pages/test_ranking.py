"""A ranking on the screens: queries before anything is trained, then one query with its rows and each model's order of them."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.soft_runs import sent
from tests.runs.kinds.test_ranking_run import asking, searches

pytestmark = pytest.mark.slow


def test_grades_and_sizes_are_shown_and_a_query_column_is_asked_for(jobs, tmp_path):  # noqa: F811
    at = open_page("data")
    searches(tmp_path / "log.csv")
    at.get("file_uploader")[0].upload("log.csv", (tmp_path / "log.csv").read_bytes())
    at.run()
    at.selectbox(key="data.target").set_value("grade").run()
    at.selectbox(key="data.task").set_value("ranking").run()
    assert not at.exception and str(t("ranking.no_group")) in words(at) and at.button(key="data-use").disabled
    at.selectbox(key="data.group").set_value("search").run()
    assert not at.exception and "90 queries with 3 to 11 rows" in words(at)
    assert not at.button(key="data-use").disabled
    at.button(key="data-use").click().run()
    spec = engine.library().specs()[0][1]
    assert (spec.task, spec.group) == ("ranking", "search")


def test_a_query_with_its_rows_is_shown_as_each_model_orders_them(jobs, tmp_path):  # noqa: F811
    found, folder = run_here(asking(searches(tmp_path / "a.csv"), "tiny"), None, lambda event: None, StopSignal())
    at = open_page("soft_labels", run=folder.name)
    assert not at.exception and at.title[0].value == t("ranking.title")
    held = sent(at)
    assert len(held["queries"]) == len(set(held["queries"])) > 1 and not at.select_slider
    for tab in ("try", "mistakes", "soft", "calibration", "overview"):
        at = open_page("runs", {"tab": str(t(f"runs.result.tabs_{tab}"))}, run=folder.name)
        assert not at.exception, tab
        told = found["dataset"]["groups"]["test"]
        if tab == "overview":
            assert f"{told['relevant']} test queries that have a relevant row, of {told['all']}" in words(at)
        if tab == "try":
            lists = [one.value["Row"].tolist() for one in at.dataframe[:3]]
            assert len({frozenset(rows) for rows in lists}) == 1 and np.array(lists).shape[0] == 3
