"""A what-if as one run: every training of the grid, kept as it ends, and the cells compared afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import torch

from kd_core.data.dataset import Dataset
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TrainedVariant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.runs.cells import grid
from kd_core.runs.cells.grid import Cell, GridTraining
from kd_core.runs.cells.variant_store import Finished, VariantStore, trained_again
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import read_json, write_json
from kd_core.specs import RunSpec, TrainingSpec
from kd_core.teachers.base import TeacherAnswers

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
PHASES = ("data", "teacher", "sweep", "evaluate")


def plan_fields(spec: RunSpec) -> dict[str, Any]:
    """What the `plan` event of a what-if says beside the ordinary fields."""
    asked = grid.count(spec)
    return {
        "cells": asked.cells,
        "variants": asked.variants,
        "settings": [{**asdict(c), "student": spec.students[c.student].name} for c in grid.cells(spec)],
        "grid": [
            {
                "cells": list(t.cells),
                "arm": t.arm,
                "student": spec.students[t.like.student].name,
                "seed": t.seed,
                "budget": list(grid.budget(t.like)),
            }
            for t in grid.trainings(spec)
        ],
    }


class Sweep:
    """The trainings of a what-if and what came of them."""

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        teacher: TeacherAnswers,
        metric: str,
        device: torch.device,
        folder: RunFolder,
        notify: Notify,
        should_stop: ShouldStop,
    ) -> None:
        self.spec, self.dataset, self.teacher, self.metric, self.device = spec, dataset, teacher, metric, device
        self.folder, self.notify, self.should_stop = folder, notify, should_stop
        self.cells = grid.cells(spec)
        self.trainings = grid.trainings(spec)
        self.found: dict[int, Finished] = {}
        self.way_path = folder.checkpoints / "way.json"
        self.way: dict[str, Any] = {"mode": None, "why": "", "precision": None}
        if self.way_path.exists():
            self.way |= read_json(self.way_path)
        self.log = folder.path / "variants.jsonl"
        self._own = {(c, t.seed): t.position for t in self.trainings for c in t.cells}
        self._alone = {(grid.budget(t.like), t.seed): t.position for t in self.trainings if t.arm == "baseline"}
        place = folder.checkpoints / "variants"
        self.store = VariantStore(spec, dataset, place, teacher.logits["train"], metric, device)

    def train(self) -> None:
        """Train what no earlier attempt has finished; each training is kept as soon as it ends."""
        self.log.write_bytes(b"")
        for position, finished in self.store.load(self.trainings, self.notify).items():
            self._tell(self.trainings[position], finished)
        kept = dict(self.found)
        rest = [t for t in self.trainings if t.position not in kept]
        if not rest:
            self.notify({"kind": "sweep", **self.way, "trainings": 0})
            return
        self._train(rest, self.spec.training)
        precision = self.way["precision"]
        other = [self.trainings[p] for p, f in kept.items() if f.record.precision != precision]
        if other and not self.should_stop():  # bfloat16 was asked for, and only one of the machines has it
            self.notify(trained_again(len(other), "another number format"))
            self._train(other, self.spec.training.model_copy(update={"precision": precision}))

    def _train(self, wanted: Sequence[GridTraining], training: TrainingSpec) -> None:
        work = SweepWork(
            self.dataset,
            {t.position: self.store.variant(t) for t in wanted},
            self.teacher.logits["train"],
            training,
            self.metric,
            device=self.device,
            folder=self.folder.checkpoints / "sweep",
        )

        def take(position: int, trained: TrainedVariant) -> None:
            training = self.trainings[position]
            self._tell(training, self.store.take(training, trained, self.way["precision"]))

        mode = self.spec.sweep.mode if self.spec.sweep else "auto"
        planner.train(work, Hooks(self._hear, self.should_stop, take), mode)

    def _hear(self, event: dict[str, Any]) -> None:
        """Note how the work is done, and pass the events of the engine on."""
        if event["kind"] == "sweep":
            self.way = {name: event[name] for name in ("mode", "why", "precision")}
            write_json(self.way_path, self.way)
        elif event["kind"] == "scores":  # six digits: thousands of trainings say this twice a second
            event = {**event, "best": {number: float(f"{score:.6g}") for number, score in event["best"].items()}}
        self.notify(event)

    def _tell(self, training: GridTraining, finished: Finished) -> None:
        """Write a training down as ended and say so."""
        self.found[training.position] = finished
        fields = {
            **asdict(finished.record),
            "cells": list(training.cells),
            "done": len(self.found),
            "of": len(self.trainings),
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n")
        self.notify({"kind": "variant", **fields})

    def own(self, cell: Cell) -> list[Finished | None]:
        """Return a cell's trainings, seed by seed; None where one has not ended."""
        return [self.found.get(self._own[cell.index, seed]) for seed in grid.seeds(self.spec)]

    def alone(self, cell: Cell) -> list[Finished | None]:
        """Return the trainings of a cell's baseline, seed by seed."""
        return [self.found.get(self._alone[grid.budget(cell), seed]) for seed in grid.seeds(self.spec)]
