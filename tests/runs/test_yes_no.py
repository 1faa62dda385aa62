"""The threshold of a yes-or-no run: chosen on validation rows, kept with the file, used by every way to ask it."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import SpecError
from kd_core.evaluate import threshold
from kd_core.evaluate.threshold import Rule
from kd_core.export.standalone.student import Student
from kd_core.runs.direct import run_here
from kd_core.runs.predictor import Engine, load
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.safe_io import write_json
from kd_core.serving.answering import told
from kd_core.specs import EvaluationSpec
from tests.runs.tables import small_spec, write_table


def carry_out(spec, path):
    return run_here(spec, path, lambda event: None, StopSignal())[0]


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """A run on rows of which one in twelve is positive, with its table."""
    place = tmp_path_factory.mktemp("rare")
    path = write_table(place / "t.csv", rows=900)
    frame = pd.read_csv(path)
    frame = pd.concat([frame[frame.target == "no"], frame[frame.target == "yes"].head(40)])
    frame.to_csv(path, index=False)
    return carry_out(small_spec(path, seeds=2), place / "run"), place / "run", frame


def test_few_positive_rows_get_a_threshold_of_their_own_which_is_told_at_both(rare):
    result, _, _ = rare
    block = result["students"][0]["threshold"]
    assert block["used"] and block["rule"] == "f1" and not block["asked"] and 0 < block["share"] < 0.1
    student = block["arms"]["student"]
    assert set(block["arms"]) == {"student", "baseline", "teacher"} and len(student["values"]) == 2
    assert block["value"] == pytest.approx(student["values"][block["kept"]], abs=1e-6)
    half = result["students"][0]["metrics"]
    for name in ("precision", "recall", "f1"):
        known = [v or 0.0 for v in half[name]["values"]]
        assert student["half"][name]["values"] == pytest.approx(known)
    assert block["rows"] == result["dataset"]["rows"]["test"] and 0 < block["positives"] < block["rows"]


def test_the_threshold_is_that_of_the_validation_rows(rare):
    result, path, _ = rare
    folder = RunFolder(path)
    data = prepare(folder.spec().dataset)
    rows = data.rows.iloc[data.validation.row_ids]
    p = load(path).answers(rows.drop(columns="target"))[:, 1]
    wanted = threshold.chosen(data.validation.y == 1, p, Rule("f1"))
    assert result["students"][0]["threshold"]["value"] == pytest.approx(wanted, abs=1e-5)


def test_every_way_to_ask_says_yes_from_it_on(rare):
    result, path, frame = rare
    at, rows = result["students"][0]["threshold"]["value"], frame.drop(columns="target")
    student = load(path)
    p = student.answers(rows)[:, 1]
    wanted = np.where(p >= at, "yes", "no").tolist()
    assert wanted != np.where(p >= 0.5, "yes", "no").tolist()  # else nothing is tested
    assert student.predict(rows)["target"].tolist() == wanted
    assert [one["answer"] for one in told(student.answers(rows), student)] == wanted
    (file,) = [one["onnx"] for one in result["artifacts"]["students"]]
    alone = Student(path / file, {})
    assert alone.questions.every[0].threshold == at
    assert [
        one["target"] for one in alone.predict(rows.astype(object).where(rows.notna(), None).to_dict("records"))
    ] == wanted


def test_a_student_without_a_file_keeps_it_as_well(rare, tmp_path):
    _, path, frame = rare
    shutil.copytree(path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    model = folder.read(MODEL)
    for one in model["students"]:
        one["raw"] = False
    write_json(folder.path / MODEL, model)
    student = load(folder.path)
    assert isinstance(student.engine, Engine)
    assert (
        student.predict(frame.drop(columns="target"))["target"].tolist()
        == load(path).predict(frame.drop(columns="target"))["target"].tolist()
    )


def test_one_half_is_told_beside_what_the_best_f1_would_give_and_nothing_is_kept(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), seeds=2)
    result = carry_out(spec, tmp_path / "run")
    block = result["students"][0]["threshold"]
    assert not block["used"] and block["value"] is None and block["rule"] == "f1"
    assert "threshold" not in RunFolder(tmp_path / "run").read(MODEL)["students"][0]
    assert load(tmp_path / "run").purpose.threshold is None


def test_a_wanted_recall_is_kept_on_validation_rows(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), seeds=2)
    asked = spec.evaluation.model_copy(update={"threshold": "recall:.95"})
    result = carry_out(spec.model_copy(update={"evaluation": asked}), tmp_path / "run")
    block = result["students"][0]["threshold"]
    assert (block["rule"], block["wanted"], block["used"], block["asked"]) == ("recall", 0.95, True, True)
    assert block["value"] < 0.5


def test_numbers_have_no_threshold(tmp_path):
    result = carry_out(
        small_spec(write_table(tmp_path / "t.csv", "regression"), "regression", seeds=2), tmp_path / "run"
    )
    assert "threshold" not in result["students"][0]


@pytest.mark.parametrize("asked", ["best", "precision", "recall:2", "precision:-.1", "f1:.3"])
def test_a_rule_that_nobody_knows_is_refused(asked):
    with pytest.raises(SpecError, match="threshold"):
        EvaluationSpec.parse({"threshold": asked}, "evaluation")
