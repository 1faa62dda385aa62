"""Damaged runs, files and silent workers on the screens: the item is named, the others work."""

from __future__ import annotations

import shutil

import pytest

from kd_core import limits
from kd_core.data.library import DataLibrary
from kd_core.runs.service import pulse
from kd_core.specs import DatasetSpec
from kd_core.workspace import workspace
from pages.ui.shared import engine
from pages.ui.shared.text import escape, t
from tests.pages.fixtures import done_run, make_run, store
from tests.pages.screen import Jobs, jobs, open_page, words  # noqa: F401

HARM = {
    "truncated": ("result.json", lambda f: f.write_bytes(f.read_bytes()[:100]), "result.json is not JSON"),
    "object": ("result.json", lambda f: f.write_text("{}"), "result.json is no result: 'metric' is missing"),
    "student": ("result.json", lambda f: f.write_text('{"metric": {}, "students": [{}]}'), "a student lacks 'name'"),
    "manifest": ("manifest.json", lambda f: f.write_text("[]"), "manifest.json holds no JSON object"),
    "status": ("status.json", lambda f: f.write_bytes(bytes(99)), "status.json is not JSON"),
    "spec": ("spec.json", lambda f: f.write_text("{"), "The spec is not valid JSON"),
}


@pytest.fixture(params=HARM)
def harmed(request):
    """A whole run and a damaged one whose line in the list was written before; with the words that name the damage."""
    whole, other = done_run(name="whole"), done_run(name="harmed", first_seed=1)
    file, change, said = HARM[request.param]
    change(store().folder(other).path / file)
    return whole, other, escape(said)


def said(at):
    return "\n".join(e.value for kind in ("error", "warning", "info", "caption") for e in getattr(at, kind))


@pytest.mark.slow
def test_the_runs_page_names_a_damaged_run_and_can_delete_it(jobs, harmed):  # noqa: F811
    whole, other, why = harmed
    at = open_page("runs", run=other)
    assert not at.exception and why in said(at) and t("runs.ended.damaged_others") in said(at)
    at.checkbox(key=f"sure-{other}").check().run()
    at.button(key="run-delete").click().run()
    assert not at.exception and [r.id for r in engine.store().list()] == [whole]
    at = open_page("runs", run=whole)
    assert not at.exception and not at.error


@pytest.mark.slow
@pytest.mark.parametrize("page", ["compare", "soft_labels"])
def test_compare_and_soft_labels_name_it_and_show_the_whole_one(jobs, harmed, page):  # noqa: F811
    whole, other, why = harmed
    asked = {"runs": f"{whole},{other}"} if page == "compare" else {"run": other}
    at = open_page(page, **asked)
    assert not at.exception
    if "result" in why or "manifest" in why or (page == "compare" and "spec" in why):
        assert why in said(at)
    engine.store().refresh(other)  # as opening the run does
    at = open_page(page, **asked)
    assert not at.exception and why in said(at)
    at = open_page(page, **({"runs": whole} if page == "compare" else {"run": whole}))
    assert not at.exception and not at.error


def test_the_list_shows_damaged_runs_by_word(jobs, harmed):  # noqa: F811
    engine.store().refresh(harmed[1])
    at = open_page("runs")
    assert not at.exception and sorted(at.dataframe[0].value["state"]) == ["damaged", "done"]


def test_a_run_whose_folder_is_gone_says_so_and_can_be_taken_from_the_list(jobs):  # noqa: F811
    run_id = done_run(name="gone")
    shutil.rmtree(store().folder(run_id).path)
    at = open_page("runs", run=run_id)
    assert not at.exception and escape(f"The folder of run {run_id} is gone") in said(at)
    at.checkbox(key=f"sure-{run_id}").check().run()
    at.button(key="run-delete").click().run()
    assert engine.store().count() == 0


def test_a_restored_file_heals_the_run_when_it_is_opened(jobs):  # noqa: F811
    run_id = done_run(name="healed")
    file = store().folder(run_id).path / "result.json"
    kept = file.read_bytes()
    file.write_text("")
    assert "result.json is empty" in said(open_page("runs", run=run_id)).replace("\u2060", "")
    file.write_bytes(kept)
    at = open_page("runs", run=run_id)
    assert not at.exception and not at.error and engine.store().get(run_id).state == "done"


def test_damaged_events_are_named_beside_the_way_to_delete(jobs):  # noqa: F811
    run_id = done_run(name="events")
    path = store().folder(run_id).events_path
    path.write_text("{}\n" + path.read_text())
    at = open_page("runs", run=run_id)
    assert not at.exception and escape("Line 1 of events.jsonl can't be read.") in said(at)
    assert at.button(key="run-delete")


def test_the_data_page_names_a_damaged_file_and_offers_the_others(jobs):  # noqa: F811
    library = DataLibrary(workspace())
    harmed, _ = library.add(b"a,b\n1,2\n", "harmed.csv"), library.add(b"a,c\n1,2\n", "whole.csv")
    (library.data / harmed.sha256 / "meta.json").write_text("")
    dataset = library.save_spec(DatasetSpec(source="sample:visits", target="purchased"))
    (library.datasets / f"{dataset}.json").write_text("{")
    at = open_page("data")
    assert not at.exception
    assert escape(f"The entry of the file {harmed.sha256[:12]} is damaged: meta.json is empty.") in said(at)
    assert escape(f"The dataset {dataset} is damaged:") in said(at)
    assert [o.split(" ")[0] for o in at.selectbox(key="data-known").options] == ["whole.csv"]


def test_a_full_disk_is_said_as_a_full_disk(jobs):  # noqa: F811
    error = {
        "code": "disk_full",
        "message": "The disk is full: 3 MB free, 500 MB needed.",
        "hint": "Delete runs, then resume.",
        "error_id": "e",
    }
    at = open_page("runs", run=make_run("interrupted", error=error))
    assert not at.exception and t("runs.ended.interrupted") not in said(at)
    assert escape("The disk is full: 3 MB free, 500 MB needed.") in said(at) and "Delete runs, then resume" in said(at)


class Hands(Jobs):
    def __init__(self):
        super().__init__()
        self.asked = []

    def interrupt(self, run_id, *, again):
        self.asked.append((run_id, again))


@pytest.mark.slow
@pytest.mark.parametrize(("button", "again"), [("end", False), ("again", True)])
def test_a_silent_worker_is_said_with_two_ways_out(monkeypatch, button, again):
    hands = Hands()
    monkeypatch.setattr(engine, "jobs", lambda: hands)
    run_id = make_run("running")
    at = open_page("runs", run=run_id)
    assert not at.exception and "No progress" not in said(at)
    monkeypatch.setattr(pulse.Pulse, "silent_s", property(lambda self: limits.SILENT_SECONDS + 13.4))
    at = open_page("runs", run=run_id)
    assert not at.exception and "No progress for 1 min 13 s." in said(at)
    at.button(key=f"run-silent-{button}").click().run()
    assert hands.asked == [(run_id, again)]
