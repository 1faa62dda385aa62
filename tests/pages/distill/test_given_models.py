"""Teachers that a person already has on the Distill screen: an earlier run is chosen from a list, a file dropped, a wrong one refused in words."""

from __future__ import annotations

import pickle

import pytest

from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, StudentSpec
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.tables import TINY, small_spec, write_table
from tests.teachers.keras.small_file import dense, h5

pytestmark = pytest.mark.slow


@pytest.fixture
def table(tmp_path):
    place = write_table(tmp_path / "a.csv", "binary", 200)
    stored = engine.library().add(place.read_bytes(), "a.csv")
    spec = small_spec(place)
    spec = spec.model_copy(
        update={"dataset": spec.dataset.model_copy(update={"source": stored.source, "name": "a.csv"})}
    )
    return spec, engine.library().save_spec(spec.dataset)


def started(at, jobs):  # noqa: F811
    at.radio(key="distill.choose.way").set_value("named").run()
    at.button(key="distill-start").click().run()
    ((spec, _, _),) = jobs.submitted
    return spec.teacher


def test_an_earlier_run_and_its_model_are_chosen_from_lists(table, jobs):  # noqa: F811
    spec, data = table
    two = (TINY, StudentSpec(name="line", arch=Choice(name="linear")))
    _, place = run_here(spec.model_copy(update={"students": two}), None, lambda event: None, StopSignal())
    at = open_page("distill", data=data)
    at.selectbox(key="distill.teacher.from").set_value("earlier").run()
    assert not at.exception and t("distill.waiting.no_run") in words(at)
    run = at.selectbox(key="distill.teacher.earlier_run.run")
    assert len(run.options) == 1 and run.options[0].startswith("small · a.csv · 20") and run.label == "Run"
    run.set_value(place.name).run()
    assert f"Run {place.name} has 2 students." in words(at) and "tiny, line" in words(at)
    model = at.selectbox(key="distill.teacher.earlier_run.student.list")
    assert model.options == ["auto", "tiny", "line"] and model.label == "Model of that run"
    model.set_value("line").run()
    assert not at.exception and started(at, jobs).settings == {"run": place.name, "student": "line"}


def test_without_a_finished_run_there_is_none_to_choose(table):
    at = open_page("distill", data=table[1])
    at.selectbox(key="distill.teacher.from").set_value("earlier").run()
    assert not at.exception and at.selectbox(key="distill.teacher.earlier_run.run").options == []


def dropped(at, key, name, data):
    (place,) = [one for one in at.get("file_uploader") if one.proto.label == "File"]
    place.upload(name, data)
    at.run()
    return words(at)


def test_a_pickle_is_refused_with_its_lines_and_a_keras_file_taken(table, jobs):  # noqa: F811
    at = open_page("distill", data=table[1])
    at.selectbox(key="distill.teacher.from").set_value("file").run()
    at.selectbox(key="distill.teacher").set_value("keras").run()
    assert not at.exception and t("distill.waiting.no_file") in words(at)
    said = dropped(at, "keras", "mine.pkl", pickle.dumps({"a": 1}))
    assert "mine.pkl is a pickle" in said and "pickle.load(open('mine.pkl', 'rb'))" in said
    assert at.button(key="distill-start").disabled
    assert at.multiselect(key="distill.teacher.keras.classes.list").options == []
    said = dropped(at, "keras", "mine.h5", h5([dense("d", [[1, -1], [0, 1]])], (2,)))
    assert "pickle" not in said and not at.exception
    at.multiselect(key="distill.teacher.keras.columns.list").set_value(["b", "a"]).run()
    settings = started(at, jobs).settings
    assert settings["columns"] in (("b", "a"), ["b", "a"]) and settings["path"].startswith("sha256:")


def test_weights_offer_the_architectures_that_can_teach(table):
    at = open_page("distill", data=table[1])
    at.selectbox(key="distill.teacher.from").set_value("file").run()
    at.selectbox(key="distill.teacher").set_value("weights").run()
    assert not at.exception
    offered = at.selectbox(key="distill.teacher.weights.arch.list").options
    assert offered[0] == "auto" and {"mlp", "linear", "ft_transformer"} <= set(offered) and "piecewise" not in offered
