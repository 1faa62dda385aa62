"""Laws of every task: its loss is the formula's, its answers are numbers, its strata cover all rows, its choices exist and fit."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import measure
from kd_core.models.base import Outputs
from kd_core.registry import Situation
from kd_core.task import IN_PARTS, TASKS, Task, kind_of, task_of, usual
from tests.laws.losses import several_rows

ROWS, CLASSES = 60, 4
TOLD = [task_of(several_rows.SEVERAL) if IN_PARTS(e.make) else e.make for e in TASKS.entries()]
EVERY = pytest.mark.parametrize("task", TOLD, ids=lambda t: kind_of(t.name))
BY_ROW = pytest.mark.parametrize("task", [t for t in TOLD if not t.by_group], ids=lambda t: kind_of(t.name))


def labels(task: Task, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    """Stored labels: every class among them, or numbers far from 0."""
    rng = np.random.default_rng(seed)
    if task.has_classes:
        return np.r_[np.arange(classes(task)), rng.integers(0, classes(task), rows - classes(task))]
    if IN_PARTS(task):
        return several_rows.labels(rows, seed)
    if task.by_order:
        return np.r_[0.0:5.0, rng.integers(0, 5, rows - 5)]
    if task.each_alone:
        return (rng.random((rows, classes(task))) < np.linspace(0.2, 0.6, classes(task))).astype(np.int64)
    return rng.normal(300.0, 12.0, rows)


def classes(task: Task) -> int:
    return (2 if task.positive else CLASSES) if task.has_classes or task.each_alone else 0


def learned(task: Task) -> np.ndarray:
    y = labels(task).astype(task.label_dtype)
    return task.scaled(y, *task.scale(y))


def logits(task: Task, seed: int = 1) -> np.ndarray:
    return 2 * np.random.default_rng(seed).normal(size=(ROWS, task.num_outputs(classes(task))))


def row_losses(task: Task, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The loss of each row, in float64 from the formula: the loss's own, else -log softmax(z)[y], or (z - y)^2."""
    if own := getattr(task.hard_loss(), "reference", None):
        return own(z, y)
    if not task.has_classes:
        return (z[:, 0] - y.astype(np.float64)) ** 2
    log_p = z - z.max(1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(1, keepdims=True))
    return -log_p[np.arange(len(y)), y]


def weights(task: Task) -> list[np.ndarray | None]:
    if task.each_alone:
        return [None, np.linspace(0.5, 2, 2 * classes(task)).reshape(-1, 2)]
    return [None, np.linspace(0.5, 2, classes(task))] if task.has_classes else [None]


def weighted(task: Task, z: np.ndarray, y: np.ndarray, w: np.ndarray | None) -> np.ndarray:
    """The loss of each row where classes weigh, each label's own where a row may have several."""
    if w is None:
        return row_losses(task, z, y)
    if not task.each_alone:
        return row_losses(task, z, y) * w[y]
    each = np.logaddexp(0, z) - y * z
    return (each * np.where(y > 0, w[:, 1], w[:, 0])).sum(1)


def beside(y: torch.Tensor) -> torch.Tensor:
    """Labels as stacks hand them out: (S, 1, B), or (S, T, B) where a row has several."""
    return y.transpose(1, 2) if y.ndim > 2 else y.unsqueeze(1)


@BY_ROW
def test_the_hard_loss_is_the_mean_of_the_formula(task):
    z, y = logits(task), learned(task)
    for w in weights(task):
        rows = weighted(task, z, y, w)
        found = task.hard_loss(w)(Outputs(torch.tensor(z)), torch.from_numpy(y))
        assert float(found) == pytest.approx(rows.mean(), rel=1e-6)
        members = torch.tensor(np.stack([z, logits(task, 2), logits(task, 3)], axis=1))
        each = [weighted(task, members[:, k].numpy(), y, w) for k in range(3)]
        found = task.hard_loss(w)(Outputs(members.mean(1), members=members), torch.from_numpy(y))
        assert float(found) == pytest.approx(np.mean(each), rel=1e-6)


@EVERY
def test_a_loss_within_groups_is_its_own_formula_and_hears_of_no_other_group(task):
    if not task.by_group:
        return
    z, y, groups = logits(task), learned(task), np.arange(ROWS) % 7
    hard = task.hard_loss()

    def loss(z: np.ndarray) -> float:
        return float(hard(Outputs(torch.tensor(z)), torch.from_numpy(y), torch.from_numpy(groups)))

    assert loss(z) == pytest.approx(hard.reference(z[:, 0], y, groups), rel=1e-6)
    members = torch.tensor(np.stack([z, logits(task, 2)], axis=1))
    found = hard(Outputs(members.mean(1), members=members), torch.from_numpy(y), torch.from_numpy(groups))
    assert float(found) == pytest.approx((loss(z) + loss(logits(task, 2))) / 2, rel=1e-6)
    order = np.random.default_rng(0).permutation(ROWS)
    shuffled = hard(Outputs(torch.tensor(z[order])), torch.from_numpy(y[order]), torch.from_numpy(groups[order]))
    assert float(shuffled) == pytest.approx(loss(z), rel=1e-6)


@BY_ROW
def test_a_stack_has_the_same_loss_and_the_gradient_of_torch(task):
    z = torch.tensor(np.stack([logits(task, 4).T, logits(task, 5).T]), requires_grad=True)  # (S, C, B)
    y = torch.from_numpy(np.stack([learned(task)] * 2))
    share = torch.tensor([1.0, 0.3], dtype=torch.float64).view(2, 1, 1)
    for w in weights(task):
        hard = task.hard_loss(w).to(torch.device("cpu"), torch.float64)
        rows = hard.of_stack(z, beside(y) if y.ndim > 2 else y)
        for s in range(2):
            alone = hard(Outputs(z[s].detach().T), y[s])
            assert float(rows[s].detach().mean()) == pytest.approx(float(alone), rel=1e-6)
        (wanted,) = torch.autograd.grad((rows.mean(1) * share.view(-1)).sum(), z)
        found = hard.stack_gradient(z.detach(), beside(y), share)
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-9)


@EVERY
def test_answers_are_numbers_and_perfect_ones_are_right(task):
    if task.compact:  # in short form: tests/tasks/test_next_item.py
        return
    y = labels(task).astype(task.label_dtype)
    mean, std = task.scale(y)
    found = from_logits(task.name, y, logits(task), mean, std)
    values = found.p if found.values is None else found.values
    assert len(values) == ROWS and np.isfinite(values).all() and values.dtype == np.float64
    if task.has_classes:
        assert np.allclose(found.p.sum(1), 1) and (found.predicted == logits(task).argmax(1)).all()
    elif found.p is not None:
        np.testing.assert_allclose(found.p, 1 / (1 + np.exp(-logits(task))))
    perfect = task.perfect(learned(task), task.num_outputs(classes(task)))
    right = from_logits(task.name, y, perfect, mean, std)
    if IN_PARTS(task):  # a table of probabilities and values: each of its parts is held to this law
        for name, part in right.parts.items():
            np.testing.assert_allclose(part.predicted if part.values is None else part.values, part.y, err_msg=name)
        np.testing.assert_allclose(task.unscaled(learned(task), mean, std), y, rtol=1e-6)
        return
    said = right.values if right.values is not None else right.predicted if task.has_classes else right.p > 0.5
    np.testing.assert_allclose(said, y, rtol=1e-6)
    best = measure(from_logits(task.name, y, perfect * (1 if right.p is None else 40), mean, std))
    assert best and all(v is not None for v in best.values())
    wrong = measure(found)
    for name, value in best.items():
        higher = METRICS.get(name).facts["better"] == "higher"
        assert value >= wrong[name] if higher else value <= wrong[name], name
    np.testing.assert_allclose(task.unscaled(learned(task), mean, std), y, rtol=1e-6)


@EVERY
@pytest.mark.parametrize("rows", [30, 31, 400])
def test_strata_cover_all_rows(task, rows):
    if task.compact:  # thousands of items can't be shared out evenly
        assert not task.strata(labels(task, rows)).any()
        return
    found = task.strata(labels(task, rows).astype(task.label_dtype))
    assert found.dtype == np.int64 and len(found) == rows and found.min() == 0
    counts = np.bincount(found)
    assert (counts > 0).all() and len(counts) >= 2
    if task.has_classes:
        assert len(counts) == classes(task)
    elif task.each_alone:
        assert len(counts) == classes(task) + 1  # one for each label, and one for rows without
    elif not task.by_order and not IN_PARTS(task):
        assert len(counts) >= 5 and counts.max() <= counts.min() + 2  # alike in size


@BY_ROW
def test_chance_is_the_best_constant_answer(task):
    y = learned(task)
    best = task.chance(y, task.num_outputs(classes(task)))
    assert best.shape == (task.num_outputs(classes(task)),)

    def loss(z: np.ndarray) -> float:
        return float(row_losses(task, np.tile(z, (ROWS, 1)), y).mean())

    for k in range(len(best)):
        for step in (-0.05, 0.05):
            assert loss(best + step * (np.arange(len(best)) == k)) > loss(best)
    rare = task.chance(np.zeros_like(y), task.num_outputs(classes(task)))
    assert np.isfinite(rare).all()
    if task.each_alone:
        np.testing.assert_allclose(np.exp(rare), 0.5 / ROWS)
    if task.has_classes:
        np.testing.assert_allclose(np.exp(rare), [1.0, *[0.5 / ROWS] * (classes(task) - 1)])


@EVERY
def test_what_it_chooses_exists_and_fits(task):
    assert TASKS.get(kind_of(task.name)).make.title == task.title
    assert task.target in ("classes", "number", "labels", "several")
    at = Situation(task.name, classes(task), grouped=True)
    assert LOSSES.get(task.objective).why_not(at) is None
    for metric in (task.primary, task.stopping, *task.beside):
        assert METRICS.get(metric).why_not(at) is None, metric
    assert task.settled(classes(task)) == task.name
    assert np.dtype(task.label_dtype) == labels(task).astype(task.label_dtype).dtype
    assert np.dtype(task.learned_dtype) == learned(task).dtype


def test_one_task_is_usual_for_each_kind_of_target():
    for target in ("classes", "number"):
        same = [e.make for e in TASKS.entries() if e.make.target == target]
        assert [t for t in same if t.usual] == [usual(target)]


def test_every_column_has_a_task_that_looks_most_like_it():
    rng = np.random.default_rng(0)
    for values in (
        rng.normal(size=40),
        np.arange(40.0) % 3,
        np.arange(40.0) % 2,
        pd.Series(list("abc") * 5, dtype="category"),
    ):
        series = pd.Series(values)
        kind = "number" if series.dtype.kind == "f" else "category"
        column = SimpleNamespace(kind=kind, values=series, distinct=series.nunique())
        ranks = sorted(e.make.likeness(column) for e in TASKS.entries())
        assert ranks[-1] > ranks[-2] >= 0
