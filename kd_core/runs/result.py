"""The content of result.json: everything a page or a script needs to judge a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import torch

from kd_core import device as devices
from kd_core.data.dataset import SPLITS, Dataset
from kd_core.distill import LOSSES
from kd_core.evaluate import METRICS, compare
from kd_core.evaluate.latency import network_latency
from kd_core.models.sizes import sizes
from kd_core.runs import assessment
from kd_core.runs.variant_store import Training
from kd_core.specs import RunSpec
from kd_core.teachers.base import TeacherAnswers

SCHEMA = 1


class ResultBuilder:
    """Collects the parts of result.json. The test part is read here, after all choices were made."""

    def __init__(
        self, spec: RunSpec, dataset: Dataset, teacher: TeacherAnswers, metric: str,
        room: list[dict[str, Any]], device: torch.device,
    ) -> None:  # fmt: skip
        self.spec, self.dataset, self.teacher, self.room, self.device = spec, dataset, teacher, room, device
        facts = METRICS.get(metric).facts
        self.metric: dict[str, Any] = {
            "name": metric, "title": METRICS.get(metric).title, "better": facts["better"],
            "margin": spec.evaluation.margin or facts["margin"], "relative": facts["relative"], "unit": facts["unit"],
            "selection": metric,
        }  # fmt: skip
        self.teacher_block = assessment.block(dataset, "test", teacher.logits["test"])
        self.students: list[dict[str, Any]] = []

    def add(
        self, index: int, seeds: list[int], baseline: list[Training], student: list[Training],
        recipe: RunSpec | None = None, **more: Any,
    ) -> None:  # fmt: skip
        """Assess one student against its baseline, paired over seeds.

        `recipe` is the cell of a what-if as an ordinary run of this one student; `more` are further fields.
        """
        spec, name = (recipe.students[0] if recipe else self.spec.students[index]), self.metric["name"]
        objective = (recipe or self.spec).objective
        z_teacher = self.teacher.logits["test"]
        ours = assessment.seeds_block(self.dataset, "test", self._test(student), z_teacher)
        theirs = assessment.seeds_block(self.dataset, "test", self._test(baseline), z_teacher)
        gain = assessment.gains(ours, theirs)
        low, high = gain[name]["ci95"]
        interval = compare.Interval(gain[name]["mean"], low, high, gain[name]["n"])
        margin = compare.margin_in_units(
            self.metric["margin"], self.metric["relative"], theirs["metrics"][name]["values"]
        )
        verdict = compare.verdict(interval, margin)
        stopped = any(t.record.stopped for t in (*student, *baseline))
        size = sizes(spec.arch, self.dataset.num_features, self.dataset.num_outputs)
        best = best_seed(student, self.metric["better"])
        loss = LOSSES.get(objective.name).spec.parse(objective.settings, "the loss").model_dump()
        entry: dict[str, Any] = {
            "name": spec.name, "arch": spec.arch.model_dump(), "objective": objective.name,
            "temperature": loss.get("temperature"), "alpha": loss.get("alpha"), "seeds": seeds, "parameters": size.parameters,
            "size_bytes": size.size_bytes, "flops": size.flops, **ours, "baseline": theirs, "gain": gain,
            "gap_closed": self._gaps(ours, theirs, gain), "agreement": None,
            "verdict": "inconclusive" if stopped else verdict.word, "small": verdict.small, "margin": margin,
            "selection": {
                "student": [_selection(t) for t in student], "baseline": [_selection(t) for t in baseline],
                "kept_seed": seeds[best],
            },
            "stopped_early": stopped,
            "latency_ms": network_latency(student[best].module, self.dataset.num_features)
            if self.spec.evaluation.latency else {},
            **more,
        }  # fmt: skip
        if "fidelity" in ours:
            entry["agreement"] = ours["fidelity"]["agreement"]["mean"]
        entry["reason"] = self._reason(entry, interval, index)
        self.students.append(entry)

    def finish(self, run_id: str, artifacts: dict[str, Any]) -> dict[str, Any]:
        """Put the parts together; `seconds` is added by the caller."""
        data = self.dataset
        environment = devices.environment(self.device)
        return {
            "schema": SCHEMA, "run_id": run_id, "name": self.spec.name, "work_hash": self.spec.work_hash(),
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"), "task": data.task, "metric": self.metric,
            "dataset": {
                "name": data.name, "hash": data.hash, "target": data.spec.target,
                "rows": {s: len(data.parts[s]) for s in SPLITS}, "classes": list(data.classes),
                "features": data.num_features,
            },
            "teacher": {
                "name": self.teacher.name, "parameters": self.teacher.num_parameters,
                "size_bytes": self.teacher.size_bytes, **self.teacher_block, "latency_ms": self.teacher.latency_ms,
                "folds": self.teacher.folds, "cached": self.teacher.cached, "fit_seconds": self.teacher.fit_seconds,
            },
            "students": self.students, "room": self.room,
            "problems": [
                {"severity": p.severity, "code": p.code, "message": p.message, "hint": p.hint, "column": p.column,
                 "count": p.count} for p in data.problems
            ],
            "artifacts": artifacts, "environment": environment,
        }  # fmt: skip

    def _test(self, trainings: list[Training]) -> list[Any]:
        return [t.logits(self.dataset, "test", self.device) for t in trainings]

    def _gaps(self, ours: dict[str, Any], theirs: dict[str, Any], gain: dict[str, Any]) -> dict[str, float | None]:
        """Share of the way from baseline to teacher, per metric, where that way is longer than the seeds' noise."""
        found: dict[str, float | None] = {}
        for name in gain:
            teacher = self.teacher_block["metrics"][name]
            noise = compare.half_width(theirs["metrics"][name]["values"])
            found[name] = None if teacher is None else compare.gap_closed(
                ours["metrics"][name]["mean"], theirs["metrics"][name]["mean"], teacher,
                better=METRICS.get(name).facts["better"], noise=noise,
            )  # fmt: skip
        return found

    def _reason(self, entry: dict[str, Any], interval: compare.Interval, index: int) -> dict[str, Any]:
        """Name the likely reason of the verdict by a code the pages put into words."""
        word = entry["verdict"]
        if entry["stopped_early"]:
            return {"code": "stopped_early", "values": {}}
        if interval.low is None or interval.high is None:
            return {"code": "one_seed", "values": {}}
        if word == "beats":
            return {"code": "small_gain" if entry["small"] else "gain", "values": {}}
        if not self.room[index]["room"]:
            return {"code": "no_room", "values": {}}
        if word == "hurts":
            return {
                "code": "soft_share" if (entry["alpha"] or 0) > 0.8 else "loss",
                "values": {"alpha": entry["alpha"]},
            }
        if word == "ties":
            return {"code": "same", "values": {"margin": entry["margin"]}}
        return {"code": "wide_interval", "values": {"width": interval.high - interval.low, "n": interval.n}}


def best_seed(trainings: list[Training], better: str) -> int:
    """Position of the training that scored best on validation; that one is kept and exported."""
    scores = [float(t.record.score_selected or 0.0) for t in trainings]
    return scores.index(max(scores) if better == "higher" else min(scores))


def _selection(training: Training) -> dict[str, Any]:
    r = training.record
    return {
        "seed": r.seed, "selected_epoch": r.selected_epoch, "last_epoch": r.last_epoch,
        "score_selected": r.score_selected, "score_last": r.score_last, "seconds": r.seconds,
    }  # fmt: skip
