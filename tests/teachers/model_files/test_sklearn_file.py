"""A scikit-learn file as a source: how rows are read, whose classes are whose, and what does not fit. The child's work is done here, but once."""

import importlib

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.preparation import prepare
from kd_core.errors import DataError, Stopped
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources import sklearn_file as source
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow


@pytest.fixture
def here(monkeypatch):
    """Do the child's work in this process: it takes seconds to start."""

    def limited(noun, function, *arguments):
        module, _, name = function.partition(":")
        return getattr(importlib.import_module(module), name)(*arguments)

    monkeypatch.setattr(source, "limited", limited)


@pytest.fixture
def table(tmp_path):
    place = write_table(tmp_path / "t.csv", rows=200)
    return place, pd.read_csv(place)


def ask(place, model, task="binary", should_stop=lambda: False, **settings):
    from kd_core.workspace import workspace

    file = DataLibrary(workspace(), UPLOADS).add(skops.io.dumps(model), "teacher.skops").source
    entry, data = SOURCES.get("sklearn_file"), prepare(small_spec(place, task).dataset)
    question = Ask(data, None, 5, 0, None, "", "cpu", print, should_stop)
    return entry.make(entry.spec.parse({"path": file, **settings}), question), data


def by_name(frame, y=None):
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    return make_pipeline(columns, LogisticRegression()).fit(frame[["a", "b", "kind"]], frame.target if y is None else y)


def test_a_pipeline_gets_the_columns_that_it_names_in_a_real_child(table):
    place, frame = table
    model = by_name(frame)
    found, data = ask(place, model)
    theirs = model.predict_log_proba(frame.iloc[data.test.row_ids])
    np.testing.assert_allclose(found.logits["test"], theirs, rtol=0, atol=1e-5)
    said = [note["message"] for note in found.notes]
    assert said[0] == (
        "The skops file holds a pipeline of 2 steps that ends in LogisticRegression; it reads 3 columns by their names and is asked "
        "by predict_proba."
    )
    assert "found by their names: no, yes" in said[1] and found.notes[-1]["code"] == "teacher_maybe_saw"
    assert (
        found.latency_ms["native"]["1"]["p50"] > 0
        and "runs in scikit-learn" in found.latency_ms["onnxruntime"]["reason"]
    )
    assert found.num_parameters > 5 and found.size_bytes > 1000 and found.folds == 0


def test_classes_are_put_in_the_order_of_the_data(table, here):
    place, frame = table
    model = by_name(frame, frame.target.map({"no": "yes", "yes": "no"}))  # it learned the contrary
    found, data = ask(place, model)
    theirs = model.predict_log_proba(frame.iloc[data.test.row_ids])[
        :, [list(model.classes_).index(c) for c in data.classes]
    ]
    np.testing.assert_allclose(found.logits["test"], theirs, rtol=0, atol=1e-5)


def test_columns_named_by_hand_are_read_as_numbers(table, here):
    place, frame = table
    model = SVC().fit(frame[["b", "a"]].to_numpy(), frame.target)
    found, data = ask(place, model, columns=["b", "a"])
    z = found.logits["test"]
    theirs = model.decision_function(frame.iloc[data.test.row_ids][["b", "a"]].to_numpy())
    np.testing.assert_allclose(z[:, 1] - z[:, 0], theirs, rtol=0, atol=1e-5)
    assert "2 columns as numbers (b, a) and is asked by decision_function" in found.notes[0]["message"]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_of_the_encoded_table_gets_that(task, tmp_path, here):
    place = write_table(tmp_path / "t.csv", task, 200)
    data = prepare(small_spec(place, task).dataset)
    x = data.view().parts
    y = pd.read_csv(place).target.iloc[data.train.row_ids]
    model = (Ridge() if task == "regression" else LogisticRegression()).fit(x["train"], y)
    found, data = ask(place, model, task)
    if task == "regression":
        theirs = (model.predict(x["test"]) - data.target_mean) / data.target_std
        np.testing.assert_allclose(found.logits["test"][:, 0], theirs, rtol=0, atol=1e-5)
    else:
        np.testing.assert_allclose(found.logits["test"], model.predict_log_proba(x["test"]), rtol=0, atol=1e-4)
    assert f"the encoded table of {x['train'].shape[1]} numbers" in found.notes[0]["message"]


def test_another_version_is_a_warning(table, here, monkeypatch):
    place, frame = table
    old = source._described.__wrapped__

    monkeypatch.setattr(source, "_described", lambda *a: old(*a) | {"said": ["1.2.3"]})
    found, _ = ask(place, by_name(frame))
    assert "saved by scikit-learn 1.2.3, here is 1." in found.notes[1]["message"]


def renamed(frame):
    columns = make_column_transformer((OneHotEncoder(), ["other"]), remainder="passthrough")
    named = frame.rename(columns={"kind": "other"})
    return make_pipeline(columns, LogisticRegression()).fit(named[["a", "b", "other"]], frame.target)


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (renamed, {}, r"reads 1 column that the data lacks: other\. Columns of the data: a, b, kind\. Rename them"),
        (lambda f: Ridge().fit(f[["a", "b"]], f.a), {}, r"predicts a number, the data's target is 2 classes"),
        (lambda f: by_name(f, f.target + "?"), {}, r"only the model has no\?, yes\?; only the data has no, yes"),
        (
            lambda f: LogisticRegression().fit(f[["a"]].to_numpy(), f.target),
            {},
            r"reads 1 numbers and does not name them; the encoded table of this data has \d",
        ),
        (
            lambda f: LogisticRegression().fit(f[["a"]].to_numpy(), f.target),
            {"columns": ["a", "b"]},
            r"reads 1 columns and 2 are named",
        ),
        (
            lambda f: LogisticRegression().fit(f[["a"]].to_numpy(), f.target),
            {"reads": "columns"},
            r"reads 1 columns and its file does not say which",
        ),
        (
            lambda f: LogisticRegression().fit(f[["a"]].to_numpy(), f.target),
            {"columns": ["kind"]},
            r"reads kind as a number",
        ),
        (
            lambda f: make_pipeline(CountVectorizer(), MultinomialNB()).fit(f.kind, f.target),
            {},
            r"reads one text a row; the data has 0 columns of free text\. Name the one",
        ),
    ],
)
def test_what_does_not_fit_the_data_is_said(make, settings, words, table, here):
    place, frame = table
    with pytest.raises(DataError, match=words):
        ask(place, make(frame), **settings)


def test_decisions_between_pairs_of_classes_are_refused(tmp_path, here):
    place = tmp_path / "t.csv"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=160).round(3), "b": rng.normal(size=160).round(3)})
    frame["target"] = np.array(["d", "e", "f", "g"])[np.digitize(frame.a, [-0.7, 0, 0.7])]
    frame.to_csv(place, index=False)
    model = SVC(decision_function_shape="ovo").fit(frame[["a", "b"]], frame.target)
    with pytest.raises(DataError, match=r"answers a row with 6 numbers for 4 classes\. Save one whose decisions"):
        ask(place, model, "multiclass")


def test_no_number_is_no_answer(table, here):
    place, frame = table
    model = LogisticRegression().fit(frame[["a", "b"]], frame.target)
    model.coef_ = model.coef_ * np.nan
    with pytest.raises(DataError, match=r"answers some rows with no number\. Check the model"):
        ask(place, model)


def test_no_file_and_a_stop_request():
    entry = SOURCES.get("sklearn_file")
    with pytest.raises(DataError, match=r"No skops file is chosen\. Upload one"):
        entry.make(entry.spec(), Ask(None, None, 5, 0, None, "", "cpu", print, lambda: False))
    with pytest.raises(Stopped):
        entry.make(entry.spec(), Ask(None, None, 5, 0, None, "", "cpu", print, lambda: True))
