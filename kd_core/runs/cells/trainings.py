"""The trainings of one run: all arms and seeds side by side, each kept on disk and taken from there after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Dataset
from kd_core.distill.placebo import PLACEBO
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import Lessons, TrainedVariant, tables
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.runs.cells import grid
from kd_core.runs.cells.grid import Arm, GridTraining
from kd_core.runs.cells.variant_store import Finished, Training, VariantStore
from kd_core.specs import RunSpec

NOTHING = "Stopped before a student and its baseline were trained; nothing to compare yet."
Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
MOST_SEEDS = 50  # of a spec
TOLD = ("selected_epoch", "last_epoch", "score_selected", "score_last", "seconds")


@dataclass
class Arms:
    """The trainings of one student, seed by seed; the lists are paired by position. `placebo` may be empty."""

    seeds: list[int] = field(default_factory=list)
    baseline: list[Training] = field(default_factory=list)
    student: list[Training] = field(default_factory=list)
    placebo: list[Training] = field(default_factory=list)


class Trainings:
    """Trains every (student, arm, seed) of a spec, or loads what an earlier attempt finished."""

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        lessons: Lessons,
        metric: str,
        device: torch.device,
        place: Path,
        notify: Notify,
        should_stop: ShouldStop,
    ) -> None:
        self.spec, self.dataset, self.lessons, self.metric, self.device = spec, dataset, lessons, metric, device
        self.place, self.notify, self.should_stop = place, notify, should_stop
        self.cells = grid.cells(spec)
        self.store = VariantStore(spec, dataset, place / "trained", lessons, metric, device)
        self.seeds: list[int] = []
        self.total = 0
        self._found: dict[tuple[Arm, int, int], Finished] = {}
        self._made: dict[tuple[Arm, int, int], Training] = {}

    def train(self, seeds: Sequence[int]) -> None:
        """Train all arms of some more seeds as one program; each training is kept as soon as it ends.

        Errors: KDError `non_finite_loss` when a training diverges.
        """
        wanted = grid.trainings(self.spec, seeds, PLACEBO in tables(self.lessons))
        self.total += len(wanted)
        if self.seeds:
            self.notify({"kind": "seeds", "added": len(seeds), "seeds": list(seeds), "trainings": self.total})
        self.seeds += seeds
        first = self.spec.training.first_seed
        later = grid.trainings(self.spec, range(first, first + MOST_SEEDS), PLACEBO in tables(self.lessons))
        kept = self.store.load(wanted, self.notify, later)
        for training in wanted:
            if training.position in kept:
                self._tell(training, kept[training.position])
        rest = [t for t in wanted if t.position not in kept]
        if not rest or self.should_stop():
            return
        by_number = {t.position: t for t in rest}
        work = SweepWork(
            self.dataset,
            {t.position: self.store.variant(t) for t in rest},
            self.lessons,
            self.spec.training,
            self.metric,
            device=self.device,
            folder=self.place / "training",
            curves=True,
        )
        hooks = Hooks(
            lambda event: self._hear(event, by_number),
            self.should_stop,
            lambda number, trained: self._take(by_number[number], trained),
        )
        planner.train(work, hooks)

    def _hear(self, event: dict[str, Any], by_number: Mapping[int, GridTraining]) -> None:
        """Name the training of an event by its arm, student and seed."""
        if event["kind"] == "sweep":
            return
        if "training" in event:
            training = by_number[event.pop("training")]
            event |= {**self._name(training), "fold": None}
        if event["kind"] == "epoch":
            event.setdefault("metrics", {self.metric: event["score"]})
        self.notify(event)

    def _name(self, training: GridTraining) -> dict[str, Any]:
        student = self.spec.students[training.like.student].name
        return {"arm": training.arm, "student": student, "seed": training.seed}

    def _take(self, training: GridTraining, trained: TrainedVariant) -> None:
        if trained.diverged is not None:
            raise KDError(
                "The {arm} training of '{student}' with seed {seed} diverged: {why}",
                "Use a smaller learning rate, or look for extreme values in the data.",
                "non_finite_loss",
                **self._name(training),
                why=trained.diverged,
            )
        self._tell(training, self.store.take(training, trained, None))

    def _tell(self, training: GridTraining, finished: Finished) -> None:
        self._found[self._key(training)] = finished
        record = {name: getattr(finished.record, name) for name in TOLD}
        self.notify(
            {
                "kind": "trained",
                **self._name(training),
                **record,
                "fold": None,
                "done": len(self._found),
                "of": self.total,
            }
        )

    @staticmethod
    def _key(training: GridTraining) -> tuple[Arm, int, int]:
        return training.arm, training.like.student, training.seed

    def arms(self, index: int) -> Arms:
        """Return a student's trainings of the seeds that have both sides.

        Finished pairs where there are any; else the best so far of pairs that a person stopped.
        """
        taught: Arm = "baseline" if grid.is_baseline(self.cells[index]) else "student"
        both = [s for s in self.seeds if self._has(("baseline", index, s)) and self._has((taught, index, s))]
        whole = [s for s in both if not any(self._found[arm, index, s].record.stopped for arm in ("baseline", taught))]
        seeds = whole or both
        sides: tuple[Arm, ...] = ("baseline", taught, "placebo")
        baseline, student, placebo = (
            [self._training((arm, index, s)) for s in seeds if self._has((arm, index, s))] for arm in sides
        )
        return Arms(seeds, baseline, student, placebo if len(placebo) == len(seeds) else [])

    def _has(self, key: tuple[Arm, int, int]) -> bool:
        return key in self._found and self._found[key].usable

    def _training(self, key: tuple[Arm, int, int]) -> Training:
        if key not in self._made:
            self._made[key] = self._found[key].training(self.dataset, self.device)
        return self._made[key]
