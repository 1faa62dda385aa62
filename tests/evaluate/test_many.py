"""One metric for many networks: the registered metric's value for each of them."""

import numpy as np
import pytest
import torch

from kd_core.distill.stack.stackable import why_apart
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import settling
from kd_core.evaluate.many import ManyScores
from kd_core.task import IN_PARTS, TASKS, task_of
from kd_core.training.scoring import Scoring
from tests.laws.losses import several_rows

STACKED = [t for t in TASKS.names() if not task_of(t).compact]  # see the last test
FITTING = [(e.name, t) for e in METRICS.entries() for t in STACKED if t in e.tasks]
NETWORKS, ROWS = 5, 57
OUTPUTS = {
    "binary": 2,
    "multiclass": 4,
    "regression": 1,
    "ranking": 1,
    "multilabel": 3,
    "multitask": several_rows.OUTPUTS,
}
SCALES = {"regression": (50.0, 10.0), "multitask": (np.array([0.0, 300.0, 0.0]), np.array([1.0, 12.0, 1.0]))}
FULL = {"multitask": several_rows.SEVERAL}
GROUPS = np.arange(ROWS) % 7


def labels(task, rng, only=None):
    if task == "regression":
        return rng.normal(50, 10, ROWS)
    if task_of(task).each_alone:
        return rng.integers(0, 2, (ROWS, OUTPUTS[task]))
    if IN_PARTS(task_of(task)):
        return several_rows.labels(ROWS, 3)
    if task_of(task).by_order:
        return rng.integers(0, 5, ROWS).astype(float)
    return np.full(ROWS, only) if only is not None else rng.integers(0, OUTPUTS[task], ROWS)


def expected(task, metric, y, z):
    told = FULL.get(task, task), *SCALES.get(task, (0.0, 1.0))
    return [METRICS.get(metric).make(from_logits(told[0], y, one.T.numpy(), *told[1:], groups=GROUPS)) for one in z]


def found(task, metric, y, z):
    return ManyScores(FULL.get(task, task), y, metric, *SCALES.get(task, (0.0, 1.0)), GROUPS)(z)


@pytest.mark.parametrize(("metric", "task"), FITTING)
class TestEveryMetric:
    @pytest.mark.parametrize("kind", ["plain", "ties", "saturated"])
    def test_equals_the_registered_one(self, metric, task, kind):
        rng = np.random.default_rng(3)
        z = torch.tensor(rng.normal(size=(NETWORKS, OUTPUTS[task], ROWS)), dtype=torch.float32)
        if kind == "ties":
            z = (2 * z).round() / 2
            z[1] = 0  # says the same of every row
        if kind == "saturated":
            z = z * 300  # probabilities of exactly 0 and 1
        y = labels(task, rng)
        assert found(task, metric, y, z) == pytest.approx(expected(task, metric, y, z), rel=1e-12, abs=1e-12)
        assert found(task, metric, y, z[:1]) == pytest.approx(expected(task, metric, y, z[:1]), rel=1e-12, abs=1e-12)

    def test_with_one_class_only(self, metric, task):
        if not task_of(task).has_classes:
            pytest.skip("no classes")
        rng = np.random.default_rng(4)
        z = torch.tensor(rng.normal(size=(NETWORKS, OUTPUTS[task], ROWS)), dtype=torch.float32)
        z[2, 1] += 9
        z[3, 0] += 9
        for only in (0, 1):
            y = labels(task, rng, only)
            theirs = expected(task, metric, y, z)
            for a, b in zip(found(task, metric, y, z), theirs, strict=True):
                assert (a is None) == (b is None)
                assert a is None or a == pytest.approx(b, rel=1e-12, abs=1e-12)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_answers_that_are_not_finite_get_none_and_spoil_no_other(self, metric, task, bad):
        rng = np.random.default_rng(5)
        z = torch.tensor(rng.normal(size=(NETWORKS, OUTPUTS[task], ROWS)), dtype=torch.float32)
        y = labels(task, rng)
        theirs = expected(task, metric, y, z)
        z[2, 0, 11] = bad
        ours = found(task, metric, y, z)
        assert ours[2] is None
        assert [v for s, v in enumerate(ours) if s != 2] == pytest.approx(
            [v for s, v in enumerate(theirs) if s != 2], rel=1e-12, abs=1e-12
        )


@pytest.mark.parametrize("task", STACKED)
def test_ties_are_settled_by_the_loss_that_the_loop_tells_beside_the_score(task):
    rng = np.random.default_rng(3)
    z = torch.tensor(rng.normal(size=(NETWORKS, OUTPUTS[task], ROWS)), dtype=torch.float32)
    y, told = labels(task, rng), task_of(FULL.get(task, task))
    many = ManyScores(FULL.get(task, task), y, told.primary, *SCALES.get(task, (0.0, 1.0)), GROUPS)
    loss = settling(FULL.get(task, task))
    if loss is None:
        assert many.losses(z) == [None] * NETWORKS
        return
    assert METRICS.get(loss).facts["better"] == "lower"
    score = Scoring(told.name, y, told.primary, also=told.beside)
    assert many.losses(z) == pytest.approx([score.loss(score(one.T.numpy())) for one in z], rel=1e-12)


def test_logits_of_float64_are_measured_as_such():
    y = np.array([0, 1] * 20)
    z = torch.tensor(np.random.default_rng(0).normal(size=(3, 2, 40)))
    z[1, 1, :] = z[1, 0, :] + 1e-12 * torch.arange(40)
    assert found("binary", "roc_auc", y, z) == pytest.approx(expected("binary", "roc_auc", y, z), abs=1e-12)


def test_rows_beyond_softmax_are_told_apart():
    y = np.array([0, 1] * 20)
    z = torch.zeros(2, 2, 40)
    z[0, 1] = 50 + torch.arange(40)
    z[1, 1] = 50 - torch.arange(40)
    assert found("binary", "roc_auc", y, z) == pytest.approx(expected("binary", "roc_auc", y, z), abs=1e-12)
    assert found("binary", "roc_auc", y, z) == pytest.approx([0.525, 0.475])


@pytest.mark.parametrize("task", [t for t in TASKS.names() if t not in STACKED])
def test_networks_whose_answers_are_kept_short_are_never_measured_together(task):
    assert "a whole catalogue" in why_apart("mlp", task_of(task).objective, task)
