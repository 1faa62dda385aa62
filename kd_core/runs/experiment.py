"""From a spec to a result: the one function behind the command line, the worker and the tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import psutil
import torch

from kd_core import device as devices
from kd_core.data.dataset import Array, Split
from kd_core.data.preparation import prepare
from kd_core.errors import DataError, Problem, SpecError, Stopped, raise_problems
from kd_core.evaluate import METRICS
from kd_core.evaluate.base import PRIMARY
from kd_core.runs import assessment, plan, result
from kd_core.runs.artifacts import write_artifacts
from kd_core.runs.folder import RunFolder
from kd_core.runs.sweep import PHASES as SWEEP_PHASES
from kd_core.runs.sweep import Sweep, plan_fields
from kd_core.runs.sweep_result import build_result
from kd_core.runs.trainings import Arms, Trainings
from kd_core.specs import RunSpec
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import TeacherAnswers
from kd_core.teachers.cache import TeacherCache
from kd_core.training.plan import resolve
from kd_core.workspace import workspace

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
PHASES = ("data", "teacher", "baseline", "students", "evaluate")


def run(spec: RunSpec, folder: RunFolder, on_event: Notify, should_stop: ShouldStop) -> dict[str, Any]:
    """Carry out a spec in its folder and return the content of result.json; the caller finishes the folder.

    Finished trainings and teacher answers are taken from disk, so that a run that was cut off
    goes on where it was. A stop request ends the run with what is finished.

    Errors: DataError and SpecError before any training; Stopped when nothing could be kept.
    """
    device = devices.pick(spec.training.device)
    with devices.threads(1):
        return _Experiment(spec, folder, on_event, should_stop, device).run()


class _Experiment:
    def __init__(
        self, spec: RunSpec, folder: RunFolder, notify: Notify, should_stop: ShouldStop, device: torch.device
    ) -> None:
        self.spec, self.folder, self.notify, self.should_stop, self.device = spec, folder, notify, should_stop, device
        self.phases = SWEEP_PHASES if spec.sweep else PHASES
        self.seconds: dict[str, float] = dict.fromkeys((*self.phases, "cache"), 0.0)

    def run(self) -> dict[str, Any]:
        with self.phase("data"):
            self.dataset = prepare(self.spec.dataset)
            self.metric = self.choose_metric()
            problems = plan.check(self.spec, self.dataset.task, len(self.dataset.classes))
            raise_problems(problems)
            self.require_defined_metric()
            self.announce(problems)
        with self.phase("teacher"):
            self.teacher = self.ask_teacher()
        found = self.compare_cells() if self.spec.sweep else self.compare_students()
        return {**found, "seconds": {k: round(v, 3) for k, v in self.seconds.items()}}

    def compare_cells(self) -> dict[str, Any]:
        """Train every cell of a what-if and compare them."""
        sweep = Sweep(
            self.spec, self.dataset, self.teacher, self.metric, self.device, self.folder, self.notify, self.should_stop
        )
        with self.phase("sweep"):
            sweep.train()
        with self.phase("evaluate"):
            return build_result(sweep, self.seconds["sweep"])

    def compare_students(self) -> dict[str, Any]:
        """Train every student with and without the teacher, and compare the two."""
        arms = [Arms() for _ in self.spec.students]
        with self.phase("baseline"):
            self.train_baselines(arms)
        self.room = self.tell_room(arms)
        with self.phase("students"):
            self.train_students(arms)
        with self.phase("evaluate"):
            return self.evaluate(arms)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase's start and end, with its seconds."""
        self.notify({"kind": "phase", "phase": name, "state": "start"})
        start = time.monotonic()
        yield
        self.seconds[name] += time.monotonic() - start
        more = {"cached": self.teacher.cached} if name == "teacher" else {}
        self.notify({"kind": "phase", "phase": name, "state": "end", "seconds": round(self.seconds[name], 3), **more})
        used = {"rss_mb": round(psutil.Process().memory_info().rss / 2**20, 1)}
        gpu = torch.cuda.max_memory_allocated() / 2**20 if self.device.type == "cuda" else None
        self.notify({"kind": "resources", **used, "gpu_mb": gpu})

    def choose_metric(self) -> str:
        """Name the metric of selection and verdict; one that does not fit the task is refused."""
        name = self.spec.evaluation.metric or PRIMARY[self.dataset.task]
        why_not = METRICS.get(name).why_not(plan.situation(self.dataset.task, len(self.dataset.classes)))
        if why_not:
            raise SpecError(
                "The metric '{name}' {why}.", "Leave the metric empty or choose one that fits.", "metric_task",
                name=name, why=why_not,
            )  # fmt: skip
        return name

    def require_defined_metric(self) -> None:
        """Refuse a metric that even perfect answers leave undefined on validation or test rows, before any training."""
        measured: tuple[Split, ...] = ("validation", "test")
        for split in measured:
            y = self.dataset.scaled_y(split)
            perfect = y[:, None] if self.dataset.task == "regression" else np.eye(len(self.dataset.classes))[y]
            if assessment.score(self.dataset, split, perfect, self.metric) is None:
                raise DataError(
                    "The metric '{metric}' can't be computed on the {split} part: its {rows} rows hold {found} different "
                    "target value(s).", "Choose another metric, or another group or time column.", "undefined_metric",
                    metric=self.metric, split=split, rows=len(y), found=len(np.unique(y)),
                )  # fmt: skip

    def announce(self, problems: list[Problem]) -> None:
        """Say what will be trained and for how long, and what to be aware of, before anything is."""
        steps = resolve(self.spec.training, len(self.dataset.train))
        estimate = plan.estimate(
            self.spec, len(self.dataset.rows), self.dataset.num_features, self.dataset.num_outputs,
            plan.circumstances(self.spec),
        )  # fmt: skip
        first = self.spec.training.first_seed
        self.notify({
            "kind": "plan", "trainings": estimate.trainings, "phases": list(self.phases),
            "students": [s.name for s in self.spec.students], "seeds": list(range(first, first + self.spec.training.seeds)),
            "epochs": steps.epochs, "batch_size": steps.batch_size, "metric": self.metric,
            "better": METRICS.get(self.metric).facts["better"], "device": self.device.type,
            **estimate.fields(self.phases), **(plan_fields(self.spec) if self.spec.sweep else {}),
        })  # fmt: skip
        for problem in (*self.dataset.problems, *problems):
            if problem.severity == "warning":
                self.notify({"kind": "warning", "code": problem.code, "message": problem.message, "hint": problem.hint})

    def ask_teacher(self) -> TeacherAnswers:
        """Get the teacher's answers, trained now or kept from an earlier run."""
        start = time.monotonic()
        cache = TeacherCache(workspace() / "teachers")
        found = teacher_answers(
            self.dataset, self.spec.teacher, folds=self.spec.evaluation.folds, seed=self.spec.training.first_seed,
            cache=cache, notify=self.notify, should_stop=self.should_stop, device=self.device.type,
        )  # fmt: skip
        self.seconds["cache"] = max(0.0, time.monotonic() - start - found.fit_seconds) if not found.cached else 0.0
        block = assessment.block(self.dataset, "validation", found.logits["validation"])
        self.notify({
            "kind": "teacher", "name": found.name, "metrics": block["metrics"], "parameters": found.num_parameters,
            "size_bytes": found.size_bytes, "seconds": found.fit_seconds, "cached": found.cached,
            "seconds_saved": round(found.seconds_saved, 3), "kept_bytes": found.kept_bytes,
        })  # fmt: skip
        return found

    @cached_property
    def trainings(self) -> Trainings:
        """The folder of finished trainings; made once, so that the count goes on."""
        place = self.folder.path / "checkpoints" / "trained"
        return Trainings(self.spec, self.dataset, place, self.metric, self.device)

    def seeds(self) -> range:
        return range(self.spec.training.first_seed, self.spec.training.first_seed + self.spec.training.seeds)

    def train_baselines(self, arms: list[Arms]) -> None:
        """Train every student alone, all seeds; needed before anything can be compared."""
        for seed in self.seeds():
            for index, arm in enumerate(arms):
                training = self.trainings.get(index, "baseline", seed, None, self.notify, self.should_stop)
                if training.record.stopped:
                    raise Stopped("Stopped before a student was trained; nothing to compare yet.")
                arm.seeds.append(seed)
                arm.baseline.append(training)

    def tell_room(self, arms: list[Arms]) -> list[dict[str, Any]]:
        """Compare teacher and baselines on validation, before students are trained."""
        sign = 1 if METRICS.get(self.metric).facts["better"] == "higher" else -1
        teacher = assessment.score(self.dataset, "validation", self.teacher.logits["validation"], self.metric)
        rows = []
        for student, arm in zip(self.spec.students, arms, strict=True):
            scores = [t.record.score_selected for t in arm.baseline]
            mean = sum(scores) / len(scores)
            rows.append({"student": student.name, "teacher": teacher, "baseline": mean, "room": teacher is not None and sign * (teacher - mean) > 0})  # fmt: skip
        self.notify({"kind": "room", "metric": self.metric, "students": rows})
        poor = [str(r["student"]) for r in rows if not r["room"]]
        if poor:
            self.notify({
                "kind": "warning", "code": "no_room",
                "message": f"On validation the teacher is no better than {', '.join(poor)} trained alone.",
                "hint": "A gain is unlikely. You can stop now and choose a stronger teacher or a smaller student.",
            })  # fmt: skip
        return rows

    def train_students(self, arms: list[Arms]) -> None:
        """Train every student with the teacher, seed by seed, so that a stop leaves finished pairs."""
        lesson: Array = self.teacher.logits["train"]
        for seed in self.seeds():
            for index, arm in enumerate(arms):
                try:
                    training = self.trainings.get(index, "student", seed, lesson, self.notify, self.should_stop)
                except Stopped:  # before its first epoch ended: nothing of this one can be kept
                    return
                if training.record.stopped and any(a.student for a in arms):
                    return  # a half-trained student would be unfair beside finished ones
                arm.student.append(training)
                if training.record.stopped:
                    return

    def evaluate(self, arms: list[Arms]) -> dict[str, Any]:
        """Read the test part once, for everything that was finished."""
        pairs = [(i, a) for i, a in enumerate(arms) if a.student]
        if not pairs:
            raise Stopped("Stopped before a student was trained; nothing to compare yet.")
        build = result.ResultBuilder(self.spec, self.dataset, self.teacher, self.metric, self.room, self.device)
        for index, arm in pairs:
            build.add(index, arm.seeds[: len(arm.student)], arm.baseline[: len(arm.student)], arm.student)
        artifacts = write_artifacts(self.folder, self.spec, self.dataset, self.teacher, pairs, self.device)
        return build.finish(self.folder.id, artifacts)
