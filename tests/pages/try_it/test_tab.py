"""The tab Try it: a kept row is asked as it is, then changed, of a real run and by its real files."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import kd_core
from kd_core.data.preparation import prepare
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.safe_io import write_json
from kd_core.specs import Choice
from kd_core.teachers.live import opening
from pages.ui.shared import engine, example
from pages.ui.shared.text import Safe, plain, t
from pages.ui.try_it import models, tab
from tests.laws.test_given_teachers import lightgbm_file, served
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.tables import small_spec, write_table
from tests.serving.service import Service
from tests.teachers.sources.endpoint_server import endpoint

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(jobs):  # noqa: F811
    _, run_id = example.adopt()
    at = open_page("runs", {"tab": str(t("runs.result.tabs_try"))}, run=run_id)
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
    assert "only models that are at hand can answer" in words(at)
    said = words(at)
    assert "To this changed row the teacher can" in said and "it was trained for this run, and only its answers" in said
    assert "an earlier run, a model file or an address answers any row; choose one on Distill" in said


def test_fields_stand_in_the_order_of_the_file_row_by_row(opened):
    at, run_id = opened
    folder = engine.store().folder(run_id)
    names = list(pd.read_parquet(folder.path / "artifacts" / "rows.parquet").columns)
    drawn = [plain(Safe(box.label)) for box in at.main if getattr(box, "type", "") in ("number_input", "selectbox")]
    drawn = [name for name in drawn if name in names]
    assert len(drawn) > 6 and drawn == [name for name in names if name in drawn]


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


def asked_to(at, column):
    """Change a number of the form and ask."""
    (box,) = [one for one in at.number_input if one.key.startswith("try.") and one.key.endswith(f".{column}")]
    box.set_value((box.value or 0) + 0.5)
    next(b for b in at.button if b.label == "Ask").click().run()
    assert not at.exception
    return [plain(str(name)) for name in told(at).index]


def finished(tmp_path, name, settings):
    """Carry out a run with a teacher from outside, in the workspace, and open its tab."""
    place = write_table(tmp_path / "a.csv", "binary", 300)
    stored = engine.library().add(place.read_bytes(), "a.csv")
    spec = small_spec(place).model_copy(update={"teacher": Choice(name=name, settings=settings(place))})
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"source": stored.source})})
    _, folder = run_here(spec, None, lambda event: None, StopSignal())
    at = open_page("runs", {"tab": str(t("runs.result.tabs_try"))}, run=folder.name)
    assert not at.exception
    return at, folder


def test_a_teacher_from_a_file_answers_a_changed_row_as_the_file_does(tmp_path, jobs):  # noqa: F811
    at, folder = finished(tmp_path, "lightgbm_file", lambda place: lightgbm_file(place, "binary"))
    assert asked_to(at, "a")[0] == "Teacher"
    spec = engine.store().folder(folder.name).spec()
    rows = pd.read_parquet(folder / "artifacts" / "rows.parquet").iloc[[0]]
    rows["a"] = (0 if rows["a"].isna().any() else rows["a"]) + 0.5
    z = opening.opened(prepare(spec.dataset), spec.teacher).ask(rows)
    table = told(at)
    assert plain(str(table["Answer"].iloc[0])) == prepare(spec.dataset).classes[int(z[0].argmax())]
    assert "–" not in str(table["Time here"].iloc[0])


def test_an_address_is_asked_when_the_button_is_pressed_and_not_before(tmp_path, jobs, monkeypatch):  # noqa: F811
    with endpoint(served(("no", "yes"))) as there:
        monkeypatch.setenv("KD_ENDPOINTS", there.url)
        at, _ = finished(tmp_path, "endpoint", lambda place: {"url": there.url, "per_second": 1000})
        before = len(there.rows)
        assert before == 300 and "Teacher" not in asked_to(at, "a") and len(there.rows) == before
        (button,) = [b for b in at.button if b.label == "Ask 127.0.0.1, too"]
        button.click().run()
        assert not at.exception and len(there.rows) == before + 1
        assert next(plain(str(name)) for name in told(at).index) == "Teacher"


def ask_service(at):
    """Press the button of the one service that is allowed."""
    (button,) = [b for b in at.button if b.label.startswith("Ask the service at")]
    button.click().run()
    assert not at.exception
    return [plain(Safe(name)) for name in told(at).index]


def test_a_service_answers_beside_the_models_when_the_button_is_pressed(opened, monkeypatch):
    at, run_id = opened
    assert not [b for b in at.button if "service" in b.label] and "prediction service" not in words(at)
    folder = engine.store().folder(run_id)
    student = plain(Safe(told(at).index[2]))
    with Service(folder.path, "--student", student) as service:
        host = f"127.0.0.1:{service.port}"
        monkeypatch.setenv("KD_ENDPOINTS", f"http://{host}")
        at.run()
        assert f"Service {host}" not in [plain(Safe(name)) for name in told(at).index]
        names = ask_service(at)
        assert names[-1] == f"Service {host}" and names[0] == "Teacher"
        table = told(at)
        for column in ("Answer", "Shares"):
            assert plain(Safe(table[column].iloc[-1])) == plain(Safe(table[column].iloc[2]))
        assert "ms" in str(table["Time here"].iloc[-1]) and "with the way there and back" in words(at)
        assert names[-1] not in asked_to(at, numbers(at)[0])
        assert ask_service(at)[-1] == f"Service {host}"
    assert f"Service {host}" not in ask_service(at) and "did not answer" in words(at)


def numbers(at):
    return [b.key.rpartition(".")[2] for b in at.number_input if b.key.startswith("try.") and ".row" not in b.key]


def test_a_service_that_predicts_something_else_is_not_set_beside(opened, tmp_path, monkeypatch):
    at, _ = opened
    spec = small_spec(write_table(tmp_path / "other.csv", "multiclass", 300), "multiclass")
    _, folder = run_here(spec, None, lambda event: None, StopSignal())
    monkeypatch.setenv("KD_TOKEN_X", "a-token-of-32-characters-or-more")
    with Service(folder) as service:
        monkeypatch.setenv("KD_ENDPOINTS", f"https://a.example,http://127.0.0.1:{service.port}")
        at.run()
        (chosen,) = [b for b in at.selectbox if b.label == "Prediction service"]
        chosen.set_value(f"127.0.0.1:{service.port}").run()
        assert [b.options for b in at.selectbox if b.label == "Token of the service"] == [["KD_TOKEN_X"]]
        names = ask_service(at)
    assert not [name for name in names if name.startswith("Service")]
    assert "3 classes: low, mid, top" in plain(Safe(words(at))) and "The row was not sent" in words(at)


def test_addresses_that_are_none_are_told(opened, monkeypatch):
    at, _ = opened
    monkeypatch.setenv("KD_ENDPOINTS", "127.0.0.1:8900")
    at.run()
    assert "is not understood" in words(at) and len(told(at)) >= 1


def test_the_stages_of_a_smaller_student_are_named_in_words(jobs):  # noqa: F811
    def shown(run_id):
        from pages.ui.shared import engine
        from pages.ui.try_it import tab

        folder = engine.store().folder(run_id)
        block = {"stages": [{"name": "half-again", "file": "0.onnx", "bytes": 100}]}
        tab.show(folder, {**folder.result(), "compressed": block}, 0)

    _, run_id = example.adopt()
    kept_as = engine.store().folder(run_id).path / "artifacts" / "model.json"
    model = json.loads(kept_as.read_text())
    model["students"][0]["name"] = "half-again"  # as a run keeps a stage
    write_json(kept_as, model)
    at = AppTest.from_function(shown, args=(run_id,), default_timeout=60).run()
    assert not at.exception and not at.error
    assert [plain(str(name)) for name in told(at).index][2:] == ["halved, taught again"]
