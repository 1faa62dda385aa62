"""A run that makes a student smaller, step by step as an experiment asks for it: its student, its chains, its judgement."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.data.dataset import Array, Dataset
from kd_core.distill.sweep.variants import TEACHER, digest
from kd_core.distill.terms import hears_inside, soft_share
from kd_core.errors import SpecError
from kd_core.machine import device as devices
from kd_core.models.building import viewed
from kd_core.runs import yes_no
from kd_core.runs.cells.grid import Arm
from kd_core.runs.compressing import goals, timed
from kd_core.runs.compressing.carrying import Carried, Carrying
from kd_core.runs.compressing.check import first_that_learns
from kd_core.runs.compressing.judged import Judged, metric_of, rule
from kd_core.runs.compressing.searching import Search, Tried
from kd_core.runs.compressing.stage_store import StageStore
from kd_core.runs.compressing.tree import tree_of
from kd_core.runs.compressing.written import copy_rows, write_stages
from kd_core.runs.continuing.earlier import opened
from kd_core.runs.deployment import Deployment, deploy
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import OFFLINE, Choice, RunSpec
from kd_core.task import task_of
from kd_core.teachers.answer_cache.cache import CODE, code_version
from kd_core.workspace import workspace

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
LEFT = ("run_id", "name", "work_hash", "choice", "splits", "continued", "mode", "settled", "seconds", "sweep")


@dataclass(frozen=True)
class Means:
    """What a run works with: metric, device, its place on disk, and who is told."""

    metric: str
    device: torch.device
    place: Path
    notify: Notify
    should_stop: ShouldStop


class Compressing:
    """Opens the run and reads its rows. Errors: as `opened`, `Earlier.data`; SpecError `no_such_student`."""

    def __init__(self, spec: RunSpec) -> None:
        assert spec.compress is not None
        self.asked, self.spec = spec.compress, spec
        self.earlier = opened(self.asked)
        self.student = spec.students[0]
        found = next((s for s in self.earlier.result["students"] if s["name"] == self.student.name), None)
        if found is None:
            raise SpecError(
                "Run {run} has no student '{name}'.",
                "Its students: {known}.",
                "no_such_student",
                run=self.earlier.folder.id,
                name=self.student.name,
                known=", ".join(self.earlier.students),
            )
        self.entry = found
        self.dataset: Dataset = self.earlier.data()[0]
        self.alone = (found.get("deployed") or {}).get("arm") == "baseline"
        self.seeds = self.earlier.seeds
        kept = (found.get("selection") or {}).get("kept_seed")
        self.kept_seed = kept if kept in self.seeds else self.seeds[0]
        self.deployments: dict[int, Deployment] = {}

    @property
    def asks(self) -> bool:
        """Say whether the teacher is needed: a step learns from it."""
        return not self.alone and first_that_learns(self.spec) is not None

    @property
    def objective(self) -> Choice | None:
        """Return what steps that learn are taught: the student's own lesson; the task's usual one where that looks inside the teacher."""
        if self.alone:
            return None
        own = self.spec.objective
        return Choice(name=task_of(self.dataset.task).objective) if hears_inside(own) else own

    def carry_out(self, answers: Array | None, means: Means) -> None:
        """Make every stage for every seed, write and time those of the seed that is deployed. Errors: Stopped where nothing was made."""
        objective = self.objective if answers is not None else None
        self.means = means
        self.work = Work(
            self.dataset,
            objective,
            answers,
            self.spec.training,
            means.metric,
            self.kept_seed,
            means.notify,
            means.should_stop,
            means.place / "learning",
            means.device,
        )
        both = objective is not None and soft_share(objective) > 0
        arm: Arm = "baseline" if self.alone else "student"
        starts = {seed: self.earlier.state(arm, self.student.name, seed) for seed in self.seeds}
        store = StageStore(means.place / "stages", self.dataset, self.student.arch, self._basis(objective, answers))
        carrying = Carrying(self.work, store, starts, both=both, bytes_of=self._bytes_of)
        self.search: Search | None = None
        self.tried: list[dict[str, Any]] = []
        tree = tree_of(self.asked.chains or self._searched(carrying))
        self.carried = carrying.carry_out(tree, self.seeds)
        self._deploy_all(self.carried)
        inputs = viewed(self.dataset, self.student.arch).spec
        timing = self.spec.evaluation.latency
        self.times = timed.times(self.deployments, self.dataset, inputs, means.should_stop) if timing else {}

    def judge(self, folder: RunFolder) -> dict[str, Any]:
        """Choose on validation rows, read the test rows once, write every stage, and return the content of result.json."""
        judged = Judged(self.carried, self.work, self.asked, self.deployments, self.times, self.kept_seed)
        best = judged.best()
        reads = ledger.note_read(workspace(), self.dataset.hash, str(folder.path.resolve()))
        stages = judged.stages()
        artifacts = copy_rows(self.earlier, self.student.name, folder)
        written = write_stages(folder, self.dataset, self.carried, self.deployments, self.kept_seed, self.alone)
        for stage in stages:
            paths = written.get(stage["id"], {})
            stage |= {"weights": paths.get("weights"), "file": paths.get("onnx")}
        own = {k: v for k, v in self.earlier.result.items() if k not in LEFT}
        cells = [c for c in own.get("cells", ()) if c["student"] == self.student.name]
        block = {
            "run": self.earlier.folder.id,
            "name": self.earlier.spec.title(),
            "student": self.student.name,
            "alone": self.alone,
            "arch": self.student.arch.model_dump(mode="json"),
            "seeds": self.seeds,
            "kept_seed": self.kept_seed,
            "searched": not self.asked.chains,
            "tried": self.tried,
            "minutes": None if self.asked.chains else self.asked.minutes,
            "goals": goals.asked(self.asked),
            "metric": metric_of(self.work.metric, self.spec.evaluation.margin),
            "test_reads": reads,
            "statements": judged.statements(),
            "sensitivity": judged.sensitivity(),
            "stages": stages,
            "chains": [list(chain) for chain in self.carried.tree.chains],
            "best": best,
            "rule": rule(best, stages),
            "known": self._known(),
            "stopped": self.carried.stopped,
        }
        return {
            **own,
            "run_id": folder.id,
            "name": self.spec.name,
            "work_hash": self.spec.work_hash(),
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "students": [self.entry],
            "cells": cells,
            "test_reads": reads,
            "artifacts": {**artifacts, "students": [{"index": 0, "name": self.student.name, **written[0]}]},
            "environment": devices.environment(self.means.device),
            "compressed": block,
        }

    def _searched(self, carrying: Carrying) -> list[tuple[Choice, ...]]:
        """Search chains on one seed and validation rows; the smallest that keep the goals are carried out for all seeds. None that does: the nearest is shown."""
        told = self.asked.model_dump(mode="json", exclude={"run"})
        if (kept := carrying.store.searched(told)) is not None:
            chosen, self.tried = kept
            return chosen
        root = carrying.on_trial(tree_of([]), self.kept_seed, self.means.should_stop).stage(0, self.kept_seed)
        inputs = viewed(self.dataset, self.student.arch).spec
        learns = first_that_learns(self.spec) is not None

        def weigh(chain: tuple[Choice, ...]) -> Tried:
            return self._weigh(carrying, chain)

        self.search = Search(
            root,
            lambda entry, stage: entry.facts["suits"](stage, inputs),
            weigh,
            60 * self.asked.minutes,
            self.means.notify,
            self.means.should_stop,
            learns,
            self._bytes_of(0, self.kept_seed, root),
        )
        found = self.search.run()
        made = [one for one in self.search.tried.values() if one.lost is not None]
        near = sorted(made, key=lambda one: goals.beyond(self.asked, one.lost, one.bytes, one.microseconds))
        chosen = [one.chain for one in found or near[:1]]
        self.tried = [one.told() for one in self.search.tried.values()]
        carrying.store.keep_search(told, chosen, self.tried)
        return chosen

    def _weigh(self, carrying: Carrying, chain: tuple[Choice, ...]) -> Tried:
        """Carry a chain out for the seed that is deployed, and look at validation rows."""
        start, tree, search = time.monotonic(), tree_of([chain]), self.search
        up = self.means.should_stop if search is None else search.is_up
        made = carrying.on_trial(tree, self.kept_seed, up)
        last = tree.nodes[-1]
        if not made.seeds_of(last.number):
            return Tried(chain, last.name, None, None, False, time.monotonic() - start, made.reason(last.number))
        stage = made.stage(last.number, self.kept_seed)
        deployed = {last.number: deploy(stage.module, self.dataset, stage.arch, "validation", rounded=stage.file)}
        inputs, timed_too = viewed(self.dataset, stage.arch).spec, self.asked.microseconds is not None
        times = timed.times(deployed, self.dataset, inputs, self.means.should_stop) if timed_too else {}
        row = Judged(made, self.work, self.asked, deployed, times, self.kept_seed).on_validation(last.number)
        lost = None if row["lost"] is None else row["lost"]["mean"]
        one, took = goals.microseconds(row), time.monotonic() - start
        return Tried(chain, last.name, row["bytes"], lost, row["passes"], took, row["reason"], one)

    def _basis(self, objective: Choice | None, answers: Array | None) -> list[Any]:
        """Name what decides all stages alike."""
        lessons = None if answers is None else digest({TEACHER: answers})
        device = self.means.device.type
        code = code_version((*CODE, "distill", "compress"))
        told = [objective and objective.model_dump(mode="json"), self.spec.training.model_dump(mode="json")]
        return [self.dataset.hash, lessons, *told, device, code]

    def _deployed(self, number: int, stage: Stage) -> Deployment:
        if number not in self.deployments:
            rule = yes_no.rule_of(self.dataset, self.spec.evaluation)
            self.deployments[number] = deploy(stage.module, self.dataset, stage.arch, "validation", stage.file, rule)
        return self.deployments[number]

    def _bytes_of(self, number: int, seed: int, stage: Stage) -> int | None:
        if seed != self.kept_seed:
            return None
        data = self._deployed(number, stage).data
        return None if data is None else len(data)

    def _deploy_all(self, carried: Carried) -> None:
        for node in carried.tree.nodes:
            if seeds := carried.seeds_of(node.number):
                seed = self.kept_seed if self.kept_seed in seeds else seeds[0]
                self._deployed(node.number, carried.stage(node.number, seed))

    def _known(self) -> list[dict[str, Any]]:
        """Say what a person should know of how it was done."""
        found: list[dict[str, Any]] = []
        if self.alone:
            found.append({"code": "alone", "values": {}})
        elif self.objective != self.spec.objective and self.objective is not None:
            found.append(
                {"code": "other_lesson", "values": {"own": self.spec.objective.name, "taken": self.objective.name}}
            )
        if self.spec.mode.name != OFFLINE and self.asks:
            found.append({"code": "mode", "values": {"name": self.spec.mode.name}})
        if not self.asked.chains and first_that_learns(self.spec) is None:
            found.append({"code": "no_lesson", "values": {"name": self.spec.mode.name}})
        inputs = viewed(self.dataset, self.student.arch).spec
        root = self.carried.stage(0, self.carried.seeds_of(0)[0])
        for entry in STEPS.entries():
            if reason := entry.facts["suits"](root, inputs):
                found.append({"code": "step", "values": {"step": entry.name, "reason": reason}})
        return found
