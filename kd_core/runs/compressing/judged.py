"""Every stage on the test rows, once: what it scores, what it lost against the student as it was, how like that it answers, what it weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.compress.base import Work, learns
from kd_core.data.dataset import Array, Split
from kd_core.evaluate import METRICS
from kd_core.evaluate.soft_labels import agreement
from kd_core.models.building import viewed
from kd_core.models.sizes import counted
from kd_core.requests.compress_spec import CompressSpec
from kd_core.runs import assessment
from kd_core.runs.compressing import goals
from kd_core.runs.compressing.carrying import Carried, logits
from kd_core.runs.compressing.points import beside, in_points, lost, won
from kd_core.runs.compressing.stage_store import Side
from kd_core.runs.compressing.tree import Node
from kd_core.runs.deployment import Deployment
from kd_core.task import task_of


class Judged:
    """The stages of a run, judged part by part: validation first, by which one is chosen, then test. Answers are computed once."""

    def __init__(
        self,
        carried: Carried,
        work: Work,
        spec: CompressSpec,
        deployments: Mapping[int, Deployment],
        times: Mapping[int, Mapping[str, Any]],
        kept_seed: int,
    ) -> None:
        self.carried, self.work, self.spec = carried, work, spec
        self.deployments, self.times, self.kept_seed = deployments, times, kept_seed
        self._answers: dict[tuple[int, int, Split, Side], Array] = {}
        self._weights: dict[int, dict[str, Any]] = {}

    def best(self) -> int | None:
        """Choose the smallest stage that keeps the goals on validation rows; None where none does. No test row is read.

        A stage as large as the student is no choice, unless the student itself does not keep the goals.
        """
        student, *rows = [self._stage(node, "validation", 1) for node in self.carried.tree.nodes]
        passing = [row for row in rows if row["passes"] and row["bytes"] is not None]
        if student["passes"] and student["bytes"] is not None:
            passing = [row for row in passing if row["bytes"] < student["bytes"]]
        return goals.smallest(passing)

    def on_validation(self, number: int) -> dict[str, Any]:
        """Judge a stage on validation rows. With one seed its goals are kept or not by what it lost there, as there is no interval."""
        row = self._stage(self.carried.tree.nodes[number], "validation", 1)
        if row["reason"] is None and row["lost"] is not None and row["lost"]["ci95"][1] is None:
            as_measured = {**row["lost"], "ci95": [row["lost"]["mean"]] * 2}
            row["passes"] = goals.keeps(row, self.spec, as_measured)
        return row

    def stages(self) -> list[dict[str, Any]]:
        """Judge every stage on test rows, which are read here."""
        nodes = self.carried.tree.nodes
        statements = max(1, self.statements())
        rows = [self._stage(node, "test", statements) for node in nodes]
        for row in rows:
            if row["reason"] is None:
                before = None if row["parent"] is None else rows[row["parent"]]
                row["flags"] = goals.flags(row, before, self.spec)
        return rows

    def statements(self) -> int:
        """Count the stages that something is said of: a difference from the student as it was."""
        return sum(bool(node.number and self.carried.seeds_of(node.number)) for node in self.carried.tree.nodes)

    def _stage(self, node: Node, split: Split, statements: int) -> dict[str, Any]:
        carried = self.carried
        seeds, reason = carried.seeds_of(node.number), carried.reason(node.number)
        deployed = self.deployments.get(node.number)
        if reason is None and deployed is not None and deployed.data is None:
            reason = f"no file of it can be written: {str(deployed.reason).rstrip('.')}"
        at = carried.tree.chain_of(node.number)
        row: dict[str, Any] = {
            "id": node.number,
            "parent": node.parent,
            "chain": at[0] if at else None,
            "step": node.told(),
            "name": node.name,
            "seeds": seeds,
            "left": carried.left(node.number),
            "reason": reason,
            "flags": [],
            "passes": False,
        }
        if not seeds:
            return row | _nothing()
        row |= self._scores(node, seeds, split, statements)
        if node.number not in self._weights:
            self._weights[node.number] = self._weight(node, deployed)
        row |= self._weights[node.number]
        row["passes"] = reason is None and goals.keeps(row, self.spec, row["lost"])
        return row

    def _scores(self, node: Node, seeds: Sequence[int], split: Split, statements: int) -> dict[str, Any]:
        """Score a stage over its seeds, paired with the student as it was, the stage before, and its twin without a teacher."""
        dataset, metric = self.work.dataset, self.work.metric
        own, root = self._seeds(node.number, seeds, split), self._seeds(0, seeds, split)
        found = beside(dataset, split, own, root)
        factor = in_points(metric, found.values(metric, "second"))
        gain = found.gain(metric, "first", "second") if node.number else None
        every = found.metrics() if split == "test" else [metric]
        classes = task_of(dataset.task).has_classes
        before = None if node.parent is None else self._seeds(node.parent, seeds, split)
        return {
            "metrics": {name: assessment.spread(found.values(name, "first"))["mean"] for name in every},
            "values": {name: found.values(name, "first") for name in every},
            "scores": found.values(metric, "first"),
            "validation": _mean([self.carried.made[node.number, seed].validation for seed in seeds]),
            "lost": None if gain is None else lost(gain, factor, statements),
            "again": self._again(node, split, factor),
            "agreement": _agreement(own, root) if classes and node.number else None,
            "agreement_before": _agreement(own, before) if classes and before is not None else None,
        }

    def _again(self, node: Node, split: Split, factor: float) -> dict[str, Any] | None:
        """Set a stage that learned beside the same one that learned as long without the teacher."""
        if node.step is None or not learns(node.step):
            return None
        seeds = [s for s in self.carried.seeds_of(node.number, "again") if s in self.carried.seeds_of(node.number)]
        if not seeds:
            return None
        taught, alone = (self._seeds(node.number, seeds, split, side) for side in ("taught", "again"))
        found = beside(self.work.dataset, split, taught, alone)
        gain = found.gain(self.work.metric, "first", "second")
        if gain is None:
            return None
        return {**won(gain, factor), "scores": found.values(self.work.metric, "second")}

    def _weight(self, node: Node, deployed: Deployment | None) -> dict[str, Any]:
        """Tell what a stage weighs: that of the seed that is deployed."""
        seeds = self.carried.seeds_of(node.number)
        seed = self.kept_seed if self.kept_seed in seeds else seeds[0]
        stage = self.carried.stage(node.number, seed)
        size = counted(stage.module, stage.arch.name, viewed(self.work.dataset, stage.arch).spec)
        data = None if deployed is None else deployed.data
        short = None if deployed is None else deployed.compact
        return {
            "bytes": None if data is None else len(data),
            "compact": None if short is None else len(short),
            **size.told(),
            "latency": dict(self.times.get(node.number, {})),
            "seconds": round(sum(self.carried.made[node.number, s].seconds for s in seeds), 3),
            "told": {k: v for k, v in stage.told[-1].items() if k != "sensitivity"} if stage.told else {},
        }

    def sensitivity(self) -> list[dict[str, Any]]:
        """Gather what steps found out about single layers, of the first seed."""
        found: list[dict[str, Any]] = []
        for node in self.carried.tree.nodes:
            for seed in self.carried.seeds_of(node.number)[:1]:
                said = self.carried.stage(node.number, seed).told
                found += [{**one, "stage": node.number} for one in (said[-1].get("sensitivity", ()) if said else ())]
        return found

    def _seeds(self, number: int, seeds: Sequence[int], split: Split, side: Side = "taught") -> list[Array]:
        for seed in seeds:
            if (number, seed, split, side) not in self._answers:
                found = logits(self.carried.stage(number, seed, side), self.work, split)
                self._answers[number, seed, split, side] = found
        return [self._answers[number, seed, split, side] for seed in seeds]


def metric_of(name: str, margin: float | None) -> dict[str, Any]:
    """Describe the metric that stages are compared by."""
    entry = METRICS.get(name)
    facts = entry.facts
    told = {"better": facts["better"], "unit": facts["unit"], "relative": facts["relative"]}
    return {"name": name, "title": entry.title, "margin": margin or facts["margin"], **told}


def rule(best: int | None, stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say by what the best stage was chosen, as a code with values."""
    made = sum(s["reason"] is None and s["id"] != 0 for s in stages)
    if best is None:
        return {"code": "none_keeps", "stages": made}
    return {"code": "smallest_that_keeps", "stages": made, "name": stages[best]["name"]}


def _agreement(first: Sequence[Array], second: Sequence[Array]) -> float:
    return float(np.mean([agreement(a, b) for a, b in zip(first, second, strict=True)]))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _nothing() -> dict[str, Any]:
    """Return what is told of a stage that could not be made."""
    empty = ("validation", "lost", "again", "agreement", "agreement_before", "bytes", "compact")
    counts = ("parameters", "nonzero", "flops")
    rest = {"metrics": {}, "values": {}, "scores": [], "latency": {}, "seconds": 0.0, "told": {}}
    return dict.fromkeys((*empty, *counts)) | rest
