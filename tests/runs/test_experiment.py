"""The experiment: fair, resumable, stoppable, and honest about the test part."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kd_core import specs
from kd_core.data import preparation
from kd_core.errors import DataError, KDError, SpecError, Stopped
from kd_core.runs import deployment, experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice
from tests.runs.tables import TINY, small_spec, write_table

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


class Crash(BaseException):
    """Ends a run like a kill would: nobody handles it."""


def carry_out(spec, path, notify=lambda e: None, should_stop=lambda: False) -> dict[str, Any]:
    folder = RunFolder(path)
    if not folder.spec_path.exists():
        folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, notify, should_stop)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_result_has_every_key_and_only_finite_numbers(tmp_path, task):
    spec = small_spec(write_table(tmp_path / "t.csv", task), task)
    result = carry_out(spec, tmp_path / "run")
    json.dumps(result, allow_nan=False)
    student = result["students"][0]
    metric = result["metric"]["name"]
    assert result["schema"] == 4 and result["test_reads"] == 1
    assert sum(result["dataset"]["rows"].values()) == 400
    assert student["seeds"] == [0, 1]
    assert len(student["metrics"][metric]["values"]) == len(student["baseline"]["metrics"][metric]["values"]) == 2
    assert student["verdict"] in {"beats", "ties", "hurts", "inconclusive"}
    low, high = student["gain"][metric]["ci95"]
    assert low <= student["gain"][metric]["mean"] <= high
    sign = 1 if result["metric"]["better"] == "higher" else -1
    ours, theirs = student["metrics"][metric]["mean"], student["baseline"]["metrics"][metric]["mean"]
    assert math.isclose(student["gain"][metric]["mean"], sign * (ours - theirs), abs_tol=1e-12)
    for found in (student["gain"][metric], student["versus_teacher"][metric]):
        assert found["seeds_half"] >= 0 and found["rows_half"] > 0 and found["n"] == 2
        half = math.hypot(found["seeds_half"], found["rows_half"])
        assert found["ci95"] == pytest.approx([found["mean"] - half, found["mean"] + half])
    if task == "regression":
        assert (student["placebo"], student["placebo_reason"]) == (None, "regression")
    else:
        over = student["placebo"]["gain"][metric]
        assert over["mean"] == pytest.approx(sign * (ours - student["placebo"]["metrics"][metric]["mean"]))
    assert (tmp_path / "run" / result["artifacts"]["soft_labels"]).exists()
    for kept in result["artifacts"]["students"]:
        assert (tmp_path / "run" / kept["weights"]).stat().st_size == student["weights_bytes"]
        assert (tmp_path / "run" / kept["onnx"]).stat().st_size == student["size_bytes"]


@pytest.mark.slow
def test_choices_do_not_depend_on_the_test_part(tmp_path, monkeypatch):
    """Shuffle the test labels: every selected epoch and validation score stays, only test metrics move."""
    spec = small_spec(write_table(tmp_path / "t.csv"))
    honest = carry_out(spec, tmp_path / "a")
    real = preparation.prepare

    def shuffled(dataset_spec, root=None):
        dataset = real(dataset_spec, root)
        np.random.default_rng(0).shuffle(dataset.test.y)
        return dataset

    monkeypatch.setattr(experiment, "prepare", shuffled)
    other = carry_out(spec, tmp_path / "b")
    assert honest["students"][0]["selection"]["student"] == [
        {**s, "seconds": h["seconds"]}
        for s, h in zip(
            other["students"][0]["selection"]["student"], honest["students"][0]["selection"]["student"], strict=True
        )
    ]
    assert honest["teacher"]["metrics"]["roc_auc"] > 0.7 > other["teacher"]["metrics"]["roc_auc"]


@pytest.mark.slow
def test_a_crashed_run_goes_on_and_ends_with_the_same_result(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    whole = carry_out(spec, tmp_path / "whole")
    seen: list[dict[str, Any]] = []

    def crash_after_three(event):
        seen.append(event)
        if event["kind"] == "trained" and sum(e["kind"] == "trained" and e["arm"] != "teacher" for e in seen) == 3:
            raise Crash

    with pytest.raises(Crash):
        carry_out(spec, tmp_path / "cut", crash_after_three)
    again: list[dict[str, Any]] = []
    resumed = carry_out(spec, tmp_path / "cut", again.append)
    assert resumed["students"][0]["metrics"] == whole["students"][0]["metrics"]
    assert resumed["students"][0]["baseline"]["metrics"] == whole["students"][0]["baseline"]["metrics"]
    trained_again = {(e["arm"], e["seed"]) for e in again if e["kind"] == "epoch" and e["arm"] != "teacher"}
    assert trained_again == {("baseline", 1), ("student", 1), ("placebo", 1)}


@pytest.mark.slow
def test_a_second_run_trains_no_teacher(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    carry_out(spec, tmp_path / "a")
    events: list[dict[str, Any]] = []
    result = carry_out(spec, tmp_path / "b", events.append)
    assert result["teacher"]["cached"]
    assert not [e for e in events if e["kind"] == "trained" and e["arm"] == "teacher"]


def stop_in_epoch(number, seen):
    """Ask to stop as soon as one training has told this epoch."""
    return lambda: any(e["kind"] == "epoch" and e["epoch"] >= number for e in seen)


@pytest.mark.slow
def test_a_stop_keeps_the_best_so_far_of_both_sides_and_says_so(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), seeds=3, epochs=400, patience=400)
    seen: list[dict[str, Any]] = []
    result = carry_out(spec, tmp_path / "run", seen.append, stop_in_epoch(2, seen))
    student = result["students"][0]
    assert student["seeds"] == [0, 1, 2]
    assert student["stopped_early"] and student["reason"]["code"] == "stopped_early"
    assert student["verdict"] == "inconclusive"
    reached = {s["last_epoch"] for side in ("student", "baseline") for s in student["selection"][side]}
    assert len(reached) == 1 and reached.pop() < 400  # both sides were cut off alike


@pytest.mark.slow
def test_a_stopped_run_that_is_carried_out_again_ends_like_any_other(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), epochs=6)
    seen: list[dict[str, Any]] = []
    carry_out(spec, tmp_path / "run", seen.append, stop_in_epoch(2, seen))
    again, whole = carry_out(spec, tmp_path / "run"), carry_out(spec, tmp_path / "whole")
    assert not again["students"][0]["stopped_early"]
    assert again["students"][0]["metrics"] == whole["students"][0]["metrics"]


@pytest.mark.slow
def test_stop_before_any_student_keeps_nothing(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    seen: list[dict[str, Any]] = []
    with pytest.raises(Stopped, match="nothing to compare yet"):
        carry_out(spec, tmp_path / "run", seen.append, lambda: any(e["kind"] == "teacher" for e in seen))


@pytest.mark.slow
def test_every_epoch_of_every_training_is_told_with_its_losses(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), epochs=3)
    events: list[dict[str, Any]] = []
    result = carry_out(spec, tmp_path / "run", events.append)
    told = [e for e in events if e["kind"] == "epoch"]
    assert {(e["arm"], e["student"], e["seed"], e["epoch"]) for e in told} == {
        (arm, "tiny", seed, epoch)
        for arm in ("baseline", "student", "placebo")
        for seed in (0, 1)
        for epoch in (1, 2, 3)
    }
    (planned,) = [e for e in events if e["kind"] == "plan"]
    assert (planned["epochs"], planned["round_epochs"]) == (3, 3)
    assert {n: result["budget"][n] for n in ("epochs", "rounds", "most_epochs")} == {
        "epochs": 3,
        "rounds": 1,
        "most_epochs": 3,
    }
    alpha = result["students"][0]["alpha"]
    for e in told:
        assert e["epochs"] == 3 and e["hard"] > 0
        if e["arm"] == "baseline":
            assert e["soft"] is None and e["loss"] == e["hard"]
        else:
            assert math.isclose(e["loss"], (1 - alpha) * e["hard"] + alpha * e["soft"], rel_tol=1e-5)
    last = [e for e in events if e["kind"] == "trained" and e["arm"] != "teacher"][-1]
    assert (last["done"], last["of"]) == (6, 6)


@pytest.mark.slow
def test_a_training_that_diverges_ends_the_run_with_its_name(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), learning_rate=1e6, optimiser="sgd", epochs=20)
    with pytest.raises(
        KDError, match=r"The baseline training of 'tiny' with seed 0 diverged: The numbers overflowed"
    ) as raised:
        carry_out(spec, tmp_path / "run")
    assert raised.value.code == "non_finite_loss"


@pytest.mark.slow
def test_alpha_zero_is_the_baseline_bit_for_bit(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    spec = spec.model_copy(update={"objective": Choice(name="hinton", settings={"alpha": 0.0})})
    student = carry_out(spec, tmp_path / "run")["students"][0]
    assert student["metrics"] == student["baseline"]["metrics"]
    assert (student["placebo"], student["placebo_reason"]) == (None, "no_soft_share")
    low, high = student["gain"]["roc_auc"]["ci95"]
    assert low < 0 < high  # identical answers still say nothing about rows that were not seen


def test_everything_that_cannot_work_is_named_at_once(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv", "regression"), "regression")
    spec = spec.model_copy(update={"objective": Choice(name="hinton"), "students": (TINY, TINY)})
    with pytest.raises(DataError) as raised:
        carry_out(spec, tmp_path / "run")
    assert "'hinton' works for binary, multiclass, next_item, not for regression" in raised.value.message
    assert "Two students are called 'tiny'" in raised.value.message


def test_a_metric_of_another_task_is_refused(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    spec = spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"metric": "rmse"})})
    with pytest.raises(SpecError, match="The metric 'rmse' works for regression, not for binary"):
        carry_out(spec, tmp_path / "run")


@pytest.mark.parametrize(("part", "first"), [("test", 340), ("validation", 280)])
def test_a_metric_that_a_part_leaves_undefined_is_refused_before_any_training(tmp_path, part, first):
    path = write_table(tmp_path / "t.csv")
    frame = pd.read_csv(path).assign(day=pd.date_range("2024-01-01", periods=400).strftime("%Y-%m-%d"))
    frame.loc[first : first + 60, "target"] = "no"
    frame.to_csv(path, index=False)
    spec = small_spec(path)
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"time": "day"})})
    events: list[dict[str, Any]] = []
    with pytest.raises(
        DataError, match=rf"'roc_auc' can't be computed on the {part} part: its 60 rows hold 1 "
    ) as raised:
        carry_out(spec, tmp_path / "run", events.append)
    assert raised.value.code == "undefined_metric"
    assert not [e for e in events if e["kind"] in ("epoch", "trained")]


@pytest.mark.slow
def test_too_few_seeds_are_said_by_the_run_itself(tmp_path):
    events: list[dict[str, Any]] = []
    carry_out(small_spec(write_table(tmp_path / "t.csv")), tmp_path / "run", events.append)
    assert any("2 seeds: too few" in e["message"] for e in events if e["kind"] == "warning")


@pytest.mark.slow
def test_a_resumed_run_does_not_mix_two_versions_of_the_data(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    carry_out(spec, tmp_path / "cut")
    write_table(tmp_path / "t.csv", seed=1)
    events: list[dict[str, Any]] = []
    resumed = carry_out(spec, tmp_path / "cut", events.append)
    fresh = carry_out(spec, tmp_path / "fresh")
    assert resumed["students"][0]["metrics"] == fresh["students"][0]["metrics"]
    assert resumed["students"][0]["baseline"]["metrics"] == fresh["students"][0]["baseline"]["metrics"]
    said = [e["message"] for e in events if e["kind"] == "warning" and e["code"] == "trained_again"]
    assert len(said) == 1 and "belong to other data" in said[0]


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "content"), [("json", b"{"), ("json", b"{}"), ("safetensors", b"?")])
def test_a_damaged_finished_training_is_made_again_and_said(tmp_path, ending, content):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    whole = carry_out(spec, tmp_path / "run")
    next((tmp_path / "run/checkpoints/trained").glob(f"0-baseline-1-*.{ending}")).write_bytes(content)
    events: list[dict[str, Any]] = []
    again = carry_out(spec, tmp_path / "run", events.append)
    assert again["students"][0]["baseline"]["metrics"] == whole["students"][0]["baseline"]["metrics"]
    said = [e["message"] for e in events if e["kind"] == "warning" and e["code"] == "damaged_training"]
    assert len(said) == 1 and "0-baseline-1-" in said[0]
    assert {(e["arm"], e["seed"]) for e in events if e["kind"] == "epoch"} == {("baseline", 1)}


@pytest.mark.slow
def test_the_result_names_the_settings_that_were_used_even_by_default(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    spec = spec.model_copy(update={"objective": Choice(name="hinton")})
    student = carry_out(spec, tmp_path / "run")["students"][0]
    assert (student["temperature"], student["alpha"]) == (2.0, 0.7)


@pytest.mark.slow
def test_a_network_that_onnx_cannot_hold_keeps_its_result(tmp_path, monkeypatch):
    def refuse(module, num_inputs):
        raise KDError("The network can't be exported to ONNX: odd.", "Use it from torch.", "onnx_export")

    monkeypatch.setattr(deployment, "onnx_bytes", refuse)
    kept = carry_out(small_spec(write_table(tmp_path / "t.csv")), tmp_path / "run")["artifacts"]["students"][0]
    assert "onnx" not in kept and "can't be exported to ONNX: odd" in kept["onnx_reason"]
    assert (tmp_path / "run" / kept["weights"]).is_file()


@pytest.mark.slow
def test_the_number_of_folds_follows_the_rows_and_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(specs, "MANY_ROWS", 280)
    spec = small_spec(write_table(tmp_path / "t.csv"), epochs=1)
    events = []
    auto = spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"folds": None})})
    result = carry_out(auto, tmp_path / "run", events.append)
    assert result["dataset"]["rows"]["train"] == 280 and result["teacher"]["folds"] == 3
    assert [e["folds"] for e in events if e["kind"] == "plan"] == [3]
    monkeypatch.setattr(specs, "NETWORK_ROWS", 280)
    network = auto.model_copy(update={"teacher": Choice(name="linear", settings={"epochs": 2})})
    result = carry_out(network, tmp_path / "network", events.append)
    assert result["teacher"]["folds"] == 2 and "network_folds" in [n["code"] for n in result["teacher"]["notes"]]
