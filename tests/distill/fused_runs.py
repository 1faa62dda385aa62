"""Small fused runs and their comparison, shared by the tests of fused training."""

import threading

import numpy as np
import pytest
import torch

from kd_core.distill.stack import fused
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep.work import SweepWork
from kd_core.specs import TrainingSpec
from kd_core.training.loop import ignore, never
from tests.distill import eager
from tests.distill.eager import make_teacher, make_variant
from tests.distill.training import train


def training_spec(**settings):
    return TrainingSpec(**{"epochs": 3, "batch_size": 32, "patience": 1000} | settings)


def run(dataset, variants, training, **kwargs):
    return train(
        fused.train, dataset, variants, make_teacher(dataset), training, **{"precision": "float64", "lanes": 1} | kwargs
    )


def assert_equal(a, b, tolerance=1e-12):
    """Two results of the same variant hold the same numbers."""
    assert (a.selected_epoch, a.last_epoch, a.stopped, a.diverged) == (
        b.selected_epoch,
        b.last_epoch,
        b.stopped,
        b.diverged,
    )
    assert a.state.keys() == b.state.keys()
    for name in a.state:
        torch.testing.assert_close(a.state[name], b.state[name], rtol=0, atol=tolerance)
    assert a.score_selected == pytest.approx(b.score_selected, abs=tolerance, nan_ok=True)
    assert a.score_last == pytest.approx(b.score_last, abs=tolerance, nan_ok=True)
    assert [h["epoch"] for h in a.history] == [h["epoch"] for h in b.history]


def impatient(arch="mlp"):
    """Variants that end in different epochs."""
    return [
        make_variant(arch, 12, objective="hinton", seed=0, rate=0.1, alpha=0.5, temperature=3.0),
        make_variant(arch, 8, objective="hinton", seed=1, rate=1e-3, alpha=1.0, temperature=1.0, dropout=0.3),
        make_variant(arch, 8, seed=0, rate=0.05, dropout=0.2),
        make_variant(arch, 12, objective="hinton", seed=2, rate=3e-4, alpha=0.2),
        make_variant(arch, 10, objective="hinton", seed=1, rate=0.03, alpha=0.9),
    ]


def weights_by_epoch(dataset, variants, teacher, training, metric, precision="float64"):
    """Train the stacks in this thread; return per variant its weights after every epoch."""
    work = Stacking(SweepWork.of(dataset, variants, teacher, training, metric, precision=precision))
    found = {position: [] for position in range(len(variants))}
    tasks = work.tasks(None, ignore, 1)
    for task in tasks:
        made = work.open(task)
        for _ in made.run(never, None):
            for row, member in enumerate(made.members):
                found[member.position].append(made.stack.state(row))
    return found, len(tasks)


def farthest(dataset, variant, ours, theirs):
    """Return the largest difference of a logit over every fifth epoch, the last among them."""
    assert len(ours) == len(theirs)
    return max(
        np.abs(eager.logits(dataset, variant, a) - eager.logits(dataset, variant, b)).max()
        for a, b in zip(ours[::-5], theirs[::-5], strict=True)
    )


def threads():
    return [t.name for t in threading.enumerate() if t.name.startswith(("lane", "rows"))]
