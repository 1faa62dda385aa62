"""The content of result.json for a what-if: cells compared on validation, the chosen ones judged on the test part."""

from __future__ import annotations

from typing import Any

from kd_core.errors import KDError, Stopped
from kd_core.evaluate import METRICS
from kd_core.models.sizes import sizes_for
from kd_core.runs import headroom
from kd_core.runs.artifacts import write_artifacts, write_cells
from kd_core.runs.cells import cell_scores, grid
from kd_core.runs.cells.cell_scores import CellScores, Judge, Score
from kd_core.runs.cells.grid import Cell
from kd_core.runs.cells.trainings import NOTHING, Trainings
from kd_core.runs.cells.variant_store import Finished
from kd_core.runs.result import ResultBuilder
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.teachers.base import TeacherAnswers
from kd_core.workspace import workspace


def build_result(trainings: Trainings, teacher: TeacherAnswers, folder: RunFolder, seconds: float) -> dict[str, Any]:
    """Compare the cells, choose per student, and read the test part once, for the chosen ones only.

    Units: `seconds` of the trainings. Errors: Stopped when nothing was finished; KDError `all_diverged`.
    """
    return _Judging(trainings, teacher, folder).build(seconds)


class _Judging:
    def __init__(self, trainings: Trainings, teacher: TeacherAnswers, folder: RunFolder) -> None:
        self.trainings, self.teacher, self.folder = trainings, teacher, folder
        self.spec, self.dataset, self.device = trainings.spec, trainings.dataset, trainings.device
        facts = METRICS.get(trainings.metric).facts
        self.judge = Judge(facts["better"], self.spec.evaluation.margin or facts["margin"], facts["relative"])
        self.scores = [
            cell_scores.gather(
                c, trainings.seeds, [_score(f) for f in trainings.own(c)], [_score(f) for f in trainings.alone(c)]
            )
            for c in trainings.cells
        ]

    def build(self, seconds: float) -> dict[str, Any]:
        best = cell_scores.best(self.scores, self.judge.better)
        if best is None:
            raise self._nothing()
        best_of: dict[int, int] = {}
        for index in range(len(self.spec.students)):
            chosen = cell_scores.best([s for s in self.scores if s.cell.student == index], self.judge.better)
            if chosen is not None:
                best_of[index] = chosen
        spec, metric, teacher, cells = self.spec, self.trainings.metric, self.teacher, self.trainings.cells
        pairs = [(index, self.trainings.arms(cells[chosen])) for index, chosen in best_of.items()]
        room = [
            headroom.compare(self.dataset, spec.students[i].name, teacher, arms.baseline, metric, self.device)
            for i, arms in pairs
            if not spec.dataset.answer_columns
        ]
        reads = ledger.note_read(workspace(), self.dataset.hash, str(self.folder.path.resolve()))
        result = ResultBuilder(spec, self.dataset, teacher, metric, room, self.device)
        for (index, arms), chosen in zip(pairs, best_of.values(), strict=True):
            recipe = grid.cell_spec(spec, cells[chosen])
            result.add(index, arms, recipe, cell=chosen)
        trained = [grid.student_of(spec, cells[best_of[i]]) if i in best_of else s for i, s in enumerate(spec.students)]
        recipe = spec.model_copy(update={"students": tuple(trained)})
        artifacts = write_artifacts(self.folder, recipe, self.dataset, teacher, pairs, self.device)
        kept = [self._best_seed(s) for s in self.scores]
        artifacts |= write_cells(self.folder, self.dataset, teacher.logits["validation"], kept, self.device)
        asked = grid.count(spec)
        return {
            **result.finish(self.folder.id, artifacts, reads),
            "sweep": {
                "axes": grid.axes(spec),
                "cells": self._rows(self.scores[best], [j.entry for j in result.judged]),
                "best": best,
                "best_of": {spec.students[i].name: chosen for i, chosen in best_of.items()},
                "cells_asked": asked.cells,
                "cells_compared": sum(bool(s.paired[0]) for s in self.scores),
                "variants": asked.variants,
                "trainings": asked.trainings,
                "trained": len(self.trainings.found),
                **self.trainings.way,
                "seconds": round(seconds, 3),
            },
        }

    def _nothing(self) -> Exception:
        """Say why there is no cell to show."""
        found = self.trainings.found.values()
        if any(f.record.stopped for f in found) or len(found) < len(self.trainings.asked):
            return Stopped(NOTHING)
        alone = any(f.usable for f in found if f.record.arm == "baseline")
        return KDError(
            "No cell can be compared: {diverged} of {n} trainings did not come to a usable end{more}.",
            "Try smaller learning rates.",
            "all_diverged",
            diverged=sum(not f.usable for f in found),
            n=len(found),
            more="" if alone else ", every baseline among them",
        )

    def _best_seed(self, scores: CellScores) -> Finished | None:
        """Return the training of a cell that scored best on validation."""
        if not scores.scores:
            return None
        value = max(scores.scores) if self.judge.better == "higher" else min(scores.scores)
        seed = scores.seeds[scores.scores.index(value)]
        return self.trainings.own(scores.cell)[self.trainings.seeds.index(seed)]

    def _rows(self, winner: CellScores, students: list[dict[str, Any]]) -> list[dict[str, Any]]:
        size = [sizes_for(self.dataset, s.arch) for s in self.spec.students]
        latency = {s["name"]: p50(s["latency_ms"]) for s in students}
        return [self._row(s, winner, size[s.cell.student], latency) for s in self.scores]

    def _row(
        self, scores: CellScores, winner: CellScores, size: Any, latency: dict[str, float | None]
    ) -> dict[str, Any]:
        cell: Cell = scores.cell
        name = self.spec.students[cell.student].name
        trained = {f.record.seed: f.record for f in self.trainings.own(cell) if f is not None}
        return {
            "cell": cell.index,
            "student": name,
            **{axis: getattr(cell, axis) for axis in grid.AXES},
            **cell_scores.describe(scores, self.judge),
            **cell_scores.behind(scores, winner, self.judge),
            "selected_epochs": [trained[n].selected_epoch for n in scores.seeds],
            "parameters": size.parameters,
            "size_bytes": size.size_bytes,
            "latency_ms": latency.get(name),
        }


def p50(latency: dict[str, Any]) -> float | None:
    """Return the median milliseconds of one prediction, on ONNX Runtime where it can, else on torch."""
    for runtime in ("onnxruntime", "torch"):
        one = latency.get(runtime, {}).get("1")
        if one:
            return float(one["p50"])
    return None


def _score(finished: Finished | None) -> Score | None:
    if finished is None:
        return None
    value = finished.record.score_selected if finished.kept is not None else None
    return Score(value, finished.record.stopped, finished.record.diverged is not None)
