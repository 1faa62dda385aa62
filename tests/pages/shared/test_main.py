"""The gate, the frame and every page on an empty workspace."""

from __future__ import annotations

import pytest

from pages.main import PAGES as LISTED
from pages.ui.shared import example, gate, session
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401

NAMES = [name for name, _ in LISTED]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_page_opens_on_an_empty_workspace_with_a_question(name, jobs, monkeypatch):  # noqa: F811
    if name == "status":
        from kd_core.runs.service.jobs import JobService
        from kd_core.workspace import workspace
        from pages.ui.shared import engine

        service = JobService(workspace(), executor="thread", run=lambda *a: None)
        monkeypatch.setattr(engine, "jobs", lambda: service)
    at = open_page(name)
    assert not at.exception
    assert len(at.title) == 1 and at.title[0].value.endswith("?")
    primary = [b for b in at.button if b.proto.type == "primary"]
    assert len(primary) <= 1
    if name == "status":
        service.close()


@pytest.mark.parametrize("name", NAMES)
def test_without_access_every_page_shows_only_the_gate(name, jobs, monkeypatch):  # noqa: F811
    at = open_page(name)
    monkeypatch.setattr(gate, "may_enter", lambda: False)
    at.run()
    assert [x.value for x in at.title] == [t("common.gate.title")]
    assert t("common.gate.not_set_up") in words(at)
    assert not at.sidebar.markdown and not at.get("page_link")


def test_a_signed_in_viewer_may_enter_from_outside(monkeypatch):
    monkeypatch.setattr(gate, "visitor", lambda: "outside")
    monkeypatch.setattr(gate, "has_sign_in", lambda: True)
    monkeypatch.setattr(gate, "signed_in", lambda: False)
    assert not gate.may_enter()
    monkeypatch.setattr(gate, "signed_in", lambda: True)
    assert gate.may_enter()
    monkeypatch.setattr(gate, "has_sign_in", lambda: False)
    assert not gate.may_enter()


def test_the_frame_names_the_dataset_and_the_newest_run(jobs):  # noqa: F811
    from kd_core.scenarios import default_spec
    from pages.ui.shared import engine

    spec = default_spec("purchase")
    dataset = engine.library().save_spec(spec.dataset)
    engine._store.cache_clear()
    engine.store().create(spec.model_copy(update={"name": "<b>my run</b>"}))
    at = open_page(data=dataset)
    labels = [str(link.proto.label) for link in at.sidebar.get("page_link")]
    assert f"**{spec.dataset.name}**" in labels
    assert "**&#60;b&#62;my run&#60;/b&#62;**" in labels
    assert t("common.states.queued") in words(at)


@pytest.mark.parametrize(("chosen", "shown"), [("binary", "yes or no"), (None, "a number")])
def test_a_task_that_nobody_chose_is_named_as_it_was_told_from_the_target(chosen, shown, jobs):  # noqa: F811
    from kd_core.scenarios import default_spec
    from pages.ui.shared import engine, facts

    dataset = engine.library().save_spec(default_spec("purchase").dataset.model_copy(update={"task": chosen}))
    facts.keep(dataset, facts.Facts(rows=240, columns=2, inputs={}, outputs=2, classes=("a", "b"), task="regression"))
    said = [str(c.value) for c in open_page(data=dataset).sidebar.caption]
    assert f"240 rows · {shown}" in said


def test_an_unknown_dataset_in_the_address_is_named_as_such(jobs):  # noqa: F811
    at = open_page(data="0123456789ab")
    assert not at.exception and t("common.dataset_gone") in words(at)


def test_session_links_carry_the_dataset(monkeypatch):
    monkeypatch.setattr(session, "dataset_id", lambda: "abc")
    assert session.link(run="r", note=None) == {"data": "abc", "run": "r"}


def test_empty_states_hold_one_button(jobs, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr(example, "FOLDER", tmp_path / "none shipped")
    at = open_page("distill")
    assert [b.label for b in at.button if b.key != "words"] == [t("distill.choose_data")]


@pytest.mark.parametrize("name", ["distill", "what_if"])
def test_without_data_a_page_opens_on_the_example_without_choosing_it(name, jobs):  # noqa: F811
    at = open_page(name)
    assert not at.exception and t("common.example.data") in words(at)
    start = "distill-start" if name == "distill" else "whatif-start"
    assert not at.button(key=start).disabled
    assert "data" not in at.query_params and t("common.no_dataset_next") in [link.label for link in at.get("page_link")]
    at.button(key=start).click().run()
    assert jobs.submitted[0][0].dataset == example.read()[0].dataset


def test_a_run_at_work_stays_in_sight_while_another_is_looked_at(jobs):  # noqa: F811
    from tests.pages.fixtures import done_run, make_run

    looked_at, at_work = done_run(name="older"), make_run("running", name="training now")
    at = open_page("runs", run=looked_at)
    labels = [str(link.proto.label) for link in at.sidebar.get("page_link")]
    assert not at.exception and labels.index("**training now**") < labels.index("**older**")
    assert [str(c.value) for c in at.sidebar.caption].count(t("common.run_at_work")) == 1
    (bar,) = at.sidebar.get("progress")
    assert bar.proto.text.startswith(t("common.states.running"))
    own = open_page("runs", run=at_work)
    assert t("common.run_at_work") not in [str(c.value) for c in own.sidebar.caption]
