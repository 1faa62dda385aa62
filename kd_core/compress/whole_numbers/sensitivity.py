"""What each layer costs when it alone goes into whole numbers, and which ones better stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.compress.base import Work
from kd_core.compress.validation import points
from kd_core.compress.whole_numbers.network import Layer, answers_of
from kd_core.data.dataset import Array
from kd_core.distill.student import scoring
from kd_core.requests.compress_spec import LEAST_AGREEMENT
from kd_core.task import task_of

# rounded(names that stay floating) -> the file in which the others are whole numbers
Rounded = Callable[[frozenset[str]], bytes]


@dataclass(frozen=True)
class Judge:
    """Compares files with the one that was not rounded, on validation rows. Shape: x (N, ...), told (N, C) its answers."""

    work: Work
    x: Array
    told: Array

    def score(self, z: Array) -> float:
        """Return the selection metric. Errors: KDError where these rows leave it undefined."""
        scored = scoring(self.work.dataset, self.work.metric)
        return scored.selection(scored(z))

    def lost(self, z: Array) -> float:
        """Return the points (for errors: percent) that are lost, positive where it got worse."""
        return points(self.score(self.told), self.score(z), self.work.metric)

    def apart(self, z: Array) -> float:
        """Return how far answers lie from the unrounded ones: probabilities, or shares of the target's deviation."""
        task = task_of(self.work.dataset.task)
        given = [task.answers(one, 0.0, 1.0)["p" if task.has_classes else "values"] for one in (self.told, z)]
        return float(np.abs(np.asarray(given[0]) - np.asarray(given[1])).mean())

    def alike(self, z: Array) -> bool:
        """Say whether enough rows keep their first class, all but one where there are few; always of numbers."""
        if not task_of(self.work.dataset.task).has_classes:
            return True
        other = int((z.argmax(axis=1) != self.told.argmax(axis=1)).sum())
        return other <= max(1.0, (1 - LEAST_AGREEMENT) * len(z))


def scan(layers: Sequence[Layer], rounded: Rounded, judge: Judge) -> list[dict[str, Any]]:
    """Round each layer alone and say what it costs. Return it by layer, in their order."""
    names = frozenset(one.name for one in layers)
    found = []
    for one in layers:
        judge.work.notify({"kind": "sensitivity", "layer": one.name})
        z = answers_of(rounded(names - {one.name}), judge.x)
        told = {"score": judge.score(z), "lost": judge.lost(z), "apart": judge.apart(z)}
        found.append({**one.told("int8"), **told})
    return found


def staying(scanned: Sequence[dict[str, Any]], rounded: Rounded, judge: Judge, most_lost: float) -> frozenset[str]:
    """Choose the layers that stay floating: those that move answers the most, one by one, until no more is lost than may be and 99 % of the rows keep their first class."""
    floats = frozenset[str]()
    for one in sorted(scanned, key=lambda told: -float(told["apart"])):
        z = answers_of(rounded(floats), judge.x)
        if judge.lost(z) <= most_lost and judge.alike(z):
            break
        floats |= {str(one["layer"])}
    return floats
