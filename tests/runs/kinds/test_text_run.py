"""A table with a column of texts, from the file to a student that another program can use."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.errors import SpecError
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec
from tests.data.views.test_text_views import text_table
from tests.export.test_carried_view import ODD

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]

OUTSIDE = """
import json, sys
import numpy as np, onnxruntime
from tokenizers import Tokenizer
cut = Tokenizer.from_file(sys.argv[1])
ids = np.array([e.ids for e in cut.encode_batch(json.loads(sys.argv[3]))], np.int32)
print(json.dumps(onnxruntime.InferenceSession(sys.argv[2]).run(None, {"x": ids})[0].tolist()))
assert not [m for m in sys.modules if m.startswith(("torch", "kd_core", "sklearn"))]
"""


def text_spec(path, **more):
    return RunSpec(
        dataset=text_table(path, 300),
        teacher=teacher_choice("sklearn", ["teacher.view=tfidf", "teacher.strength=10"]),
        students=(student_spec("textcnn:tiny"),),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=30, seeds=2, learning_rate=0.02),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
        **more,
    )


def carry_out(spec, path):
    folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, lambda event: None, lambda: False), folder


def test_a_text_student_is_trained_judged_and_can_be_used_elsewhere(tmp_path):
    result, folder = carry_out(text_spec(tmp_path / "a.csv"), tmp_path / "run")
    (student,) = result["students"]
    assert student["verdict"] in ("beats", "ties", "hurts", "inconclusive")
    assert result["teacher"]["metrics"]["roc_auc"] > 0.99 and student["metrics"]["roc_auc"]["mean"] > 0.9
    assert student["placebo"] is not None and result["dataset"]["features"] == 2  # columns: no table was encoded
    (kept,) = result["artifacts"]["students"]
    assert kept["view"] == [f"artifacts/views/tokens/{name}" for name in ("tokenizer.json", "columns.json")]
    rows = folder.artifact("rows.parquet")
    logits = np.load(folder.artifact("soft_labels.npz"))["student_0"]
    texts = pd.read_parquet(rows)["message"].tolist()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            OUTSIDE,
            folder.path / kept["view"][0],
            folder.path / kept["network"],
            json.dumps(texts),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert np.allclose(json.loads(done.stdout), logits, atol=1e-5)
    folder.write_result(result)
    opened = kd_core.load(folder.path)
    assert opened.columns == ("message",)  # the other columns are not needed
    assert np.abs(opened.engine.logits([[f" {text} "] for text in texts])[0] - logits).max() <= 1e-6


def test_a_weighted_bag_answers_odd_texts_alike_by_engine_run_and_file(tmp_path):
    spec = text_spec(tmp_path / "a.csv").model_copy(update={"students": (student_spec("bag:tiny"),)})
    result, folder = carry_out(spec, tmp_path / "run")
    folder.write_result(result)
    (student,), (kept,) = result["students"], result["artifacts"]["students"]
    assert student["metrics"]["roc_auc"]["mean"] > 0.95 and student["deployed"]["inputs"] == "raw rows"
    assert student["size_bytes"] == (folder.path / kept["onnx"]).stat().st_size  # the vocabulary included
    opened, rows = kd_core.load(folder.path), [{"message": text} for text in ODD]
    found = opened.answers(rows)
    assert np.abs(opened.engine.run(rows)[0] - found).max() < 1e-5
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("onnx", "compact"):
        copy = elsewhere / Path(kept[name]).name
        copy.write_bytes((folder.path / kept[name]).read_bytes())
        assert np.abs(kd_core.load(copy).answers(rows) - found).max() < 1e-6
    written = [text for text in ODD[2:] if text not in ("\ud800", "\x00")]  # what no file of text can hold
    pd.DataFrame({"message": written}).to_csv(elsewhere / "rows.csv", index=False)
    said = CliRunner().invoke(
        app, ["predict", str(copy), str(elsewhere / "rows.csv"), "--out", str(elsewhere / "a.csv")]
    )
    assert said.exit_code == 0, said.output
    assert len(pd.read_csv(elsewhere / "a.csv")) == len(written)


def test_a_what_if_of_text_students_trains_one_after_another(tmp_path):
    spec = text_spec(tmp_path / "a.csv", sweep=SweepSpec(temperature=(1, 4)))
    result, _ = carry_out(spec, tmp_path / "run")
    assert result["sweep"]["mode"] == "sequential" and len(result["cells"]) == 2


def test_only_the_linear_model_reads_weighted_terms(tmp_path):
    spec = text_spec(tmp_path / "a.csv")
    forest = teacher_choice("sklearn", ["teacher.view=tfidf", "teacher.model=extra_trees"])
    with pytest.raises(SpecError, match="The model 'extra_trees' can't be taught by weighted terms") as caught:
        carry_out(spec.model_copy(update={"teacher": forest}), tmp_path / "run")
    assert caught.value.code == "view_not_possible"


def test_settings_on_the_command_line_name_their_part():
    assert teacher_choice("mlp", ["teacher.epochs=3", "teacher.size=tiny"]).settings == {"epochs": 3, "size": "tiny"}
    for text in ("epochs=3", "teacher.epochs", "student.width=3", "teacher.=3"):
        with pytest.raises(SpecError, match=r"is not understood\. Write teacher\.<setting>=<value>") as caught:
            teacher_choice("mlp", [text])
        assert caught.value.code == "bad_setting"
