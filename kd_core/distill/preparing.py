"""What a student takes from the training rows before it learns: edges of numbers, by what it is going to be taught.

It depends on the rows and the lesson, not on the seed: found once, and shared by all trainings with the same lesson. A baseline's
comes from labels alone, so that it is the same whatever a teacher says.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Hashable, Mapping

import numpy as np
from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset
from kd_core.models.base import ARCHS
from kd_core.models.building import viewed
from kd_core.specs import Choice
from kd_core.task import task_of

MOST_KEPT = 64  # a few thousand numbers each
_kept: dict[Hashable, tuple[weakref.ref[Array], Mapping[str, Tensor]]] = {}
_finding = threading.Lock()  # trainings side by side ask for the same


def prepare(module: nn.Module, dataset: Dataset, arch: Choice, lesson: Array | None) -> None:
    """Give a new network what its architecture takes from the training rows; nothing for those that take nothing.

    Shape: lesson (N, C) logits of the training rows, None for what learns from labels alone.
    """
    entry = ARCHS.get(arch.name)
    find = entry.facts.get("prepares")
    if find is None:
        return
    setting = entry.facts["prepared_by"](entry.spec.parse(arch.settings, f"architecture {arch.name}"))
    rows, targets = viewed(dataset, arch), lesson_targets(dataset, lesson)
    x = rows.parts["train"]
    key = (find, setting, id(x), hashlib.sha256(targets.tobytes()).digest())
    with _finding:
        found = _kept.get(key)
        if found is None or found[0]() is not x:
            found = _kept[key] = weakref.ref(x), find(setting, rows.spec, x, targets)
            while len(_kept) > MOST_KEPT:
                del _kept[next(iter(_kept))]
    state = module.state_dict()
    for name, value in found[1].items():
        state[name].copy_(value)


def lesson_targets(dataset: Dataset, lesson: Array | None) -> Array:
    """Return what is taught as numbers: probabilities, or scaled targets. A row that the teacher did not answer has its label's.

    Shape: lesson (N, C) logits or None -> (N, C) float64, (N, 1) for two classes.
    """
    labels, task = dataset.scaled_y("train"), task_of(dataset.task)
    told = labels if task.each_alone else task.perfect(labels, dataset.num_outputs)
    told = np.asarray(told, np.float64)
    if lesson is not None:
        z = np.asarray(lesson, np.float64)
        told = np.where(np.isnan(z), told, task.shared(z))
    return told[:, 1:] if task.has_classes and dataset.num_outputs == 2 else told
