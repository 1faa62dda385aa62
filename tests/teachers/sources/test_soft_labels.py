"""Soft labels as a source: found by place or by id, partly known, and never silently wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.errors import DataError, SpecError
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers.base import SOURCES, Ask, TeacherAnswers, known_rows, without_own_columns
from kd_core.teachers.sources.soft_labels import SoftLabelsSpec
from tests.teachers.tables import dataset

N = 350


def data(task="binary", **columns):
    made = dataset(task)
    return replace(made, rows=pd.DataFrame({"key": [f"r{i}" for i in range(N)], **columns}))


def ask(source, **settings):
    entry = SOURCES.get("soft_labels")
    question = Ask(source, None, 5, 0, None, "", "cpu", print, lambda: False)
    return entry.make(entry.spec.parse(settings), question)


def table(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return DataLibrary(path.parent / "ws", UPLOADS).add(path.read_bytes(), path.name).source


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "answers.csv"


def probabilities(n=N):
    p = np.linspace(0.1, 0.9, n)
    return {"p_no": 1 - p, "p_yes": p}


def test_columns_of_the_data_answer_the_rows_they_stand_in():
    p = probabilities()
    p = {name: np.where(np.arange(N) % 3 == 0, np.nan, values) for name, values in p.items()}
    found = ask(data(**p), columns=["p_yes", "p_no"])
    z = found.logits["test"]
    assert z.shape == (50, 2) and known_rows(z).tolist() == [i % 3 != 0 for i in range(300, 350)]
    np.testing.assert_allclose(np.exp(z[1, 1]), p["p_yes"][301], rtol=1e-5)
    assert (found.num_parameters, found.size_bytes, found.folds, found.live) == (None, None, 0, None)
    codes = [note["code"] for note in found.notes]
    assert codes == ["read_as", "teacher_maybe_saw"]
    told = TeacherAnswers("soft_labels", dict(found.logits), None, None, {}, 0.0, 0)
    assert told.known() == {"train": 133, "validation": 67, "test": 33}


def test_a_teacher_that_knows_all_rows_says_nothing_of_it():
    found = ask(data(**probabilities()), columns=["p_yes", "p_no"])
    assert TeacherAnswers("soft_labels", dict(found.logits), None, None, {}, 0.0, 0).known() == {}


def test_a_file_answers_in_the_order_of_the_rows_and_says_what_it_did_not_read(file):
    found = ask(data(), path=table(file, note=["x"] * N, **probabilities()))
    np.testing.assert_allclose(np.exp(found.logits["train"][0]), [0.9, 0.1], rtol=1e-5)
    assert "not read: note" in next(n["message"] for n in found.notes if n["code"] == "soft_label_other_columns")


def test_rows_are_found_by_id_whatever_their_order(file):
    order = np.random.default_rng(0).permutation(N)[:200]
    p = probabilities()["p_yes"][order]
    source = table(file, key=[*(f"r{i}" for i in order), "other"], score=[*p, 0.5])
    found = ask(data(), path=source, id="key", columns=["score"])
    z = np.concatenate([found.logits[s] for s in ("train", "validation", "test")])
    assert known_rows(z).sum() == 200 and known_rows(z)[order].all()
    np.testing.assert_allclose(np.exp(z[order, 1]), p, rtol=1e-5)
    assert "1 rows of the soft labels belong to no row" in found.notes[1]["message"]


def test_numbers_as_ids_are_the_same_however_they_are_written(file):
    made = replace(data(), rows=pd.DataFrame({"key": np.arange(N, dtype=float)}))
    found = ask(made, path=table(file, key=[str(i) for i in range(N)], score=probabilities()["p_yes"]), id="key")
    assert known_rows(found.logits["train"]).all()


def test_a_number_needs_one_column():
    found = ask(data("regression", guess=np.linspace(30, 50, N)), columns=["guess"])
    assert found.logits["train"].shape == (200, 1)


@pytest.mark.parametrize(
    ("columns", "settings", "code", "words"),
    [
        ({}, {}, "soft_labels_where", r"neither in a file nor in columns of the data\. Name a file"),
        ({}, {"columns": ["p_yse"]}, "unknown_column", r"no column p_yse\. Columns: key"),
        ({"p_no": [0.1] * N}, {"columns": ["p_no"]}, "soft_label_classes", r"'yes' \(none\)"),
        (
            {"s": ["0.5"] * (N - 1) + ["half"]},
            {"columns": ["s"]},
            "soft_label_numbers",
            r"1 value .* in s is no number: row 350 holds 'half'",
        ),
        ({"s": [np.nan] * 200 + [0.5] * 150}, {"columns": ["s"]}, "soft_labels_none", r"none of the 200 training rows"),
    ],
)
def test_columns_that_can_not_be_are_refused(columns, settings, code, words):
    with pytest.raises((DataError, SpecError), match=words) as error:
        ask(data(**columns), **settings)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("columns", "settings", "code", "words"),
    [
        ({"s": [0.5] * 9}, {}, "soft_label_rows", r"have 9 rows, the data has 350\. Give one row for each"),
        (
            {"key": ["r1", "r1", "r2"], "s": [0.5] * 3},
            {"id": "key"},
            "soft_label_ids",
            r"name 1 row more than once, for example r1",
        ),
        ({"id": ["r1", "r2"], "s": [0.5] * 2}, {"id": "id"}, "unknown_column", r"The data has no column 'id' by which"),
        ({"key": ["x1", "x2"], "s": [0.5] * 2}, {"id": "key"}, "soft_labels_none", r"answer none of the"),
    ],
)
def test_files_that_do_not_fit_are_refused(file, columns, settings, code, words):
    with pytest.raises(DataError, match=words) as error:
        ask(data(), path=table(file, **columns), **settings)
    assert error.value.code == code


def test_only_files_of_the_workspace_are_named():
    with pytest.raises(SpecError, match="path: String should match pattern"):
        SoftLabelsSpec.parse({"path": "../secret.csv"})


def test_a_file_that_is_gone_is_said(file):
    with pytest.raises(DataError, match=r"is not in the workspace\. Upload it again"):
        ask(data(), path=f"sha256:{'0' * 64}")


def test_columns_of_the_teacher_are_kept_from_the_students():
    spec = DatasetSpec(source="a.csv", target="y", drop=("id", "p_no"))
    own = Choice(name="soft_labels", settings={"columns": ["p_no", "p_yes"]})
    assert without_own_columns(spec, own).drop == ("id", "p_no", "p_yes")
    of_file = Choice(name="soft_labels", settings={"columns": ["p_no"], "path": f"sha256:{'0' * 64}"})
    assert without_own_columns(spec, of_file) is spec
    assert without_own_columns(spec, Choice(name="mlp")) is spec
