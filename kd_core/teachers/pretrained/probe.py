"""A linear probe: logistic or ridge regression on sentence vectors, its strength chosen on the validation rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from kd_core.data.dataset import Array
from kd_core.task import task_of
from kd_core.teachers.base import FitData, Notify, ShouldStop
from kd_core.teachers.estimator import (
    SMALLEST_PROBABILITY,
    check_classes,
    known_validation,
    log_probabilities,
    stop_if_asked,
)

# Of the pull to zero; the next is tried while the validation loss falls. The first two are for few rows.
STRENGTHS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
MANY_ROWS = 10  # a feature: from then on the strongest pulls are never best
STEPS = 500  # of one strength at most: about 100 are needed (77 classes, 768 features)
TOLERANCE = 1e-6  # of the loss from step to step: smaller gains change no answer
SMALLEST_SPREAD = 1e-6  # a feature that varies less says nothing (MiniLM has one)


@dataclass(frozen=True)
class Probe:
    """Weights on standardised vectors. Legend: D numbers of a vector, K classes that were seen, or 1 for a number."""

    task: str
    num_outputs: int
    mean_D: Array
    spread_D: Array
    weights_DK: Array
    bias_K: Array
    classes_K: Array
    facts: dict[str, Any] = field(default_factory=dict)

    def logits(self, x: Array) -> Array:
        """(N, D) float32 -> (N, C) float32: log-probabilities, or scaled targets."""
        task = task_of(self.task)
        z = _standard(x, self.mean_D, self.spread_D) @ self.weights_DK + self.bias_K
        if not task.has_classes:
            return task.perfect(z[:, 0].astype(np.float32), self.num_outputs)
        return log_probabilities(_softmax(z.astype(np.float64)), self.classes_K, self.num_outputs)

    def head(self) -> Array | None:
        """Return it as one linear layer on vectors as they are; answers differ from its logits by a number per row, and where those are bounded.

        A class that was never seen is as unlikely as the bound says. Shape: (C, D + 1) float32, the bias last; None for another kind of target.
        """
        task, weights_DK = task_of(self.task), self.weights_DK / self.spread_D[:, None]
        layer_KE = np.column_stack([weights_DK.T, self.bias_K - self.mean_D @ weights_DK])
        if task.has_classes and self.num_outputs == len(self.classes_K):
            return layer_KE.astype(np.float32)
        if task.has_classes:
            found = np.zeros((self.num_outputs, layer_KE.shape[1]))
            found[:, -1] = np.log(SMALLEST_PROBABILITY)
            found[self.classes_K] = layer_KE
            return found.astype(np.float32)
        return layer_KE.astype(np.float32) if task.is_number and self.num_outputs == 1 else None

    def num_parameters(self) -> int:
        return self.weights_DK.size + self.bias_K.size

    def size_bytes(self) -> int:
        return 4 * (self.num_parameters() + self.mean_D.size + self.spread_D.size)

    def module(self) -> None:
        return None

    def details(self) -> dict[str, Any]:
        return dict(self.facts)


def fit(spec: Any, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> Probe:
    """Fit from the strongest pull to weaker ones, each from where the last one ended. Errors: Stopped, DataError `one_class`."""
    stop_if_asked(should_stop)
    check_classes(data)
    mean, spread = data.x.mean(0), data.x.std(0)
    spread = np.where(spread > SMALLEST_SPREAD, spread, np.inf).astype(np.float32)  # a still feature counts for nothing
    x_validation, y_validation = known_validation(data)
    x, v = _standard(data.x, mean, spread), _standard(x_validation, mean, spread)
    with threadpool_limits(1):  # a second thread waits more than it works, on a machine that is not idle
        if data.is_number:
            found = _ridge(x, data.y, v, y_validation, should_stop)
            classes = np.zeros(1, np.int64)
        else:
            classes, y = np.unique(data.y, return_inverse=True)
            found = _logistic(x, y, v, np.searchsorted(classes, y_validation), len(classes), should_stop)
    weights, bias, facts = found
    return Probe(data.task, data.num_outputs, mean, spread, weights, bias, classes, facts)


def _standard(x: Array, mean_D: Array, spread_D: Array) -> Array:
    return np.ascontiguousarray((x - mean_D) / spread_D, dtype=np.float32)


def _softmax(z: Array) -> Array:
    z = np.exp(z - z.max(axis=1, keepdims=True))
    found: Array = z / z.sum(axis=1, keepdims=True)
    return found


def _ridge(x: Array, y: Array, v: Array, y_v: Array, should_stop: ShouldStop) -> tuple[Array, Array, dict[str, Any]]:
    """Solve for every strength and keep the one of the least validation error."""
    x64, bias = x.astype(np.float64), float(y.mean())
    square, right = x64.T @ x64 / len(x), x64.T @ (y - bias) / len(x)
    best: tuple[float, float, Array] | None = None
    for strength in (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, *STRENGTHS):
        stop_if_asked(should_stop)
        w = np.linalg.solve(square + strength * np.eye(len(square)), right)
        error = float(np.mean((v @ w + bias - y_v) ** 2))
        if best is None or error < best[0]:
            best = (error, strength, w)
    assert best is not None
    facts = {"strength": best[1], "validation_loss": best[0]}
    return best[2][:, None].astype(np.float32), np.array([bias], np.float32), facts


def _logistic(
    x: Array, y: Array, v: Array, y_v: Array, classes: int, should_stop: ShouldStop
) -> tuple[Array, Array, dict[str, Any]]:
    """Minimise mean log loss plus strength / 2 times the squared weights by L-BFGS, in float32 where the rows are."""
    rows, width = np.arange(len(x)), x.shape[1]
    start = np.zeros((width + 1, classes))
    start[-1] = np.log(np.bincount(y, minlength=classes) / len(y))
    best: tuple[float, float, Array] | None = None
    steps = 0
    for strength in STRENGTHS[2 if len(x) > MANY_ROWS * width else 0 :]:

        def loss(flat: Array, strength: float = strength) -> tuple[float, Array]:
            stop_if_asked(should_stop)
            w = flat.reshape(width + 1, classes).astype(np.float32)
            p = _softmax(x @ w[:-1] + w[-1])
            value = -float(np.log(np.maximum(p[rows, y], 1e-30), dtype=np.float64).mean())
            p[rows, y] -= 1
            p /= len(x)
            slope = np.vstack([x.T @ p + strength * w[:-1], p.sum(0, keepdims=True)])
            value += strength / 2 * float(np.square(flat[:-classes]).sum())
            return value, slope.astype(np.float64).ravel()

        found = minimize(
            loss,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": STEPS, "ftol": TOLERANCE, "gtol": 1e-6},
        )
        steps += int(found.nit)
        start = found.x.reshape(width + 1, classes)
        p = _softmax(v @ start[:-1] + start[-1])
        value = -float(np.log(np.maximum(p[np.arange(len(v)), y_v], 1e-12)).mean()) if len(v) else 0.0
        if best is not None and value >= best[0]:
            break
        best = (value, strength, start)
    assert best is not None
    facts = {"strength": best[1], "validation_loss": best[0], "steps": steps}
    return best[2][:-1].astype(np.float32), best[2][-1].astype(np.float32), facts
