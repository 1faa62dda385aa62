"""The tab Try it: a kept row is asked as it is, then changed, of a real run and by its real files."""

from __future__ import annotations

import pandas as pd
import pytest

import kd_core
from pages.ui.shared import engine, example
from pages.ui.shared.text import plain, t
from pages.ui.try_it import models, tab
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(jobs):  # noqa: F811
    _, run_id = example.adopt()
    at = open_page(run=run_id)
    at.session_state["tab"] = str(t("runs.result.tabs_try"))
    at.switch_page("runs.py").run()
    assert not at.exception
    return at, run_id


def told(at):
    (table,) = [one.value for one in at.table if "Answer" in one.value.columns]
    return table


def test_a_kept_row_is_answered_by_every_model_as_its_file_does(opened):
    at, run_id = opened
    folder = engine.store().folder(run_id)
    found = folder.result()
    table = told(at)
    names = [plain(str(name)) for name in table.index]
    assert names[:2] == ["Teacher", "Baseline (no teacher)"]
    student = names[2]
    assert student in [s["name"] for s in found["students"]]
    row = pd.read_parquet(folder.path / "artifacts" / "rows.parquet").iloc[0].to_dict()
    del row[found["dataset"]["target"]]
    wanted = kd_core.load(folder.path, student).predict([row]).iloc[0]
    assert plain(str(table["Answer"].iloc[names.index(student)])) == wanted[found["dataset"]["target"]]
    assert "In the data:" in words(at)


def test_a_changed_row_is_answered_by_the_kept_models_alone(opened):
    at, _ = opened
    numbers = [box for box in at.number_input if box.key.startswith("try.") and ".row" not in box.key]
    numbers[0].set_value((numbers[0].value or 0) + 1)
    next(b for b in at.button if b.label == "Ask").click().run()
    assert not at.exception
    assert "Teacher" not in [plain(str(name)) for name in told(at).index]
    assert "only the kept models can answer" in words(at)


def test_a_value_that_can_not_be_read_is_told(opened):
    at, _ = opened
    lists = [box for box in at.selectbox if box.key.startswith("try.")]
    lists[0].set_value(None)
    next(b for b in at.button if b.label == "Ask").click().run()
    assert not at.exception and len(told(at)) >= 1


def test_only_equal_values_are_the_kept_row():
    assert tab._same(3.0, 3) and tab._same(None, float("nan")) and tab._same("a", "a")
    assert not tab._same(3.5, 3) and not tab._same(None, "a") and not tab._same("", "a")


def test_a_run_without_plain_models_asks_its_student_alone():
    assert models.names({"students": [{"name": "tiny"}], "artifacts": {}}, 0) == ["tiny"]
