"""Runs whose teacher is a model that was trained elsewhere: each kind of file drives a student from end to end."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.runs.asked import teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow


def run(spec, folder):
    events = []
    return run_here(spec, folder, events.append, StopSignal())[0], events


def of_lightgbm(frame, place):
    words = frame[["a", "b"]].assign(kind=frame.kind.astype("category"))
    told = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    lightgbm.train(told, lightgbm.Dataset(words, frame.target == "yes"), 40).save_model(place)


def of_xgboost(frame, place):
    xgboost = pytest.importorskip("xgboost")
    rows = xgboost.DMatrix(frame[["a", "b"]], frame.target == "yes")
    xgboost.train({"objective": "binary:logistic", "nthread": 1}, rows, 20).save_model(place)


def of_sklearn(frame, place):
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=40)).fit(
        frame[["a", "b", "kind"]], frame.target
    )
    skops.io.dump(model, place)


FILES = {
    "lightgbm_file": (of_lightgbm, "m.txt", "LightGBM text model has 40 trees and reads 3 columns: a, b, kind"),
    "xgboost_file": (of_xgboost, "m.ubj", "XGBoost model has 20 trees and reads 2 columns: a, b"),
    "sklearn_file": (
        of_sklearn,
        "m.skops",
        "a pipeline of 2 steps that ends in HistGradientBoostingClassifier; it reads 3 columns",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_model_from_a_file_teaches_a_student(name, tmp_path, own_workspace):
    make, file, words = FILES[name]
    table = write_table(tmp_path / "t.csv", rows=700)
    make(pd.read_csv(table).head(350), str(tmp_path / file))  # half of the rows: it never saw the others
    teacher = teacher_choice(name, [f"teacher.path={tmp_path / file}"])
    spec = small_spec(table).model_copy(update={"teacher": teacher})
    found, events = run(spec, tmp_path / "run")
    said = [e["message"] for e in events if e["kind"] == "warning"]
    assert any("has seen the training or test rows is not known" in one for one in said)
    told = found["teacher"]
    assert told["metrics"]["roc_auc"] > 0.8 and told["parameters"] > 40
    assert told["size_bytes"] == (tmp_path / file).stat().st_size
    timed = told["latency_ms"]["native" if name == "sklearn_file" else "onnxruntime"]
    assert timed["1"]["p50"] > 0 if name != "lightgbm_file" else "split by categories" in timed["reason"]
    assert any(words in note["message"] for note in told["notes"])
    student = found["students"][0]
    assert (
        student["verdict"] in {"beats", "ties", "hurts", "inconclusive"}
        and student["fidelity"]["agreement"]["mean"] > 0.6
    )


def test_a_pipeline_of_words_teaches_a_student_of_texts(tmp_path, own_workspace):
    rng = np.random.default_rng(0)
    good, bad = ["lovely", "great", "fine", "good"], ["awful", "broken", "late", "bad"]
    y = rng.random(400) < 0.5
    texts = [
        " ".join([*rng.choice(good if one else bad, 3), *rng.choice(["shoe", "coat", "parcel", "shop", "box"], 9)])
        for one in y
    ]
    table = tmp_path / "t.csv"
    pd.DataFrame(
        {"review": [f"{text} {i}" for i, text in enumerate(texts)], "target": np.where(y, "yes", "no")}
    ).to_csv(table, index=False)
    skops.io.dump(
        make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts[:200], np.where(y, "yes", "no")[:200]),
        tmp_path / "m.skops",
    )
    teacher = teacher_choice("sklearn_file", [f"teacher.path={tmp_path / 'm.skops'}"])
    spec = small_spec(table)
    dataset = spec.dataset.model_copy(update={"kinds": {"review": "text"}})
    found, _ = run(spec.model_copy(update={"teacher": teacher, "dataset": dataset}), tmp_path / "run")
    assert found["teacher"]["metrics"]["roc_auc"] > 0.95
    assert any("it reads the texts of review" in note["message"] for note in found["teacher"]["notes"])


def test_a_pickle_is_refused_on_the_command_line_with_the_lines_that_convert_it(tmp_path, own_workspace):
    table = write_table(tmp_path / "t.csv")
    (tmp_path / "m.pkl").write_bytes(b"\x80\x04\x95" + bytes(60))
    arguments = [
        "distill",
        str(table),
        "--target",
        "target",
        "--teacher",
        "sklearn_file",
        "--set",
        f"teacher.path={tmp_path / 'm.pkl'}",
    ]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code != 0
    shown = " ".join(done.output.split())
    assert "skops.io.dump(model, 'teacher.skops')" in shown and "m.pkl is a pickle" in shown


def test_a_file_of_the_other_library_says_which_teacher_opens_it(tmp_path, own_workspace):
    table = write_table(tmp_path / "t.csv")
    of_lightgbm(pd.read_csv(table), str(tmp_path / "m.txt"))
    teacher = teacher_choice("xgboost_file", [f"teacher.path={tmp_path / 'm.txt'}"])
    spec = small_spec(table).model_copy(update={"teacher": Choice(name="xgboost_file", settings=teacher.settings)})
    with pytest.raises(Exception, match=r"m\.txt is a LightGBM text file.+Take the teacher LightGBM file"):
        run(spec, tmp_path / "run")
