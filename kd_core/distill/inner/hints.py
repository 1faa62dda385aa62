"""What a teacher thinks inside about the training rows, for losses that hear it: as tables by name, and looked up for a batch.

Legend: N training rows, D width, H and W places of a map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.inner.heads import found_again
from kd_core.distill.inner.live import LiveTeacher
from kd_core.models.base import Outputs
from kd_core.specs import Choice
from kd_core.teachers import crossfit
from kd_core.teachers.base import TeacherAnswers, gives

HIDDEN = "hidden"  # table of inner features (N, D)
FOLD = "hidden.fold"  # table (N,): which fit gave a row's features, where several did
HEAD = "hidden.head"  # table (C, D + 1): the linear layer that turns features into answers, its bias last
MAP = "hidden.map."  # before a stage's name: table of its attention (N, H, W)


@dataclass(frozen=True)
class Hints:
    """features (N, D); folds (N,): which fit gave them, None for one; maps (N, H, W) by stage.

    head (C, D + 1): the linear layer that turns one fit's features into its answers, its bias last; None where there is none.
    live: the teacher's network itself, for a loss that asks it about each batch; it is no table and not kept.
    """

    features: Array | None = None
    folds: Array | None = None
    maps: Mapping[str, Array] = field(default_factory=dict)
    head: Array | None = None
    live: LiveTeacher | None = None

    @classmethod
    def of(cls, tables: Mapping[str, Array]) -> Self | None:
        """Pick the tables that are hints; None where there are none."""
        maps = {name.removeprefix(MAP): table for name, table in tables.items() if name.startswith(MAP)}
        found = cls(tables.get(HIDDEN), tables.get(FOLD), maps, tables.get(HEAD))
        return found if found.features is not None or maps else None

    @classmethod
    def of_answers(cls, found: TeacherAnswers, dataset: Dataset, teacher: Choice, seed: int) -> Self | None:
        """Gather what a teacher answered of its inside; of features of several fits, which one gave a row's. `seed`: of the answers."""
        if not found.features and not found.maps:
            return None
        folds = head = None
        known = gives(teacher, found.folds)
        if found.features and "one_basis" not in known:
            folds = crossfit.folds(dataset.train.y, dataset.train.groups, found.folds, seed)
        if found.features and "head" in known:
            head = found.head
            if head is None:
                head = found_again(found.features["train"], found.logits["train"])
        return cls(found.features.get("train"), folds, found.maps, head)

    def of_rows(self) -> dict[str, Array]:
        """Return the tables by name that hold something of each row."""
        own = {HIDDEN: self.features, FOLD: self.folds}
        return {n: t for n, t in own.items() if t is not None} | {f"{MAP}{n}": t for n, t in self.maps.items()}

    def tables(self) -> dict[str, Array]:
        """Return all tables by name."""
        return self.of_rows() if self.head is None else {**self.of_rows(), HEAD: self.head}

    def gives(self) -> frozenset[str]:
        """Say what they hold, as a `Situation` names it."""
        found = {"maps"} if self.maps else set()
        if self.features is not None:
            found |= {"features"} if self.folds is not None else {"features", "one_basis"}
        if self.head is not None:
            found |= {"head"}
        return frozenset(found) | (self.live.gives() if self.live is not None else frozenset())

    def shuffled(self, seed: int) -> Hints:
        """Give each row another one's hints, of the same fold where there are folds: what is left is no knowledge of the row."""
        rng, tables = np.random.default_rng(seed), self.of_rows()
        number = len(next(iter(tables.values()))) if tables else len(self.live.rows) if self.live else 0
        folds = np.zeros(number, int) if self.folds is None else self.folds
        order = np.arange(len(folds))
        for fold in np.unique(folds):
            at = np.flatnonzero(folds == fold)
            order[at] = rng.permutation(at)
        found = Hints.of({name: table[order] for name, table in tables.items()}) or Hints()
        return replace(found, head=self.head, live=self.live and self.live.asked_in(order))


class HintTensors:
    """Hints on the device of the batches."""

    def __init__(self, hints: Hints) -> None:
        self.tensors = {n: torch.from_numpy(np.ascontiguousarray(t)) for n, t in hints.of_rows().items()}
        self.head = None if hints.head is None else torch.from_numpy(hints.head)
        self.live = hints.live

    def beside(self, logits: Tensor, index: Tensor) -> Outputs:
        """Put the hints of some rows beside their logits. Shape: logits (B, C), index (B,)."""
        if any(t.device != index.device for t in self.tensors.values()):
            self.tensors = {name: t.to(index.device) for name, t in self.tensors.items()}
        found = {name: t.index_select(0, index) for name, t in self.tensors.items()}
        features = found.get(HIDDEN)
        hidden = {name.removeprefix(MAP): t.float() for name, t in found.items() if name.startswith(MAP)}
        hidden |= {} if self.live is None else self.live(index)
        return Outputs(logits, None if features is None else features.float(), hidden=hidden, fold=found.get(FOLD))
