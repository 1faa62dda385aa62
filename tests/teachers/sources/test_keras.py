"""A Keras file as a source: asked about every row and about new ones, with what a person should know."""

import re

import numpy as np
import pandas as pd
import pytest

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.preparation import prepare
from kd_core.errors import DataError, Stopped
from kd_core.runs.asked import teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources.keras import KerasModel
from tests.runs.tables import small_spec, write_table
from tests.teachers.keras.small_file import dense, h5

pytestmark = pytest.mark.slow
W = np.array([[1.5, -1.5], [-0.4, 0.4]])


def network(width=2, activation="softmax", w=W):
    return h5([dense("one", w, np.zeros(width), activation)], (len(w),))


def ask(root, data, file=None, stop=lambda: False, **settings):
    kept = DataLibrary(root, UPLOADS).add(file or network(), "churn.h5").source
    entry = SOURCES.get("keras")
    return entry.make(entry.spec.parse({"path": kept, **settings}), Ask(data, None, 5, 0, None, "", "cpu", print, stop))


@pytest.fixture
def data(tmp_path):
    return prepare(small_spec(write_table(tmp_path / "a.csv", "binary", 300)).dataset)


def test_it_answers_every_part_and_says_how_it_read_the_rows(own_workspace, data):
    found = ask(own_workspace, data)
    for split, part in data.parts.items():
        z = data.rows.iloc[part.row_ids][["a", "b"]].to_numpy() @ W
        p = np.exp(found.logits[split])
        np.testing.assert_allclose(p[:, 1] / p.sum(1), 1 / (1 + np.exp(z[:, 0] - z[:, 1])), atol=1e-5)
    assert (found.num_parameters, found.size_bytes, found.folds) == (6, 24, 0) and found.details == {
        "layers": ["Dense"]
    }
    assert found.latency_ms["whole"]["1"]["p50"] > 0
    said = [note["message"] for note in found.notes]
    assert (
        said[0]
        == "The Keras file reads 2 columns in the order a, b; its 2 outputs are taken for the classes in the order no, yes."
    )
    assert "read as probabilities" in said[1] and "has seen the training or test rows is not known" in said[2]


def test_classes_in_another_order_are_turned(own_workspace, data):
    plain, turned = ask(own_workspace, data), ask(own_workspace, data, classes=("yes", "no"))
    np.testing.assert_allclose(turned.logits["test"], plain.logits["test"][:, ::-1])
    with pytest.raises(
        DataError, match=r"has other classes than the data: it lacks no; it has maybe, which the data has not"
    ) as error:
        ask(own_workspace, data, classes=("yes", "maybe"))
    assert error.value.code == "other_classes"
    with pytest.raises(DataError, match="one of yes, no, no is named twice"):
        ask(own_workspace, data, classes=("yes", "no", "no"))


def test_one_score_is_the_second_class(own_workspace, data):
    found = ask(own_workspace, data, network(1, "sigmoid", W[:, 1:] * 2))
    both = ask(own_workspace, data)
    np.testing.assert_allclose(np.exp(found.logits["test"]), np.exp(both.logits["test"]), atol=1e-6)


def test_rows_with_a_gap_are_not_answered_and_counted(own_workspace, data):
    data.rows.loc[data.train.row_ids[:4], "b"] = np.nan
    found = ask(own_workspace, data)
    assert np.isnan(found.logits["train"][:4]).all() and np.isfinite(found.logits["train"][4:]).all()
    (said,) = [n["message"] for n in found.notes if n["code"] == "keras_gaps"]
    assert (
        said == "4 of 300 rows have a missing number in a column that the Keras file reads, or no word that it knows."
    )
    data.rows.loc[data.train.row_ids, "b"] = np.nan
    with pytest.raises(DataError, match=r"answers none of the 210 training rows: all have a missing number"):
        ask(own_workspace, data)


def test_it_is_saved_and_opened(own_workspace, data, tmp_path):
    live = ask(own_workspace, data, numbers="standardised").live
    rows = pd.DataFrame({"a": [0.5, 1.0, np.nan], "b": ["2", "3", "4"], "kind": "red"})
    live.save(tmp_path)
    np.testing.assert_array_equal(KerasModel.load(tmp_path, data).ask(rows), live.ask(rows))
    assert np.isnan(live.ask(rows)[2]).all()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (network(5, w=np.ones((2, 5))), "answers with 5 numbers a row, 2 are needed. Give one per class"),
        (network(w=W * 2e38), "answers some rows with no number. Check the model and its columns."),
        (network(w=np.ones((3, 2))), "reads 3 numbers a row; 2 columns are given: a, b"),
        (b"PK\x03\x04", "This is no HDF5 file that can be read"),
    ],
)
def test_what_does_not_fit_is_said(own_workspace, data, file, words):
    with pytest.raises(DataError, match=re.escape(words)):
        ask(own_workspace, data, file)


def test_no_file_a_wrong_config_and_a_stop(own_workspace, data):
    with pytest.raises(DataError, match=r"No Keras file is chosen\. Upload one"):
        SOURCES.get("keras").make(
            SOURCES.get("keras").spec(), Ask(data, None, 5, 0, None, "", "cpu", print, lambda: False)
        )
    kept = DataLibrary(own_workspace, UPLOADS).add(b"{", "model.json").source
    with pytest.raises(DataError, match=r"The architecture can't be read as JSON: .+model\.to_json\(\)"):
        ask(own_workspace, data, config=kept)
    asked = iter([False] * 2)
    with pytest.raises(Stopped):
        ask(own_workspace, data, stop=lambda: next(asked, True))


def test_a_file_of_keras_teaches_a_student_from_words(made_by_keras_words, tmp_path, own_workspace):
    """The whole way: a text classifier that Keras trained, its vocabulary, and a run that it teaches."""
    place = made_by_keras_words
    said = [
        f"teacher.path={place / 'texts.h5'}",
        f"teacher.vocabulary={place / 'words.json'}",
        "teacher.text=text",
        "teacher.fill=start",
    ]
    choice = teacher_choice("keras", said)
    spec = small_spec(place / "texts.csv").model_copy(update={"teacher": choice})
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"kinds": {"text": "text"}})})
    result, _ = run_here(spec, tmp_path / "out", lambda event: None, StopSignal())
    with np.load(place / "wanted.npz") as kept:
        labels, p = kept["labels"], kept["p"]
    assert result["teacher"]["metrics"]["roc_auc"] > 0.9 and ((p[:, 1] > 0.5) == labels).mean() > 0.9
    assert result["teacher"]["parameters"] and result["students"][0]["gain"]
    data = prepare(spec.dataset)
    entry = SOURCES.get("keras")
    found = entry.make(entry.spec.parse(choice.settings), Ask(data, None, 5, 0, None, "", "cpu", print, lambda: False))
    for split, part in data.parts.items():
        np.testing.assert_allclose(np.exp(found.logits[split]), p[part.row_ids], atol=1e-5)


def test_a_file_of_keras_teaches_a_student_from_columns(tmp_path, own_workspace):
    place = write_table(tmp_path / "a.csv", "multiclass", 300)
    kept = (
        DataLibrary(own_workspace, UPLOADS)
        .add(network(3, "linear", np.array([[-2.0, 0, 2], [0.4, 0, -0.4]])), "a.h5")
        .source
    )
    choice = Choice(name="keras", settings={"path": kept, "columns": ["a", "b"], "classes": ["low", "mid", "top"]})
    result, _ = run_here(
        small_spec(place, "multiclass").model_copy(update={"teacher": choice}),
        tmp_path / "out",
        lambda event: None,
        StopSignal(),
    )
    assert result["teacher"]["metrics"]["accuracy"] > 0.5 and result["teacher"]["parameters"] == 9
