"""The trainings of a run: a grid of cells, arms and seeds trained as one program, each kept on disk as it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.meeting import HELPER
from kd_core.distill.placebo import PLACEBO
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TrainedVariant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.runs.cells import grid
from kd_core.runs.cells.grid import Arm, Cell, GridTraining
from kd_core.runs.cells.variant_store import Finished, Starts, Training, VariantStore, trained_again
from kd_core.safe_io import read_json, write_json
from kd_core.specs import RunSpec, TrainingSpec
from kd_core.teachers.made_rows import MadeRows

NOTHING = "Stopped before a student and its baseline were trained; nothing to compare yet."
Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
MOST_SEEDS = 50  # of a spec
TOLD = ("selected_epoch", "last_epoch", "score_selected", "score_last", "seconds")


@dataclass
class Arms:
    """The trainings of one cell, seed by seed; the lists are paired by position. `placebo` may be empty.

    `taken`: the arm whose model is deployed, `student` or `baseline`; `kept`: the position of its seed.
    """

    seeds: list[int] = field(default_factory=list)
    baseline: list[Training] = field(default_factory=list)
    student: list[Training] = field(default_factory=list)
    placebo: list[Training] = field(default_factory=list)
    taken: Arm = "student"
    kept: int = 0

    @property
    def offered(self) -> list[Training]:
        """Return the trainings of the arm that is deployed."""
        return self.baseline if self.taken == "baseline" else self.student

    @property
    def deployed(self) -> Training:
        """Return the training that is deployed."""
        return self.offered[self.kept]


class Trainings:
    """Trains every cell, arm and seed of a run, or loads what an earlier attempt finished.

    A run without a what-if has one cell per student; each of its epochs is told, and a training that diverges ends it.
    A what-if tells the best scores twice a second and goes on without what diverged; `log` gets a line per training. `later`: all that a what-if
    with added seeds has, so that nothing kept of it is taken for something stale.
    """

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        lessons: dict[str, Array],
        metric: str,
        device: torch.device,
        place: Path,
        notify: Notify,
        should_stop: ShouldStop,
        log: Path | None = None,
        made: MadeRows | None = None,
        starts: Starts | None = None,
        later: Sequence[GridTraining] = (),
    ) -> None:
        self.spec, self.dataset, self.lessons, self.metric, self.device = spec, dataset, lessons, metric, device
        self.made, self.starts, self.later = made, starts, later
        self.place, self.notify, self.should_stop, self.log = place, notify, should_stop, log
        self.cells = grid.cells(spec)
        before, now = place / "variants", place / "trained"
        if before.is_dir() and not now.exists():  # where what-ifs of earlier versions kept theirs
            before.rename(now)
        self.store = VariantStore(spec, dataset, now, lessons, metric, device, starts)
        self.seeds: list[int] = []
        self.asked: list[GridTraining] = []
        self.found: dict[int, Finished] = {}
        self.kept = 0  # of these, by an earlier attempt
        self.way: dict[str, Any] = {"mode": None, "why": "", "precision": None}
        if (place / "way.json").exists():
            self.way |= read_json(place / "way.json")
        if log is not None:
            log.write_bytes(b"")
        self._at: dict[tuple[Arm, int, int], int] = {}  # arm, cell, seed -> position
        self._alone: dict[tuple[Any, ...], int] = {}  # budget, seed -> position of its baseline
        self._made: dict[int, Training] = {}

    def train(self, seeds: Sequence[int], only: Sequence[int] | None = None) -> None:
        """Train all cells and arms of some more seeds as one program, or `only` some cells; each training is kept as soon as it ends.

        Errors: KDError `non_finite_loss` when a training of an ordinary run diverges.
        """
        wanted = grid.trainings(self.spec, seeds, PLACEBO in self.lessons, len(self.asked), only)
        self.asked += wanted
        if self.seeds and not self.spec.sweep:  # the plan of a what-if names all of them
            self.notify({"kind": "seeds", "added": len(seeds), "seeds": list(seeds), "trainings": len(self.asked)})
        self.seeds += seeds
        for t in wanted:
            self._at |= {(t.arm, cell, t.seed): t.position for cell in t.cells}
            if t.arm == "baseline":
                self._alone[grid.budget(self.spec, t.like), t.seed] = t.position
        first = self.spec.training.first_seed
        later = (
            self.later
            if self.spec.sweep or self.starts  # there are weights to go on from for these seeds alone
            else grid.trainings(self.spec, range(first, first + MOST_SEEDS), PLACEBO in self.lessons)
        )
        kept = self.store.load(wanted, self.notify, later)
        for position, finished in kept.items():
            self._tell(self.asked[position], finished, kept=True)
        self.kept += len(kept)
        rest = [t for t in wanted if t.position not in kept]
        if not rest:
            self._hear({"kind": "sweep", **self.way, "trainings": 0})
        if not rest or self.should_stop():
            return
        self._train(rest, self.spec.training)
        precision = self.way["precision"]
        other = [self.asked[p] for p, f in kept.items() if f.record.precision != precision]
        if other and not self.should_stop():  # bfloat16 was asked for, and only one of the machines has it
            self.notify(trained_again(len(other), "another number format"))
            self._train(other, self.spec.training.model_copy(update={"precision": precision}))

    def _train(self, wanted: Sequence[GridTraining], training: TrainingSpec) -> None:
        work = SweepWork(
            self.dataset,
            {t.position: self.store.variant(t) for t in wanted},
            self.lessons,
            training,
            self.metric,
            device=self.device,
            folder=self.place / "training",
            curves=self.spec.sweep is None,
            made=self.made,
            teacher=self.spec.teacher,
            starts={t.position: self.starts(t) for t in wanted} if self.starts else {},
        )
        mode = self.spec.sweep.mode if self.spec.sweep else "auto"
        planner.train(work, Hooks(self._hear, self.should_stop, self._take), mode)

    def _hear(self, event: dict[str, Any]) -> None:
        """Note how the work is done; pass events on, those of an ordinary run under its arms' names."""
        kind = event["kind"]
        if kind == "sweep":
            self.way = {name: event[name] for name in self.way}
            write_json(self.place / "way.json", self.way)
            if not self.spec.sweep:
                return
        elif kind == "scores":  # six digits: thousands of trainings say this twice a second
            event = {**event, "best": {number: float(f"{score:.6g}") for number, score in event["best"].items()}}
        elif "training" in event and not self.spec.sweep:
            event |= {**self._name(self.asked[event.pop("training")]), "fold": None}
            event |= {"arm": HELPER} if "helper" in event else {}
        if kind == "epoch":
            event.setdefault("metrics", {self.metric: event["score"]})
        self.notify(event)

    def _name(self, training: GridTraining) -> dict[str, Any]:
        student = self.spec.students[training.like.student].name
        return {"arm": training.arm, "student": student, "seed": training.seed}

    def _take(self, position: int, trained: TrainedVariant) -> None:
        training = self.asked[position]
        if trained.diverged is not None and not self.spec.sweep:
            raise KDError(
                "The {arm} training of '{student}' with seed {seed} diverged: {why}",
                "Use a smaller learning rate, or look for extreme values in the data.",
                "non_finite_loss",
                **self._name(training),
                why=trained.diverged,
            )
        self._tell(training, self.store.take(training, trained, self.way["precision"]))

    def _tell(self, training: GridTraining, finished: Finished, *, kept: bool = False) -> None:
        """Say that a training has ended, and write it down. `kept`: an earlier attempt trained it."""
        self.found[training.position] = finished
        record = finished.record.told()
        count = {"done": len(self.found), "of": len(self.asked)}
        if not self.spec.sweep:
            told = {name: record[name] for name in TOLD}
            self.notify({"kind": "trained", **self._name(training), **told, "fold": None, **count})
            return
        fields = {**record, "cells": list(training.cells), **count}
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n")
        self.notify({"kind": "variant", **fields, **({"kept": True} if kept else {})})

    def own(self, cell: Cell) -> list[Finished | None]:
        """Return a cell's trainings, seed by seed; None where one has not ended."""
        arm: Arm = "baseline" if grid.is_baseline(cell) else "student"
        return [self.found.get(self._at.get((arm, cell.index, seed), -1)) for seed in self.seeds]

    def alone(self, cell: Cell) -> list[Finished | None]:
        """Return the trainings of a cell's baseline, seed by seed."""
        own = grid.budget(self.spec, cell)
        return [self.found.get(self._alone.get((own, seed), -1)) for seed in self.seeds]

    def shuffled(self, cell: Cell) -> list[Finished | None]:
        """Return a cell's trainings on the placebo's lesson, seed by seed; None where there is none."""
        return [self.found.get(self._at.get(("placebo", cell.index, seed), -1)) for seed in self.seeds]

    def arms(self, cell: Cell) -> Arms:
        """Return a cell's trainings of the seeds that have both sides.

        Finished pairs where there are any; else the best so far of pairs that a person stopped.
        """
        sides = zip(self.seeds, self.own(cell), self.alone(cell), strict=True)
        both = [(n, s, b) for n, s, b in sides if s is not None and b is not None and s.usable and b.usable]
        chosen = [(n, s, b) for n, s, b in both if not s.record.stopped and not b.record.stopped] or both
        extra = [self.found.get(self._at.get(("placebo", cell.index, n), -1)) for n, _, _ in chosen]
        placebo = [
            p for p in extra if p is not None and p.usable and not self.spec.sweep
        ]  # a grid's is shown, not judged
        return Arms(
            [n for n, _, _ in chosen],
            [self._training(b) for _, _, b in chosen],
            [self._training(s) for _, s, _ in chosen],
            [self._training(p) for p in placebo] if len(placebo) == len(chosen) else [],
        )

    def _training(self, finished: Finished) -> Training:
        position = finished.record.training
        if position not in self._made:
            self._made[position] = finished.training(self.dataset, self.device)
        return self._made[position]
