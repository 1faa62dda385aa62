"""A model without a teacher that is chosen is the one to take home: its file, its bytes, its answers; the verdict stays the ordinary one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import kd_core
from kd_core.runs import experiment
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.report import verdict_lines
from kd_core.specs import Choice, ChooseSpec, EvaluationSpec, StudentSpec
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]

SMALL = StudentSpec(name="tiny", arch=Choice(name="mlp", settings={"size": "tiny"}))
TREES = StudentSpec(name="trees", arch=Choice(name="trees", settings={"trees": 40, "leaves": 8}))
WEAK = Choice(name="gradient_boosting", settings={"rounds": 1, "learning_rate": 0.001})  # has nothing to teach


class Crash(BaseException):
    """Ends a run like a kill would: nobody handles it."""


def badly_taught(path, task="binary", students=(SMALL, TREES), **goals):
    spec = small_spec(write_table(path / "t.csv", task), task, epochs=8)
    lesson = Choice(name=spec.objective.name, settings={**spec.objective.settings, "alpha": 1.0})
    more = {"teacher": WEAK, "objective": lesson, "students": students, "choose": ChooseSpec(**goals)}
    metric = "rmse" if task == "regression" else "accuracy"  # the order of rows is taught even by a single small step
    asked = EvaluationSpec(folds=2, latency=True, references=True, metric=metric)
    return spec.model_copy(update={**more, "evaluation": asked})


def carry_out(spec, path, notify=lambda e: None) -> tuple[RunFolder, dict[str, Any]]:
    folder = RunFolder(path)
    if not folder.spec_path.exists():
        folder = RunFolder.create(path, spec)
    found = experiment.run(spec, folder, notify, lambda: False)
    return folder, found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_file_of_the_arm_without_a_teacher_is_what_predict_reads(tmp_path, task):
    spec = badly_taught(tmp_path, task, bytes=10**6)
    folder, found = carry_out(spec, tmp_path / "a")
    folder.finish("done", found)
    json.dumps(found, allow_nan=False)
    choice, student = found["choice"], found["students"][0]
    assert (choice["arm"], choice["best_arm"]) == ("baseline", "baseline")
    own = next(c for c in choice["candidates"] if c["name"] == choice["chosen"])
    assert own["arm"] == "baseline" and own["other"] is None  # the taught one could not be chosen
    (kept,) = json.loads((tmp_path / "a/artifacts/model.json").read_text())["students"]
    assert kept["arm"] == found["artifacts"]["students"][0]["arm"] == student["deployed"]["arm"] == "baseline"
    scores = {t["seed"]: t["score_selected"] for t in student["selection"]["baseline"]}
    sign = 1 if found["metric"]["better"] == "higher" else -1
    assert kept["seed"] == student["selection"]["kept_seed"] == max(scores, key=lambda n: sign * scores[n])

    at = [s.name for s in spec.students].index(choice["chosen"])
    trained = tmp_path / "a/checkpoints/candidates" / f"{at:02d}" / "trained"
    (weights,) = trained.glob(f"0-baseline-{kept['seed']}-*.safetensors")
    assert (tmp_path / "a" / kept["weights"]).read_bytes() == weights.read_bytes()
    assert (tmp_path / "a" / kept["onnx"]).stat().st_size == student["size_bytes"] == student["deployed"]["bytes"]
    opened = kd_core.load(tmp_path / "a")
    assert opened.deployed is not None
    arrays = np.load(tmp_path / "a/artifacts/soft_labels.npz")
    rows = experiment.prepare(spec.dataset).rows.drop(columns="target").iloc[arrays["row_ids"]]
    z, _ = opened.engine.logits(rows)
    assert np.abs(z - arrays["baseline_0"]).max() <= 1e-6 < np.abs(z - arrays["student_0"]).max()
    assert np.abs(opened.answers(rows) - opened.engine.run(rows)[0]).max() <= 1e-4


def test_the_rest_is_the_ordinary_run_of_that_student_and_its_verdict(tmp_path):
    spec = badly_taught(tmp_path, bytes=10**6)
    _, found = carry_out(spec, tmp_path / "a")
    (student,) = [s for s in spec.students if s.name == found["choice"]["chosen"]]
    _, plain = carry_out(spec.model_copy(update={"students": (student,), "choose": None}), tmp_path / "b")
    ours, theirs = found["students"][0], plain["students"][0]
    for kept in ("metrics", "gain", "placebo", "verdict", "versus_teacher", "cell", "advice", "margin"):
        assert ours[kept] == theirs[kept], kept
    assert ours["baseline"] == theirs["baseline"] and "arm" not in theirs["deployed"]
    for arm in ("student", "baseline", "placebo"):
        assert [t["score_selected"] for t in ours["selection"][arm]] == [
            t["score_selected"] for t in theirs["selection"][arm]
        ]
    metric, read = found["metric"]["name"], read_outcome(found).students[0]
    mean = read.baseline.mean(metric)
    assert (
        read.alone
        and read.own is read.baseline
        and read.selected == np.mean([t["score_selected"] for t in ours["selection"]["baseline"]])
    )
    away = read.own_versus_teacher[metric].mean
    assert away == pytest.approx(mean - found["teacher"]["metrics"][metric])  # not the taught one's
    assert away != pytest.approx(read.versus_teacher[metric].mean)
    assert read.plain is not None and read.plain.gain[metric].mean == pytest.approx(mean - read.plain.arm.mean(metric))
    over = read.plain.versus_teacher[metric].mean
    assert over == pytest.approx(read.plain.arm.mean(metric) - found["teacher"]["metrics"][metric])
    said = "\n".join(verdict_lines(found))
    assert "Chosen without a teacher: the teacher did not help" in said
    assert "To take home is the same student alone, the baseline: the file, its size and its times are its own." in said
    assert "  Against the teacher, alone: " in said and "; this student alone: " in said
    assert "Distilling this student does not pay here." not in said
    assert "To take home" not in "\n".join(verdict_lines(plain))


def test_a_killed_run_comes_to_the_same_arm(tmp_path):
    spec = badly_taught(tmp_path, bytes=10**6)
    _, whole = carry_out(spec, tmp_path / "whole")

    def crash_at(kind):
        def hear(event):
            if event["kind"] == kind:
                raise Crash

        return hear

    for kind in ("candidate", "chosen"):
        with pytest.raises(Crash):
            carry_out(spec, tmp_path / "cut", crash_at(kind))
    _, resumed = carry_out(spec, tmp_path / "cut")
    for name in ("chosen", "arm", "best", "best_arm"):
        assert resumed["choice"][name] == whole["choice"][name]
    assert resumed["students"][0]["deployed"]["bytes"] == whole["students"][0]["deployed"]["bytes"]


def test_the_limit_holds_for_the_file_of_the_arm_that_is_taken(tmp_path):
    """The baseline's best seed may exceed the limit; then it is the best of those that keep it."""
    spec = badly_taught(tmp_path, students=(TREES,), bytes=10**6)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"seeds": 4})})
    _, free = carry_out(spec, tmp_path / "free")
    most = free["choice"]["candidates"][0]["bytes"]
    limited = spec.model_copy(update={"choose": ChooseSpec(bytes=most)})
    folder, found = carry_out(limited, tmp_path / "limited")
    assert found["choice"]["arm"] == "baseline" and found["students"][0]["deployed"]["bytes"] <= most
    assert (folder.path / found["artifacts"]["students"][0]["onnx"]).stat().st_size <= most


def test_where_the_smallest_is_asked_for_both_files_are_written_in_a_near_tie(tmp_path):
    near = small_spec(write_table(tmp_path / "t.csv"), epochs=3)
    near = near.model_copy(update={"students": (SMALL,), "choose": ChooseSpec()})
    wide = near.model_copy(update={"evaluation": near.evaluation.model_copy(update={"margin": 0.5})})
    _, found = carry_out(wide, tmp_path / "a")
    (one,) = found["choice"]["candidates"]
    assert one["other"]["bytes"] > 0 and found["choice"]["arm"] == "student"
    _, limited = carry_out(wide.model_copy(update={"choose": ChooseSpec(bytes=10**6)}), tmp_path / "b")
    assert limited["choice"]["candidates"][0]["other"] is None
