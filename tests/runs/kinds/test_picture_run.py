"""A zip of class folders, from the file to a student that another program can use."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.errors import DataError
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec
from tests.data.pictures.zips import shapes, zipped

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]

OUTSIDE = """
import io, json, sys
import numpy as np, onnxruntime, pyarrow.parquet
from PIL import Image
bands, height, width = json.load(open(sys.argv[1]))["shape"][1:]
files = pyarrow.parquet.read_table(sys.argv[3])["picture"].to_pylist()
x = np.stack([np.asarray(Image.open(io.BytesIO(f))).reshape(height, width, bands).transpose(2, 0, 1) for f in files])
print(json.dumps(onnxruntime.InferenceSession(sys.argv[2]).run(None, {"x": x})[0].tolist()))
assert not [m for m in sys.modules if m.startswith(("torch", "kd_core", "sklearn"))]
"""


def picture_spec(place, **more):
    path = zipped(place / "shapes.zip", shapes(60, colour=True))
    return RunSpec(
        dataset=DatasetSpec(source=str(path), target="class"),
        teacher=teacher_choice("cnn", ["teacher.size=small", "teacher.epochs=8", "teacher.learning_rate=0.01"]),
        students=(student_spec("cnn:tiny"),),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=8, seeds=2, learning_rate=0.01),
        evaluation=EvaluationSpec(folds=2, latency=more.pop("latency", False), references=False),
        **more,
    )


def carry_out(spec, path):
    folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, lambda event: None, lambda: False), folder


def test_a_picture_student_is_trained_judged_and_can_be_used_elsewhere(tmp_path):
    result, folder = carry_out(picture_spec(tmp_path, latency=True), tmp_path / "run")
    (student,) = result["students"]
    assert student["verdict"] in ("beats", "ties", "hurts", "inconclusive")
    assert result["teacher"]["metrics"]["accuracy"] > 0.9 and student["metrics"]["accuracy"]["mean"] > 0.7
    assert student["placebo"] is not None and result["dataset"]["features"] == 1
    assert {"torch", "onnxruntime", "whole"} == set(student["latency_ms"])
    assert all(times["1"]["p50"] > 0 for times in student["latency_ms"].values())
    assert result["teacher"]["latency_ms"]["whole"]["1"]["p50"] > 0 and student["deployed"]["inputs"] == "raw rows"
    (kept,) = result["artifacts"]["students"]
    assert kept["view"] == [f"artifacts/views/pixels/{name}" for name in ("pixels.json", "columns.json")]
    rows = folder.artifact("rows.parquet")
    assert pd.read_parquet(rows)["picture"][0].startswith(b"\x89PNG")
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, folder.path / kept["view"][0], folder.path / kept["network"], rows],
        capture_output=True,
        text=True,
        check=True,
    )
    logits = np.load(folder.artifact("soft_labels.npz"))["student_0"]
    assert np.allclose(json.loads(done.stdout), logits, atol=1e-4)
    folder.write_result(result)
    opened = kd_core.load(folder.path)
    files = pd.read_parquet(rows)[["picture"]]
    found = opened.predict(files)
    assert np.abs(np.log(found.filter(like="p_")).diff(axis=1).iloc[:, 1:] - np.diff(logits)).max(axis=None) < 1e-3
    assert opened.answer({"picture": files["picture"][0]})["class"] == found["class"][0]
    (tmp_path / "one.PNG").write_bytes(files["picture"][0])
    alone = CliRunner().invoke(app, ["predict", str(folder.path), str(tmp_path / "one.PNG")])
    assert alone.exit_code == 0 and alone.stdout.splitlines()[1].startswith(f"{found['class'][0]},")
    assert np.abs(opened.engine.run(files)[0] - opened.answers(files)).max() < 1e-5
    with pytest.raises(DataError, match="Row 1 holds a str under 'picture', which is no picture") as caught:
        opened.predict([["a.png"]])
    assert caught.value.code == "no_picture"


def test_a_what_if_of_picture_students_trains_one_after_another(tmp_path):
    result, _ = carry_out(picture_spec(tmp_path, sweep=SweepSpec(temperature=(1, 4))), tmp_path / "run")
    assert result["sweep"]["mode"] != "fused" and len(result["cells"]) == 2


def test_folders_are_the_target_on_the_command_line_too(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "workspace"))
    path = zipped(tmp_path / "shapes.zip", shapes(20))
    options = ["--teacher", "cnn", "--set", "teacher.size=tiny", "--set", "teacher.epochs=1", "--student", "cnn:tiny"]
    some = ["--epochs", "1", "--seeds", "2", "--folds", "2", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["distill", str(path), *options, *some])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "spec.json").read_text())["dataset"]["target"] == "class"


def test_any_other_file_wants_a_target(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    done = CliRunner().invoke(app, ["distill", str(tmp_path / "a.csv")])
    assert done.exit_code == 2
    assert "a.csv does not say which column is to be predicted.\nhint: Name it: --target COLUMN." in done.output


def test_a_teacher_of_tables_is_refused_in_words(tmp_path):
    path = zipped(tmp_path / "shapes.zip", shapes(20))
    done = CliRunner().invoke(app, ["distill", str(path), "--student", "cnn:tiny", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2 and "reads table; these rows can be read as pixels" in done.output
