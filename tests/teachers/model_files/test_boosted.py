"""Boosted trees from a file as sources: equal to the library, drawn as one ONNX operation, and what does not fit is said."""

import json

import lightgbm
import numpy as np
import pandas as pd
import pytest

from kd_core.data.files import sandbox
from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.model_files.booster import Booster
from kd_core.data.model_files.lightgbm_text import read
from kd_core.data.onnx_file import open_session
from kd_core.data.preparation import prepare
from kd_core.errors import DataError, Stopped
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.model_files import child
from kd_core.teachers.model_files.boosted import as_onnx
from tests.runs.tables import small_spec, write_table


def trained(frame, y, objective, columns=("a", "b"), rounds=10, **more):
    told = {"objective": objective, "verbosity": -1, "num_threads": 1, **more}
    return lightgbm.train(told, lightgbm.Dataset(frame[list(columns)], y), rounds)


@pytest.fixture
def table(tmp_path):
    place = write_table(tmp_path / "t.csv", rows=300)
    return place, pd.read_csv(place)


def ask(place, text, name="lightgbm_file", task="binary", should_stop=lambda: False, **settings):
    from kd_core.workspace import workspace

    file = DataLibrary(workspace(), UPLOADS).add(text.encode() if isinstance(text, str) else text, "teacher.txt").source
    entry, data = SOURCES.get(name), prepare(small_spec(place, task).dataset)
    question = Ask(data, None, 5, 0, None, "", "cpu", print, should_stop)
    return entry.make(entry.spec.parse({"path": file, **settings}), question), data


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_logits_are_those_of_the_library(task, tmp_path):
    place = write_table(tmp_path / "t.csv", task, 300)
    frame = pd.read_csv(place)
    y = frame.target if task == "regression" else pd.factorize(frame.target, sort=True)[0]
    model = trained(frame, y, task, **({"num_class": 3} if task == "multiclass" else {}))
    found, data = ask(place, model.model_to_string(), task=task)
    rows = frame.iloc[data.test.row_ids][["a", "b"]]
    theirs = model.predict(rows, raw_score=True)
    z = found.logits["test"].astype(float)
    if task == "binary":
        np.testing.assert_allclose(z[:, 1] - z[:, 0], theirs, rtol=0, atol=1e-6)
    elif task == "multiclass":
        np.testing.assert_allclose(z, theirs, rtol=0, atol=1e-6)
    else:
        np.testing.assert_allclose(z[:, 0] * data.target_std + data.target_mean, theirs, rtol=0, atol=2e-6)
    assert found.folds == 0 and found.details == {"trees": 30 if task == "multiclass" else 10}
    assert [note["code"] for note in found.notes][-1] == "teacher_maybe_saw"


@pytest.mark.slow
def test_classes_are_turned_round_as_asked_and_columns_named(table):
    place, frame = table
    model = trained(frame.rename(columns={"a": "x", "b": "y"}), frame.target == "no", "binary", ("x", "y"))
    found, data = ask(place, model.model_to_string(), columns=["a", "b"], classes=["yes", "no"])
    z = found.logits["test"].astype(float)
    theirs = model.predict(frame.iloc[data.test.row_ids][["a", "b"]].to_numpy(), raw_score=True)
    np.testing.assert_allclose(z[:, 0] - z[:, 1], theirs, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "change", "settings", "words"),
    [
        ("regression", None, {}, r"predicts a number, the data's target is 2 classes\. Take a model for this target"),
        (
            "binary",
            lambda t: t.replace("feature_names=a b", "feature_names=Column_0 Column_1"),
            {},
            r"reads 2 columns and its file does not say which\. Name the columns",
        ),
        ("binary", None, {"columns": ["a"]}, r"reads 2 columns and 1 are named"),
        (
            "binary",
            lambda t: t.replace("feature_names=a b", "feature_names=a c"),
            {},
            r"reads 1 column that the data lacks: c",
        ),
        (
            "binary",
            lambda t: t.replace("feature_names=a b", "feature_names=a kind"),
            {},
            r"reads kind as a number; the data holds '(red|green|blue)' there",
        ),
        ("binary", None, {"classes": ["no", "maybe"]}, r"only the model has maybe; only the data has yes"),
    ],
)
def test_what_does_not_fit_the_data_is_said(table, objective, change, settings, words):
    place, frame = table
    text = trained(frame, frame.target == "yes", objective).model_to_string()
    with pytest.raises(DataError, match=words):
        ask(place, change(text) if change else text, **settings)


def test_no_file_and_a_stop_request(table):
    entry = SOURCES.get("lightgbm_file")
    question = Ask(None, None, 5, 0, None, "", "cpu", print, lambda: False)
    with pytest.raises(DataError, match=r"No file of a model is chosen\. Upload one"):
        entry.make(entry.spec(), question)
    with pytest.raises(Stopped):
        entry.make(entry.spec(), Ask(None, None, 5, 0, None, "", "cpu", print, lambda: True))


def test_a_child_that_was_stopped_says_what_can_be_done(monkeypatch):
    def slow(function, *arguments, seconds):
        raise DataError("Reading the file takes more than 1 s.", "Wait.", "parse_time")

    monkeypatch.setattr(sandbox, "call", slow)
    with pytest.raises(
        DataError, match=r"The skops file was stopped in its child process: Reading .+ 1 s\. Use a smaller model"
    ):
        child.limited("skops", "a:b")


@pytest.mark.parametrize("more", [{}, {"use_missing": False}])
def test_the_onnx_operation_that_is_timed_answers_alike(table, more, tmp_path):
    _, frame = table
    frame = frame.assign(a=frame.a.where(frame.a > -1))
    model = trained(frame, pd.factorize(frame.kind)[0], "multiclass", num_class=3, min_data_in_leaf=5, **more)
    (tmp_path / "m").write_text(model.model_to_string())
    read(str(tmp_path / "m"), str(tmp_path / "trees.npz"))
    found = Booster.load(tmp_path / "trees.npz")
    x = frame[["a", "b"]].to_numpy(np.float32)
    sums = open_session(as_onnx(found, 2)).run(None, {"x": x})[0]
    np.testing.assert_allclose(sums, found.answer(x), rtol=1e-4, atol=1e-5)
    json.dumps(found.by_category)
