"""What scikit-learn teachers share: class alignment, log-probabilities, threads, and stopping."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.errors import DataError, Stopped
from kd_core.machine.processor import cores
from kd_core.task import task_of
from kd_core.teachers.base import FitData, ShouldStop

# Two threads everywhere: the same memory on every machine, and the server keeps its cores.
THREADS = min(2, cores())
# Probabilities are kept away from 0: a forest says exactly 0, whose log no student can match.
SMALLEST_PROBABILITY = 1e-6
_CHUNK_ROWS = 8192  # rows answered at once: bounds memory and spreads a large answer over the threads


def stop_if_asked(should_stop: ShouldStop) -> None:
    """Raise `Stopped` when the person asked to stop."""
    if should_stop():
        raise Stopped


def log_probabilities(p_NK: Array, classes_K: Array, num_outputs: int) -> Array:
    """Turn probabilities of the seen classes into log-probabilities of all classes.

    Shape: p (N, K) with columns `classes` -> (N, C) float32; a class never seen gets the smallest probability.
    """
    p_NC = np.zeros((len(p_NK), num_outputs))
    p_NC[:, np.asarray(classes_K, dtype=np.int64)] = p_NK
    z_NC = np.log(np.clip(p_NC, SMALLEST_PROBABILITY, 1.0))
    z_NC -= np.log(np.exp(z_NC).sum(axis=1, keepdims=True))
    return z_NC.astype(np.float32)


def known_validation(data: FitData) -> tuple[Array, Array]:
    """Return the validation rows whose class occurs in the training rows; the others can't be scored."""
    if data.is_number:
        return data.x_validation, data.y_validation
    known = np.isin(data.y_validation, np.unique(data.y))
    return data.x_validation[known], data.y_validation[known]


def check_classes(data: FitData) -> None:
    """Refuse rows of a single class. Errors: DataError with code `one_class`."""
    if not data.is_number and len(data.y) and (data.y == data.y[0]).all():
        raise DataError(
            "The {rows} training rows of this teacher all have class number {label}, so nothing can be learned.",
            "Use fewer folds, another group column, or more rows of the rare class.",
            "one_class",
            rows=len(data.y),
            label=int(data.y[0]),
        )


@dataclass(frozen=True)
class FittedEstimator:
    """A fitted scikit-learn model that answers in log-probabilities, or in scaled target units."""

    estimator: Any
    task: str
    num_outputs: int
    parameters: int
    bytes: int
    facts: dict[str, Any] = field(default_factory=dict)
    parallel: bool = False  # spread chunks over threads; for models that answer on one

    def _answer(self, x: Array) -> Array:
        task = task_of(self.task)
        if not task.has_classes:
            return task.perfect(np.asarray(self.estimator.predict(x), dtype=np.float32), self.num_outputs)
        return log_probabilities(self.estimator.predict_proba(x), self.estimator.classes_, self.num_outputs)

    def logits(self, x: Array) -> Array:
        """(N, F) float32 -> (N, C) float32, in chunks that bound the memory; the same for any chunking."""
        rows = x.shape[0]  # sparse rows have no length
        if rows <= _CHUNK_ROWS:
            return self._answer(x)
        chunks = [x[i : i + _CHUNK_ROWS] for i in range(0, rows, _CHUNK_ROWS)]
        if not self.parallel:  # in this thread: a new one would forget the limit of one OpenMP thread
            return np.concatenate([self._answer(chunk) for chunk in chunks])
        with ThreadPoolExecutor(THREADS) as pool:
            return np.concatenate(list(pool.map(self._answer, chunks)))

    def num_parameters(self) -> int:
        return self.parameters

    def size_bytes(self) -> int:
        return self.bytes

    def module(self) -> None:
        return None

    def details(self) -> dict[str, Any]:
        return dict(self.facts)
