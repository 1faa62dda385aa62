"""Plain models beside the students: what a person could have at the same size without any teacher.

Fixed short lists for tables, for texts and for pictures, smallest first, and for pictures the small CNN of about each student's bytes. Each learns from the
labels alone, once; the one to compare a student with is chosen on validation rows among those whose file takes no more bytes. Only that
one, and the smallest that keeps up, get the student's other seeds and are asked about the test rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import PIXELS
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import CPU, Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.evaluate.threshold import Rule
from kd_core.models.base import ARCHS
from kd_core.models.building import deployed_state, viewed
from kd_core.models.sizes import sizes_for
from kd_core.runs.choosing.shortening import least_bytes, shortened
from kd_core.runs.deployment import Deployment, deploy, sample_rows, whole_latency
from kd_core.runs.plain.lists import LARGER, NETWORKS, SLOWER, Plain, alike, lists, network_beside
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.training.predict import predict

ShouldStop = Callable[[], bool]


@dataclass
class Reference:
    """One plain model. `modules` by seed; `selected` its validation score with the first seed; `timed`: as `times` told it."""

    name: str
    title: str
    arch: Choice
    selected: float
    deployment: Deployment
    modules: dict[int, torch.nn.Module]
    timed: dict[str, Any] | None = None

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

    def times(self, dataset: Dataset) -> dict[str, Any]:
        """Time its file as a student's, from one raw row to the answer, once for all that it stands beside; nothing where it takes encoded rows. Units: milliseconds."""
        session = self.deployment.session
        if self.timed is None and session:
            self.timed = {"latency_ms": {"whole": whole_latency(session, sample_rows(dataset), (1,))}}
        return self.timed or {}


class References:
    """The plain models of a run; each is trained when it is first needed. Errors of one leave it out, told in `missing`."""

    def __init__(
        self,
        dataset: Dataset,
        training: TrainingSpec,
        metric: str,
        better: str,
        seeds: Sequence[int],
        stop: ShouldStop,
        device: torch.device = CPU,
        tell: Callable[[str], None] = lambda title: None,
        rule: Rule | None = None,
    ) -> None:
        """Take what the students were trained with. `device`: of CNNs, where a core would be slow; `tell(title)` before each of their trainings; `rule`: as `deploy`."""
        self.dataset, self.training, self.metric, self.better = dataset, training, metric, better
        self.seeds, self.stop, self.device, self.tell, self.rule = list(seeds), stop, device, tell, rule
        self.known: list[Reference] = []
        self.missing: list[dict[str, str]] = []
        self.shorten = False

    def learn(self, students: Sequence[tuple[Choice, int]], shorten: bool = False) -> None:
        """Train the lists with the first seed, each until a model is clearly larger than the largest student, and the CNN beside each. Units: bytes.

        `students`: architectures and the bytes of their files, 0 where there is none.
        `shorten`: a student holds a part of the names of categories alone, so plain models that are too large for it do so too.
        """
        self.shorten = shorten
        largest = max(most for _, most in students)
        for models in lists(self.dataset):
            self._learn(models, largest)
        if PIXELS in self.dataset.views.kinds:
            self._learn(self._networks(students), largest)

    def _networks(self, students: Sequence[tuple[Choice, int]]) -> list[Plain]:
        """Name the CNNs to set beside the students, once each; where all that would fit learn too long for one, that is told."""
        found, slow = dict[str, Plain](), False
        for student, most in students:
            plain, late = network_beside(
                student, sizes_for(self.dataset, student), most, lambda arch: sizes_for(self.dataset, arch)
            )
            found |= {plain[0]: plain} if plain is not None else {}
            slow |= late and plain is None
        if slow:
            (name, title, _), reason = NETWORKS[0], f"It learns more than {SLOWER:g} times as long as a student."
            self.missing.append({"name": name, "title": title, "reason": reason})
        return [plain for plain in NETWORKS if plain[0] in found]

    def _fitting(self, arch: Choice, largest: int) -> Choice:
        """Leave names out as the students did, where a model is too large for them with all. Errors: KDError."""
        if not self.shorten or (least_bytes(self.dataset, arch) or 0) <= largest:
            return arch
        return shortened(self.dataset, arch, largest) or arch

    def _learn(self, models: Sequence[Plain], largest: int) -> None:
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
        deployment = deploy(module, self.dataset, arch, rule=self.rule)
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
        if arch in [one for *_, one in NETWORKS]:
            self.tell(next(title for _, title, one in NETWORKS if one == arch))
            work = replace(work, device=self.device)
        found = planner.train(work, Hooks(should_stop=self.stop))
        return [t for _, t in sorted(found.items()) if not t.stopped and t.diverged is None]

    def _module(self, trained: TrainedVariant) -> torch.nn.Module:
        trained.state = deployed_state(self.dataset, trained.variant.student.arch, trained.state)
        return trained.module(self.dataset)

    def beside(self, student: Choice) -> list[Reference]:
        """List those to set a student beside: all but the CNN of its own shape, as its baseline is that very model."""

        def own(arch: Choice) -> bool:
            size = functools.partial(sizes_for, self.dataset)
            return arch.name == student.name and alike(arch, size(arch), student, size(student))

        networks = [arch for *_, arch in NETWORKS]
        return [r for r in self.known if r.arch not in networks or not own(r.arch)]

    def of_size(self, student: Choice, most: int) -> Reference | None:
        """Return the best on validation among those of at most so many bytes, None where none is as small."""
        fitting = [r for r in self.beside(student) if r.bytes <= most]
        return max(fitting, key=lambda r: self._rank(r.selected), default=None)

    def smallest_within(self, student: Choice, score: float, margin: float) -> Reference | None:
        """Return the smallest that is on validation at most the margin behind a score, None where all are further."""
        near = [r for r in self.beside(student) if self._rank(r.selected) >= self._rank(score) - margin]
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
