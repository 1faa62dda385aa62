"""The content of result.json: everything a page or a script needs to judge a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.distill import loss_of, placebo
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import advice, compare, each_label, families
from kd_core.evaluate.intervals.compare import Gain, Verdict
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.machine import device as devices
from kd_core.models.sizes import sizes_for
from kd_core.registry import Entry
from kd_core.runs import assessment, yes_no
from kd_core.runs.cells import modes
from kd_core.runs.cells.tasks_inside import tasks_inside
from kd_core.runs.cells.trainings import Arms
from kd_core.runs.cells.variant_store import Training
from kd_core.runs.deployment import Deployment, latency
from kd_core.runs.items.cold_start import cold_start
from kd_core.runs.items.teacher_beside import teacher_beside
from kd_core.runs.plain.beside import Beside, Judge
from kd_core.runs.plain.references import Reference, References
from kd_core.runs.store.measured import write_gains
from kd_core.specs import SEVERAL, Choice, RunSpec
from kd_core.task import IN_PARTS, task_of
from kd_core.teachers.base import TeacherAnswers

SCHEMA = 4


@dataclass
class _Judged:
    """A student's entry with what its word is decided from."""

    entry: dict[str, Any]
    evidence: Evidence
    gains: dict[str, Gain]
    gain: Gain
    margin: float
    room: str
    arms: Arms


class ResultBuilder:
    """Collects the parts of result.json. The test part is read here, after all choices were made."""

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        teacher: TeacherAnswers,
        metric: str,
        room: list[dict[str, Any]],
        device: torch.device,
    ) -> None:
        self.spec, self.dataset, self.teacher, self.room, self.device = spec, dataset, teacher, room, device
        facts = METRICS.get(metric).facts
        self.metric: dict[str, Any] = {
            "name": metric,
            "title": METRICS.get(metric).title,
            "better": facts["better"],
            "margin": spec.evaluation.margin or facts["margin"],
            "relative": facts["relative"],
            "unit": facts["unit"],
            "selection": metric,
        }
        self.teacher_block = assessment.block(dataset, "test", teacher.logits["test"])
        self.judged: list[_Judged] = []
        self.references: dict[str, Any] | None = None
        self.whole: dict[str, Any] = {}  # times of the teacher with its reading of rows

    def add(self, index: int, arms: Arms, recipe: RunSpec, cell: int, deployed: Deployment | None = None) -> None:
        """Assess one student against its baseline, the teacher and its placebo, paired over seeds.

        `recipe` is its cell as a run of this one student; `cell` the number of it; `deployed` its file, where one is kept.
        """
        spec, name, objective = recipe.students[0], self.metric["name"], recipe.objective
        z_teacher = self.teacher.logits["test"]
        rows = assessment.comparable(self.dataset, z_teacher)
        sides = {"baseline": arms.baseline, "student": arms.student, "placebo": arms.placebo}
        logits = {side: [t.logits(self.dataset, "test", self.device) for t in found] for side, found in sides.items()}
        found = assessment.evidence(self.dataset, "test", z_teacher, logits)
        shared: Evidence | None = found
        if rows is not assessment.ALL:
            shared = None if rows is None else assessment.evidence(self.dataset, "test", z_teacher, logits, rows)
        classes, near = len(self.dataset.classes), assessment.ALL if self.spec.dataset.answer_columns else rows
        blocks = {s: assessment.seeds_block(found, s, classes, z, z_teacher, near) for s, z in logits.items() if z}
        ours, theirs = blocks["student"], blocks["baseline"]
        gain = assessment.gains(found, "student", "baseline")
        margin = compare.margin_in_units(
            self.metric["margin"], self.metric["relative"], theirs["metrics"][name]["values"]
        )
        size = sizes_for(self.dataset, spec.arch)
        loss = loss_of(objective).spec.parse(objective.settings, "the loss").model_dump()
        loss = {} if modes.own_lesson(self.spec) else loss
        entry: dict[str, Any] = {
            "name": spec.name,
            "arch": spec.arch.model_dump(),
            "objective": objective.name,
            "temperature": loss.get("temperature"),
            "alpha": loss.get("alpha"),
            "seeds": arms.seeds,
            "parameters": size.parameters,
            "size_bytes": len(deployed.data) if deployed and deployed.data else size.size_bytes,
            "weights_bytes": size.size_bytes,
            "flops": size.flops,
            **ours,
            "baseline": theirs,
            "gain": write_gains(gain),
            "versus_teacher": write_gains(assessment.gains(shared, "student", "teacher")) if shared else {},
            **self._placebo(found, blocks, objective),
            **self._gaps(shared, gain),
            "agreement": ours["fidelity"]["agreement"]["mean"] if "fidelity" in ours else None,
            "margin": margin,
            "selection": {
                **{arm: [_selection(t) for t in sides[arm]] for arm in ("student", "baseline", "placebo")},
                "kept_seed": arms.seeds[arms.kept],
            },
            "stopped_early": any(t.record.stopped for t in (*arms.student, *arms.baseline)),
            "latency_ms": latency(arms.deployed.module, deployed, self.dataset, spec.arch)
            if self.spec.evaluation.latency
            else {},
            **(
                {"deployed": deployed.told(timed=self.spec.evaluation.latency) | self._taken(arms, shared)}
                if deployed
                else {}
            ),
            **yes_no.told(self.dataset, recipe.evaluation, arms, self.teacher.logits, deployed, self.device),
            "cell": cell,
            **cold_start(self.dataset, z_teacher, logits),
            **_moved(arms, self.teacher.logits["train"], loss_of(objective), objective, self.dataset),
        }
        room = next((str(r["state"]) for r in self.room if r["student"] == self.spec.students[index].name), "unclear")
        self.judged.append(_Judged(entry, found, gain, gain[name], margin, room, arms))

    def _taken(self, arms: Arms, shared: Evidence | None) -> dict[str, Any]:
        """Say where the deployed model is the one trained alone, and how that stands against the teacher; nothing else is told by a taught one."""
        if arms.taken == "student":
            return {}
        versus = assessment.gains(shared, arms.taken, "teacher") if shared else {}
        return {"arm": arms.taken, "versus_teacher": write_gains(versus)}

    def compare(self, references: References | Any) -> list[Reference]:
        """Set every student's deployed arm beside the best plain model of at most its bytes, and beside the smallest one like it.

        Returns the models that the result names, once each, the smallest first.

        Errors: none of a single model; those that could not be had are told in the result.
        """
        name, sizes = self.metric["name"], [j.entry["deployed"]["bytes"] or 0 for j in self.judged]
        archs = [Choice.parse(j.entry["arch"]) for j in self.judged]
        references.learn(list(zip(archs, sizes, strict=True)), any("names" in j.entry["deployed"] for j in self.judged))
        asked = [
            self._beside(one, references, arch, size) for one, arch, size in zip(self.judged, archs, sizes, strict=True)
        ]
        statements = sum(one.statements for one in asked)
        judge = Judge(self.dataset, references, name, statements, self.spec.evaluation.latency)
        named: set[str] = set()
        for one in asked:
            one.entry["reference"] = told = judge.told(one)
            named |= {model["name"] for model in told.values() if model}
        own = teacher_beside(self.dataset, self.teacher.logits["test"], references, name, self.metric["margin"])
        self.references = {"known": [r.told() for r in references.known], "missing": references.missing, **own}
        return [r for r in references.known if r.name in named and isinstance(r, Reference)]

    def _beside(self, one: _Judged, references: Any, arch: Choice, size: int) -> Beside:
        """Choose a student's plain models on validation rows."""
        arm = one.arms.taken
        score = float(np.mean([t["score_selected"] for t in one.entry["selection"][arm]]))
        best = references.of_size(arch, size) if size else None
        smallest = references.smallest_within(arch, score, one.margin)
        return Beside(one.entry, one.evidence, arm, one.arms.seeds, one.margin, best, smallest)

    def finish(self, run_id: str, artifacts: dict[str, Any], test_reads: int, **more: Any) -> dict[str, Any]:
        """Put the parts together; `seconds` is added by the caller."""
        data = self.dataset
        return {
            "schema": SCHEMA,
            "run_id": run_id,
            "name": self.spec.name,
            "work_hash": self.spec.work_hash(),
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "task": data.task,
            "metric": self.metric,
            "dataset": {
                "name": data.name,
                "hash": data.hash,
                "target": data.spec.target,
                **({"answer_columns": list(own)} if (own := data.spec.answer_columns) else {}),
                "rows": {s: len(data.parts[s]) for s in SPLITS},
                "classes": list(data.classes),
                **assessment.queries_of(data),
                "features": data.view().spec.width if TABLE in data.views.read else len(data.columns),
            },
            "teacher": {
                "name": self.teacher.name,
                "parameters": self.teacher.num_parameters,
                "size_bytes": self.teacher.size_bytes,
                **self.teacher_block,
                "latency_ms": self.teacher.latency_ms | self.whole,
                "folds": self.teacher.folds,
                "cached": self.teacher.cached,
                "fit_seconds": self.teacher.fit_seconds,
                **({"known": known} if (known := self.teacher.known()) else {}),
                **({"notes": list(self.teacher.notes)} if self.teacher.notes else {}),
                **_members(self.teacher.details),
            },
            "students": [j.entry for j in self.judged],
            "room": self.room,
            "references": self.references,
            "test_reads": test_reads,
            "problems": [
                {
                    "severity": p.severity,
                    "code": p.code,
                    "message": p.message,
                    "hint": p.hint,
                    "column": p.column,
                    "count": p.count,
                }
                for p in data.problems
            ],
            "artifacts": artifacts,
            "environment": devices.environment(self.device),
            **more,
        }

    def give_words(self) -> None:
        """Judge all students together: with several, the best of them is partly the luckiest."""
        words = families.family_words([j.gain for j in self.judged], [j.margin for j in self.judged])
        for one, word in zip(self.judged, words, strict=True):
            entry = one.entry
            if len(self.judged) > 1:
                for metric, gain in one.gains.items():
                    wide = families.simultaneous(gain, len(self.judged))
                    entry["gain"][metric]["ci_family"] = [wide.low, wide.high]
            if entry["stopped_early"]:
                told, word = advice.Advice("none"), Verdict("inconclusive")
            else:
                told = advice.advise(one.gain, word, one.margin, one.evidence.num_units)
            entry |= {"verdict": word.word, "small": word.small, "advice": {"kind": told.kind, "need": told.need}}
            entry["reason"] = self._reason(entry, one)
            if task_of(self.dataset.task).each_alone:
                entry["labels"] = each_label.told(one.evidence, len(self.judged))
            if IN_PARTS(task_of(self.dataset.task)):
                entry["tasks"] = tasks_inside(one.evidence, len(self.judged), stopped=entry["stopped_early"])

    def _placebo(self, found: Evidence, blocks: Mapping[str, Any], objective: Any) -> dict[str, Any]:
        """What the same student learned without a teacher, or why nobody asked."""
        if "placebo" in blocks:
            gain = write_gains(assessment.gains(found, "student", "placebo"))
            of = {"of": "rows"} if placebo.shuffles(objective) else {"of": "both"} if placebo.mixes(objective) else {}
            return {"placebo": {"metrics": blocks["placebo"]["metrics"], "gain": gain, **of}, "placebo_reason": None}
        why = modes.why_no_placebo(self.spec, self.dataset.task)
        if why is None:
            why = "what_if" if self.spec.sweep else "stopped" if self.spec.evaluation.placebo else "not_asked"
        return {"placebo": None, "placebo_reason": why}

    def _gaps(self, found: Evidence | None, gain: Mapping[str, Gain]) -> dict[str, Any]:
        """Share of the way from baseline to teacher, per metric, where that way is surely longer than nothing."""
        gaps = {name: found.gap_closed(name) if found else None for name in gain}
        return {
            "gap_closed": {name: gap and gap.mean for name, gap in gaps.items()},
            "gap_closed_ci95": {name: [gap.low, gap.high] if gap else None for name, gap in gaps.items()},
        }

    def _reason(self, entry: dict[str, Any], one: _Judged) -> dict[str, Any]:
        """Name the likely reason of the verdict by a code the pages put into words."""
        word, gain = entry["verdict"], one.gain
        if entry["stopped_early"]:
            return {"code": "stopped_early", "values": {}}
        if gain.low is None or gain.high is None:
            return {"code": "one_seed", "values": {}}
        if word == "beats":
            return {"code": "small_gain" if entry["small"] else "gain", "values": {}}
        if word == "inconclusive":
            return {"code": "wide_interval", "values": {"width": gain.high - gain.low, "n": gain.n}}
        if one.room == "none":
            return {"code": "no_room", "values": {}}
        if word == "hurts":
            soft = (entry["alpha"] or 0) > 0.8 and not self.spec.dataset.answer_columns
            unheard = modes.unlabelled(self.spec.mode.name)
            code = "unlabelled" if unheard else "soft_share" if soft else "loss"
            return {"code": code, "values": {"alpha": entry["alpha"]}}
        return {"code": "same", "values": {"margin": entry["margin"]}}


def _members(details: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of several teachers how they were combined and what each scores on validation rows beside all together; or who teaches."""
    wanted = ("combine", "validation", "members") if "members" in details else ("chosen",)
    return {name: details[name] for name in wanted if name in details}


def _moved(arms: Arms, z_teacher: Array, loss: Entry[Any], objective: Choice, data: Dataset) -> dict[str, Any]:
    """What moved the student, as means over its seeds and as a curve of the seed that is kept; and how sure its teacher was.

    `teacher_top`: mean share that the teacher's softened answers give to their first class on training rows.
    """
    found: dict[str, Any] = {}
    told = [t.record.shares for t in arms.student if t.record.shares]
    if told:
        means = [t["mean"] for t in told]
        found["shares"] = {n: float(np.mean([m.get(n, 0.0) for m in means])) for n in means[0]}
        found["share_curve"] = (arms.student[arms.kept].record.shares or told[0])["curve"]
    if objective.name == SEVERAL:
        found["terms"] = list(objective.settings["terms"])
    if loss.facts.get("soft_labels") and task_of(data.task).has_classes:
        settings = loss.spec.parse(objective.settings, "the loss")
        found["teacher_top"] = assessment.top_share(data, z_teacher, float(getattr(settings, "temperature", 1.0)))
    return found


def _selection(training: Training) -> dict[str, Any]:
    r = training.record
    return {
        "seed": r.seed,
        "selected_epoch": r.selected_epoch,
        "last_epoch": r.last_epoch,
        "score_selected": r.score_selected,
        "score_last": r.score_last,
        "seconds": r.seconds,
        **({"helpers": r.helpers} if r.helpers else {}),
    }
