import math

import numpy as np
import pytest
import torch

from kd_core.distill.sweep import handover
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.specs import TrainingSpec
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher

VARIANTS = [Variant(STUDENT, None, 0), Variant(STUDENT, objective_for("binary", alpha=0.3), 7, 1e-2, 0.0)]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_child_gets_what_the_parent_has_except_the_test_rows(tmp_path, task):
    data, training = make_dataset(task), TrainingSpec(epochs=4, learning_rate=0.3)
    handover.write(tmp_path, data, VARIANTS, teacher(data), training, "rmse", tmp_path / "kept")
    got = handover.read(tmp_path)
    for split in ("train", "validation"):
        assert np.array_equal(got.dataset.view().parts[split], data.view().parts[split])
        assert np.array_equal(got.dataset.scaled_y(split), data.scaled_y(split))
    assert len(got.dataset.test) == 0
    for name in ("hash", "task", "classes", "num_outputs", "target_mean", "target_std"):
        assert getattr(got.dataset, name) == getattr(data, name)
    assert np.array_equal(got.teacher_logits, teacher(data))
    assert (got.variants, got.training, got.metric) == (VARIANTS, training, "rmse")
    assert got.checkpoints == tmp_path / "kept"
    assert isinstance(got.dataset.view().parts["train"], np.memmap)


def test_there_may_be_no_teacher(tmp_path):
    handover.write(tmp_path, make_dataset(), VARIANTS[:1], None, TrainingSpec(), None, None)
    got = handover.read(tmp_path)
    assert (got.teacher_logits, got.metric, got.checkpoints) == (None, None, None)


def test_a_result_comes_back_as_it_was_and_leaves_no_files(tmp_path):
    state = {"w": torch.randn(3, 2), "b": torch.zeros(2)}
    history = [{"epoch": 1, "score": 0.25, "metrics": {"roc_auc": None}}]
    sent = TrainedVariant(VARIANTS[1], state, 1, 2, 0.25, 0.125, 3.5, True, None, history)
    handover.write_result(tmp_path, 4, sent)
    got = handover.read_result(tmp_path, 4, VARIANTS[1])
    assert {k: v.tolist() for k, v in got.state.items()} == {k: v.tolist() for k, v in state.items()}
    got.state = sent.state
    assert got == sent
    assert list(tmp_path.iterdir()) == []


def test_one_that_diverged_at_once_comes_back_without_weights(tmp_path):
    handover.write_result(tmp_path, 0, TrainedVariant(VARIANTS[0], {}, 0, 0, math.nan, math.nan, 0.0, diverged="inf"))
    got = handover.read_result(tmp_path, 0, VARIANTS[0])
    assert (got.state, got.diverged) == ({}, "inf")
    assert math.isnan(got.score_selected)
    assert math.isnan(got.score_last)
