"""Plain models beside the students: what a person could have at the same size without any teacher.

Fixed short lists for tables, for texts and for pictures, smallest first. Each learns from the labels alone, once; the one to compare a student with is chosen on
validation rows among those whose file takes no more bytes, and only that one gets the student's other seeds and is asked about
the test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import PIXELS
from kd_core.data.pictures.column import shape_of
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.models.base import ARCHS
from kd_core.models.building import deployed_state, viewed
from kd_core.runs.choosing.shortening import least_bytes, shortened
from kd_core.runs.deployment import Deployment, deploy
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.training.predict import predict

PLAIN: tuple[tuple[str, str, Choice], ...] = (
    ("linear", "a linear model", Choice(name="linear")),
    ("trees_30x4", "30 trees of 4 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 4})),
    ("trees_30x15", "30 trees of 15 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 15})),
    ("trees_30x31", "30 trees of 31 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 31})),
    ("trees_100x31", "100 trees of 31 leaves", Choice(name="trees", settings={"trees": 100, "leaves": 31})),
)
_TERMS = (300, 1000, 1700, 3000, 8000, 16_000, 40_000)  # with many classes a piece of a word takes many bytes
TEXTS: tuple[tuple[str, str, Choice], ...] = tuple(
    (
        f"terms_{n}",
        f"a linear model on {n:,} weighted pieces of words",
        Choice(name="terms", settings={"size": None, "terms": n}),
    )
    for n in _TERMS
)
PICTURES: tuple[tuple[str, str, Choice], ...] = tuple(
    (
        f"pixels_{n}",
        f"a linear model on pictures shrunken to {n} pixels a side",
        Choice(name="linear_pixels", settings={"size": None, "side": n}),
    )
    for n in (4, 8, 16, 32)
)
LARGER = 1.0  # the first model of more than the largest student's bytes, times this, is the last of the list
TEXT = "ngrams"
ShouldStop = Callable[[], bool]


@dataclass
class Reference:
    """One plain model. `modules` by seed; `selected` its validation score with the first seed."""

    name: str
    title: str
    arch: Choice
    selected: float
    deployment: Deployment
    modules: dict[int, torch.nn.Module]

    @property
    def bytes(self) -> int:
        return len(self.deployment.data or b"")

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        arch = self.arch.model_dump(mode="json")
        packed = self.deployment.compact
        sizes = {"bytes": self.bytes, **({"compact_bytes": len(packed)} if packed else {})}
        names = {"names": self.deployment.names.told()} if self.deployment.names else {}
        return {"name": self.name, "title": self.title, "arch": arch, **sizes, **names, "selected": self.selected}


def lists(dataset: Dataset) -> list[tuple[tuple[str, str, Choice], ...]]:
    """List the plain models of what the rows can be read as: those of tables where any column is neither text nor picture, those of texts, of pictures."""
    kinds, columns = dataset.views.kinds, set(dataset.columns)
    view = dataset.view(TEXT).view if TEXT in kinds else None
    texts = set() if view is None else set(view.types)
    pictures = {name for name in columns & set(dataset.rows.columns) if shape_of(dataset.rows[name])}
    found = [PLAIN] if columns - texts - pictures or not columns else []
    return [*found, *([TEXTS] if TEXT in kinds else []), *([PICTURES] if PIXELS in kinds else [])]


class References:
    """The plain models of a run; each is trained when it is first needed. Errors of one leave it out, told in `missing`."""

    def __init__(
        self, dataset: Dataset, training: TrainingSpec, metric: str, better: str, seeds: Sequence[int], stop: ShouldStop
    ) -> None:
        self.dataset, self.training, self.metric, self.better = dataset, training, metric, better
        self.seeds, self.stop = list(seeds), stop
        self.known: list[Reference] = []
        self.missing: list[dict[str, str]] = []
        self.shorten = False

    def learn(self, largest: int, shorten: bool = False) -> None:
        """Train the lists with the first seed, each until a model is clearly larger than the largest student. Units: bytes.

        `shorten`: a student holds a part of the names of categories alone, so plain models that are too large for it do so too.
        """
        self.shorten = shorten
        for models in lists(self.dataset):
            self._learn(models, largest)

    def _fitting(self, arch: Choice, largest: int) -> Choice:
        """Leave names out as the students did, where a model is too large for them with all. Errors: KDError."""
        if not self.shorten or (least_bytes(self.dataset, arch) or 0) <= largest:
            return arch
        return shortened(self.dataset, arch, largest) or arch

    def _learn(self, models: Sequence[tuple[str, str, Choice]], largest: int) -> None:
        for name, title, arch in models:
            takes = ARCHS.get(arch.name).facts["takes"]
            if not set(takes) & set(self.dataset.views.kinds) or self.stop():
                continue
            try:
                reference = self._first(name, title, self._fitting(arch, largest))
            except KDError as error:
                self.missing.append({"name": name, "title": title, "reason": str(error)})
                continue
            if reference is not None:
                self.known.append(reference)
                if reference.bytes > LARGER * largest:
                    return

    def _first(self, name: str, title: str, arch: Choice) -> Reference | None:
        (trained,) = self._trained(arch, self.seeds[:1]) or (None,)
        if trained is None or not np.isfinite(trained.score_selected):
            return None
        module = self._module(trained)
        deployment = deploy(module, self.dataset, arch)
        if deployment.data is None:
            raise KDError(
                "It has no file to compare bytes with: {reason}",
                "The student is compared with the other plain models.",
                "no_file",
                reason=deployment.reason,
            )
        return Reference(name, title, arch, trained.score_selected, deployment, {self.seeds[0]: module})

    def _trained(self, arch: Choice, seeds: Sequence[int]) -> list[TrainedVariant]:
        student = StudentSpec(name="reference", arch=arch)
        work = SweepWork.of(
            self.dataset, [Variant(student, None, n) for n in seeds], None, self.training, self.metric, curves=True
        )
        found = planner.train(work, Hooks(should_stop=self.stop))
        return [t for _, t in sorted(found.items()) if not t.stopped and t.diverged is None]

    def _module(self, trained: TrainedVariant) -> torch.nn.Module:
        trained.state = deployed_state(self.dataset, trained.variant.student.arch, trained.state)
        return trained.module(self.dataset)

    def of_size(self, most: int) -> Reference | None:
        """Return the best on validation among those of at most so many bytes, None where none is as small."""
        fitting = [r for r in self.known if r.bytes <= most]
        return max(fitting, key=lambda r: self._rank(r.selected), default=None)

    def smallest_within(self, score: float, margin: float) -> Reference | None:
        """Return the smallest that is on validation at most the margin behind a score, None where all are."""
        near = [r for r in self.known if self._rank(r.selected) >= self._rank(score) - margin]
        return min(near, key=lambda r: r.bytes, default=None)

    def _rank(self, score: float) -> float:
        return score if self.better == "higher" else -score

    def test_logits(self, reference: Reference, seeds: Sequence[int]) -> list[Array] | None:
        """Answer the test rows with every seed; None where a training was stopped. Shape: one (N, C) per seed."""
        lacking = [n for n in seeds if n not in reference.modules]
        if lacking:
            for trained in self._trained(reference.arch, lacking):
                reference.modules[trained.variant.seed] = self._module(trained)
        if any(n not in reference.modules for n in seeds):
            return None
        x = viewed(self.dataset, reference.arch).parts["test"]
        return [predict(reference.modules[n], x, torch.device("cpu")) for n in seeds]
