from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.data.dataset import Dataset, Part
from kd_core.data.input_spec import table_inputs
from kd_core.data.view import Views
from kd_core.distill import objective
from kd_core.distill.student import train_student
from kd_core.models.building import build
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.training import rows as row_source

STUDENT = StudentSpec(name="tiny", arch=Choice(name="mlp", settings={"size": "tiny", "dropout": 0.2}))
TRAINING = TrainingSpec(epochs=3, batch_size=32)


def make_dataset(task="binary", rows=240):
    rng = np.random.default_rng(0)

    def part(n):
        x = rng.normal(size=(n, 5)).astype(np.float32)
        y = 100 + 20 * x[:, 0] + rng.normal(size=n) if task == "regression" else (x[:, 0] + rng.normal(size=n) > 0)
        return x, Part(y.astype(np.float32 if task == "regression" else np.int64), np.arange(n))

    made = {"train": part(rows), "validation": part(90), "test": part(80)}
    parts = {split: labels for split, (_, labels) in made.items()}
    y = parts["train"].y
    scale = {"target_mean": float(y.mean()), "target_std": float(y.std())} if task == "regression" else {}
    return Dataset(
        DatasetSpec(source="memory", target="y"),
        "memory",
        "0",
        task,
        () if task == "regression" else ("no", "yes"),
        tuple("abcde"),
        parts,
        Views.of_table({split: x for split, (x, _) in made.items()}),
        pd.DataFrame(),
        **scale,
    )


def teacher(dataset):
    z = 2 * dataset.view().parts["train"][:, :1]
    return z / 2 if dataset.task == "regression" else np.concatenate([-z, z], axis=1)


def same(a, b):
    return all(torch.equal(a.state_dict()[k], b.state_dict()[k]) for k in a.state_dict())


def objective_for(task, **settings):
    return Choice(name="mse" if task == "regression" else "hinton", settings=settings)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_alpha_zero_is_the_baseline_bit_for_bit(task):
    data = make_dataset(task)
    alone = train_student(data, STUDENT, None, None, TRAINING, 3)
    taught = train_student(data, STUDENT, objective_for(task, alpha=0.0), teacher(data), TRAINING, 3)
    assert same(alone, taught)
    assert [h["loss"] for h in alone.trained.history] == [h["loss"] for h in taught.trained.history]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_lesson_changes_the_student(task):
    data = make_dataset(task)
    alone = train_student(data, STUDENT, None, None, TRAINING, 3)
    taught = train_student(data, STUDENT, objective_for(task, alpha=1.0), teacher(data), TRAINING, 3)
    assert not same(alone, taught)
    assert all(np.isfinite(h["loss"]) for h in taught.trained.history)
    assert taught.trained.history[-1]["soft"] < taught.trained.history[0]["soft"]


def test_both_arms_start_from_the_same_weights_whatever_came_before():
    data, starts = make_dataset(), []
    training = TrainingSpec(epochs=1, batch_size=32, learning_rate=1e-30, weight_decay=0)
    for lesson, z, noise in ((None, None, 1), (Choice(name="hinton"), teacher(data), 2)):
        torch.manual_seed(noise)
        starts.append(train_student(data, STUDENT, lesson, z, training, 5))
    assert same(*starts)
    assert not same(starts[0], train_student(data, STUDENT, None, None, training, 6))


def test_test_rows_are_read_only_when_asked_for():
    data = make_dataset()
    unread = np.full_like(data.view().parts["test"], np.nan)
    hidden = replace(data, views=Views.of_table({**data.view().parts, "test": unread}))
    trained = train_student(hidden, STUDENT, None, None, TRAINING, 0)
    assert set(trained.logits) == {"validation"}
    assert trained.logits["validation"].shape == (90, 2)
    assert np.isnan(trained.test_logits()).all()
    assert train_student(data, STUDENT, None, None, TRAINING, 0).test_logits().shape == (80, 2)


@pytest.mark.parametrize("room", [0, 10**9])
def test_rows_in_a_file_give_the_same_student_streamed_or_not(tmp_path, monkeypatch, room):
    data, events = make_dataset(), []
    monkeypatch.setattr(row_source, "budget_bytes", lambda device, reserved=0: room)
    parts = {}
    for name, x in data.view().parts.items():
        np.save(tmp_path / f"{name}.npy", x)
        parts[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="c")
    stored = replace(data, views=Views.of_table(parts))
    lesson = Choice(name="hinton")
    whole = train_student(data, STUDENT, lesson, teacher(data), TRAINING, 3)
    found = train_student(stored, STUDENT, lesson, teacher(data), TRAINING, 3, notify=events.append)
    assert same(whole, found)
    assert np.array_equal(whole.test_logits(), found.test_logits())
    assert [e.get("code") for e in events] == ([] if room else ["rows_streamed"]) + [None] * 3


def test_what_is_kept_is_the_student_alone():
    data = make_dataset()
    taught = train_student(data, STUDENT, Choice(name="hinton"), teacher(data), TRAINING, 0)
    assert taught.state_dict().keys() == build(STUDENT.arch, table_inputs(5), 2).state_dict().keys()


def test_regression_is_scored_in_the_targets_unit():
    data = make_dataset("regression")
    trained = train_student(data, STUDENT, None, None, TrainingSpec(epochs=40, batch_size=32, learning_rate=3e-3), 0)
    z = trained.logits["validation"][:, 0]
    rmse = np.sqrt(np.mean((z * data.target_std + data.target_mean - data.validation.y) ** 2))
    assert trained.trained.score_selected == pytest.approx(rmse, rel=1e-5)
    assert trained.trained.score_selected < 0.6 * data.validation.y.std()


def test_the_selection_metric_can_be_chosen():
    trained = train_student(make_dataset(), STUDENT, None, None, TRAINING, 0, selection_metric="brier").trained
    assert trained.score_selected == min(h["metrics"]["brier"] for h in trained.history)


def test_balanced_weights_raise_the_share_of_the_rare_class():
    data = make_dataset()
    keep = np.flatnonzero((data.train.y == 0) | (np.arange(240) % 6 == 0))
    x = data.view().parts
    rare = replace(
        data,
        parts={**data.parts, "train": Part(data.train.y[keep], keep)},
        views=Views.of_table({**x, "train": x["train"][keep]}),
    )
    share = {}
    for mode in ("none", "balanced"):
        training = TrainingSpec(epochs=15, batch_size=32, class_weights=mode)
        share[mode] = train_student(rare, STUDENT, None, None, training, 0).logits["validation"].argmax(1).mean()
    assert share["balanced"] > share["none"] + 0.1


def test_classes_are_weighed_and_numbers_are_not():
    data, asked = make_dataset("binary"), TrainingSpec(class_weights="balanced")
    weights, count = objective.weights_for(data, asked), np.bincount(data.train.y)
    np.testing.assert_allclose(weights, len(data.train) / (2 * count), rtol=1e-6)
    assert objective.weights_for(data, TRAINING) is None
    assert objective.weights_for(make_dataset("regression"), asked) is None
