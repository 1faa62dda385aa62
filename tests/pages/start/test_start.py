"""The Start screen: a finished example without a typed number, and one-click runs."""

from __future__ import annotations

import re
import shutil

import pytest

from kd_core.errors import KDError
from kd_core.runs.result import SCHEMA
from kd_core.scenarios import SCENARIOS, default_spec
from pages.ui.shared import engine
from pages.ui.shared import example as shipped
from pages.ui.shared.text import t
from tests.pages import fixtures
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A finished run in place of the shipped one."""
    run_id = fixtures.done_run("binary")
    folder = tmp_path / "example"
    shutil.copytree(engine.store().folder(run_id).path, folder)
    engine.store().delete(run_id)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def test_without_an_example_one_button_leads_to_the_samples(jobs, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "nowhere")
    at = open_page()
    assert t("start.no_example") in words(at)
    assert [b.label for b in at.button if b.proto.type == "primary"] == [t("start.try_sample")]


def test_the_example_shows_its_verdict_with_hardware_and_date(example, jobs):  # noqa: F811
    at = open_page()
    assert not at.exception
    said = words(at)
    assert (
        "DISTILLING HELPED" in said and "over the same student alone" in said and re.search(r"20\d\d-\d\d-\d\d", said)
    )
    assert "**AGAINST THE TEACHER** 3.70 points of ROC-AUC below the teacher" in said and "From this teacher" in said
    assert len([e for e in at.get("bidi_component") if e.key.startswith("start-learning")]) == 1
    assert [b.label for b in at.button if b.proto.type == "primary"] == [t("start.run_it")]


def test_run_it_yourself_submits_the_examples_spec(example, jobs):  # noqa: F811
    from kd_core.runs.store.folder import RunFolder

    at = open_page()
    at.button(key="start-run").click().run()
    spec, click, again = jobs.submitted[0]
    assert spec == RunFolder(example).spec() and click and again
    assert at.query_params["run"] == engine.store().list()[0].id


def test_open_the_result_puts_the_example_among_the_runs_once(example, jobs):  # noqa: F811
    for _ in range(2):
        at = open_page()
        at.button(key="start-open").click().run()
        assert not at.exception
    rows = engine.store().list()
    assert len(rows) == 1 and rows[0].state == "done"


@pytest.mark.slow
def test_what_if_opens_with_the_examples_data(example, jobs):  # noqa: F811
    at = open_page()
    at.button(key="start-what-if").click().run()
    assert not at.exception
    assert at.title[0].value == t("what_if.title")
    assert at.query_params["data"] == engine.library().specs()[0][0]


def test_choose_a_file_opens_data_ready_for_one_whatever_is_in_use(jobs):  # noqa: F811
    dataset_id, _ = shipped.adopt()
    for _ in range(2):
        at = open_page("data", data=dataset_id)
        assert [b for b in at.button if b.key == "data-use"]
        at.switch_page("start.py").run()
        at.button(key="start-own").click().run()
        assert not at.exception and at.title[0].value == t("data.title")
        assert at.get("file_uploader") and not [b for b in at.button if b.key == "data-use"]
        assert t("data.nothing") in words(at) and not [b for b in at.button if b.proto.type == "primary"]
    at.switch_page("data.py")
    at.query_params["data"] = dataset_id  # as the link beside the page has it
    at.run()
    assert [b for b in at.button if b.key == "data-use"]


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_each_sample_runs_with_one_click(name, jobs):  # noqa: F811
    at = open_page()
    at.button(key=f"start-{name}").click().run()
    assert [s for s, _, _ in jobs.submitted] == [default_spec(name)]


def test_an_area_shows_its_own_samples_and_again_all(jobs):  # noqa: F811
    at = open_page()
    every = {b.key for b in at.button if b.label == t("start.run_sample")}
    assert every == {f"start-{name}" for name in SCENARIOS.names()}
    for area in at.button_group(key="start-area").options:
        at.session_state["start-area"] = area
        at.run()
        own = {f"start-{e.name}" for e in SCENARIOS.entries() if area in e.facts["tags"]}
        assert {b.key for b in at.button if b.label == t("start.run_sample")} == own and own
    at.session_state["start-area"] = None
    at.run()
    assert {b.key for b in at.button if b.label == t("start.run_sample")} == every


def test_a_refused_run_says_why(jobs):  # noqa: F811
    jobs.refuse = KDError("The queue holds {n}.", "Wait.", "queue_full", n=100)
    at = open_page()
    at.button(key="start-purchase").click().run()
    assert "The queue holds 100." in at.error[0].value


def test_the_shipped_example_is_a_result_of_today_with_nothing_of_the_machine_that_made_it(jobs):  # noqa: F811
    found = shipped.read()
    assert found is not None
    spec, result = found
    assert result["schema"] == SCHEMA and spec.training.seeds is None
    assert sum(file.stat().st_size for file in shipped.FOLDER.rglob("*") if file.is_file()) < 1_800_000
    for file in shipped.FOLDER.rglob("*.json*"):
        assert not re.search(r'"[^"]*(/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\)', file.read_text("utf-8")), file.name
    at = open_page()
    assert not at.exception and "older" not in words(at)
    at.button(key="start-open").click().run()
    assert not at.exception and "older" not in words(at)
