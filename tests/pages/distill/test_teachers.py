"""Teachers on the Distill screen: in groups, several with a form each, and what would be sent to others said before Start."""

from __future__ import annotations

import pytest

from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from kd_core.teachers import SOURCES
from pages.ui.runs import teachers
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401

FROM, WHO, KEY = "distill.teacher.from", "distill.teacher", "distill.teacher.ensemble.members"


@pytest.fixture
def at(jobs, monkeypatch):  # noqa: F811
    """The Distill screen on the binary sample."""
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)
    monkeypatch.delenv("KD_ENDPOINTS", raising=False)
    return open_page("distill", data=engine.library().save_spec(default_spec("purchase").dataset))


def several(at):
    at.selectbox(key=FROM).set_value("several").run()
    return at.selectbox(key=WHO).set_value("ensemble").run()


def start(at, jobs):  # noqa: F811
    assert not at.exception and not at.button(key="distill-start").disabled
    at.button(key="distill-start").click().run()
    return jobs.submitted[-1][0]


def test_every_teacher_has_a_group_and_every_group_a_name():
    assert {teachers.group_of(entry) for entry in SOURCES.entries()} <= set(teachers.GROUPS)
    for group in teachers.GROUPS:
        assert t(f"distill.teacher_groups.{group}")


def test_a_group_lists_its_own_teachers_alone_and_the_reasons_of_those_that_cannot_work(at):
    assert at.selectbox(key=FROM).value == "here" and at.selectbox(key=WHO).value == "gradient_boosting"
    at.selectbox(key=FROM).set_value("several").run()
    assert "Average of teachers" not in at.selectbox(key=WHO).options and len(at.selectbox(key=WHO).options) == 2
    at.selectbox(key=FROM).set_value("here").run()
    assert not at.exception
    offered = at.selectbox(key=WHO).options
    assert {"Random forest", "MLP"} <= set(offered) and not {"Several teachers", "ONNX file"} & set(offered)
    assert "reads pixels" in words(at) and "Small CNN" not in offered
    at.selectbox(key=FROM).set_value("file").run()
    assert "HTTP endpoint" not in at.selectbox(key=WHO).options and "ONNX file" in at.selectbox(key=WHO).options
    assert "whoever runs this workbench allows addresses by" in words(at)


def test_an_older_recipe_with_an_average_is_shown_as_it_is(jobs):  # noqa: F811
    old = Choice(name="average", settings={"teachers": ["linear", "mlp"]})
    engine._store.cache_clear()
    run_id = engine.store().create(default_spec("purchase").model_copy(update={"teacher": old}))
    page = open_page("distill", clone=run_id)
    assert page.selectbox(key=WHO).value == "average" and page.selectbox(key=FROM).value == "several"
    assert start(page, jobs).teacher.to_json() == old.to_json()


@pytest.mark.slow
def test_several_teachers_have_a_form_each_and_are_started_as_they_are_set(at, jobs):  # noqa: F811
    several(at)
    assert not at.exception and not at.button(key="distill-start").disabled  # two are there from the start
    assert at.button(key=f"{KEY}.0.remove").disabled
    at.selectbox(key=f"{KEY}.more").set_value("random_forest").run()
    at.button(key=f"{KEY}.add").click().run()
    at.number_input(key=f"{KEY}.2.trees").set_value(30).run()
    at.button(key=f"{KEY}.0.remove").click().run()
    at.selectbox(key="distill.teacher.ensemble.combine").set_value("weighted").run()
    spec = start(at, jobs)
    first, second = spec.teacher.settings["members"]
    assert second == {"name": "random_forest", "settings": {"trees": 30}} and first["settings"] == {}
    assert (spec.teacher.name, spec.teacher.settings["combine"]) == ("ensemble", "weighted")
    again = open_page("distill", clone=engine.store().list()[0].id)
    assert again.number_input(key=f"{KEY}.1.trees").value == 30
    assert start(again, jobs).work_hash() == spec.work_hash()


@pytest.mark.slow
def test_a_way_to_combine_that_two_classes_rule_out_is_told_beside_the_choice_and_not_started(at):
    several(at)
    assert "Not here: one teacher for each class (needs 3 classes or more" in words(at)
    at.selectbox(key="distill.teacher.ensemble.combine").set_value("per_class").run()
    assert at.button(key="distill-start").disabled and words(at).count("needs 3 classes or more") == 2


@pytest.mark.slow
def test_teachers_are_named_for_classes_and_a_class_has_one(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)
    page = open_page("distill", data=engine.library().save_spec(default_spec("recommendation").dataset))
    several(page)
    assert not [one for one in page.multiselect if one.key and one.key.endswith(".classes")]
    page.selectbox(key="distill.teacher.ensemble.combine").set_value("per_class").run()
    first, second = (page.multiselect(key=f"{KEY}.{i}.classes") for i in (0, 1))
    assert not first.value and first.options == second.options and len(first.options) > 2
    label = first.options[1]
    page.multiselect(key=f"{KEY}.1.classes").set_value([label]).run()
    assert label not in page.multiselect(key=f"{KEY}.0.classes").options
    spec = start(page, jobs)
    assert spec.teacher.settings["classes"] == (f"{label}:2",)
    again = open_page("distill", clone=engine.store().list()[0].id)
    assert again.multiselect(key=f"{KEY}.1.classes").value == [label]
    assert start(again, jobs).work_hash() == spec.work_hash()


@pytest.mark.slow
def test_two_alike_are_refused_with_the_way_out(at):
    several(at)
    held = at.session_state[f"{KEY}.list"]
    at.selectbox(key=f"{KEY}.more").set_value(held[0]["name"]).run()
    at.button(key=f"{KEY}.add").click().run()
    assert "An ensemble needs 2 teachers or more, no two of them alike" in words(at)
    assert at.button(key="distill-start").disabled


@pytest.mark.slow
def test_what_an_endpoint_would_be_sent_is_said_before_start(at, jobs, monkeypatch):  # noqa: F811
    monkeypatch.setenv("KD_ENDPOINTS", "https://models.example.com")
    at.selectbox(key=FROM).set_value("file").run()
    at.selectbox(key=WHO).set_value("endpoint").run()
    assert at.button(key="distill-start").disabled and t("distill.waiting.no_endpoint") in words(at)
    at.text_input(key="distill.teacher.endpoint.url").set_value("https://models.example.com/v1").run()
    said = words(at)
    assert "12,000 rows with the columns" in said and "are sent to https" in said and "100 at a time" in said
    sent = said[said.index("rows with the columns") :].partition("are sent")[0]
    assert "device" in sent and "purchased" not in sent
    at.text_input(key="distill.teacher.endpoint.url").set_value("https://other.example.com/v1").run()
    assert at.button(key="distill-start").disabled and "is not among the addresses that may be asked here" in words(at)
    at.text_input(key="distill.teacher.endpoint.url").set_value("https://models.example.com/v1").run()
    assert start(at, jobs).teacher.settings == {"url": "https://models.example.com/v1"}


@pytest.mark.slow
def test_architectures_that_cannot_read_the_rows_are_listed_with_the_reason(at):
    at.radio(key="distill.choose.way").set_value("named").run()
    assert "cnn" not in at.selectbox(key="distill_own_arch").options
    assert "TextCNN" in words(at) and "reads word pieces; these rows can be read as" in words(at)


@pytest.mark.parametrize(("group", "name"), [("file", "soft_labels"), ("file", "onnx"), ("earlier", "earlier_run")])
def test_what_was_not_given_yet_is_a_quiet_hint_and_no_error(at, group, name):
    at.selectbox(key="distill.teacher.from").set_value(group).run()
    at.selectbox(key="distill.teacher").set_value(name).run()
    assert not at.exception and at.button(key="distill-start").disabled
    said = words(at)
    assert ":red[" not in said and ":orange[" not in said and not at.error
    assert not any(f"({field})" in said for field in ("path", "columns", "run", "url"))
    assert ":gray[:material/info: " in said and "under Teacher settings" in said
