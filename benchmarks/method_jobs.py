"""The trainings of the methods benchmark: a loss in one of its settings, a seed, and what was kept of it."""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.method_cases import CASES
from kd_core.data.dataset import Dataset
from kd_core.data.preparation import prepare
from kd_core.distill import LOSSES, placebo
from kd_core.distill.inner.hints import Hints
from kd_core.distill.inner.live import LiveTeacher
from kd_core.distill.student import train_student
from kd_core.runs.plan import situation
from kd_core.safe_io import write_json
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import TeacherAnswers, gives
from kd_core.training.loop import ignore, never

ALONE = "alone"
SETTINGS = ("defaults", "little", "much")
LONGER = {"x2": 2, "x3": 3}  # times the epochs of the student alone
FEWER = {"alpha": 0.3}
LIVE = {"live_maps", "live_relations"}  # of a loss that asks the teacher's network about each batch
MORE = {"alpha": 0.9, "temperature": 4.0}


def lesson(method: str, setting: str) -> Choice:
    """Return a loss in one of its settings; the fields that it lacks are left out."""
    wanted = {"defaults": {}, "little": FEWER, "much": MORE}[setting]
    fields = LOSSES.get(method).spec.model_fields
    return Choice(name=method, settings={n: v for n, v in wanted.items() if n in fields})


def settings_of(method: str) -> list[str]:
    """Name the settings of a loss that differ: one that has neither alpha nor a temperature has its defaults alone."""
    seen = {lesson(method, setting).to_json(): setting for setting in reversed(SETTINGS)}
    return [setting for setting in SETTINGS if setting in seen.values()]


@dataclass(frozen=True)
class Job:
    """One training: a method (or `ALONE`) in one of its settings, or its placebo."""

    case: str
    method: str
    setting: str
    seed: int
    placebo: bool = False

    @property
    def epochs(self) -> int:
        """Of this training: more of them for a baseline of equal seconds."""
        return CASES[self.case].epochs * LONGER.get(self.setting, 1)

    def objective(self) -> Choice | None:
        """Return the lesson."""
        return None if self.method == ALONE else lesson(self.method, self.setting)

    def path(self, keep: Path) -> Path:
        """Name where its outcome is kept, by all that decides it."""
        about = [repr(CASES[self.case].student), self.epochs, repr(self.objective()), self.seed, self.placebo]
        name = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
        return keep / self.case / f"{self.method}-{self.setting}{'-placebo' * self.placebo}-{self.seed}-{name}.json"


@functools.cache
def dataset(case: str, data: Path, keep: Path) -> Dataset:
    """Read and split a set."""
    (keep / "data").mkdir(parents=True, exist_ok=True)
    return prepare(CASES[case].write(data, keep / "data"), keep)


@functools.cache
def answers(case: str, data: Path, keep: Path, inside: frozenset[str], device: str) -> TeacherAnswers:
    """Ask the teacher, once for what losses need of its inside; by one fit where several would have no basis in common."""
    told = CASES[case]
    several = gives(told.teacher, told.folds) | {"features", "maps"}
    folds = told.folds if {n.removeprefix("teacher_") for n in inside - LIVE} <= several else 1
    return teacher_answers(
        dataset(case, data, keep),
        told.teacher,
        folds=folds,
        seed=0,
        cache=TeacherCache(keep / "teachers"),
        notify=ignore,
        should_stop=never,
        device=device,
        hidden="teacher_features" in inside,
        maps="teacher_maps" in inside,
        weights=bool(LIVE & inside),
    )


def inside(method: str) -> frozenset[str]:
    """Name what a loss needs of the teacher beside answers."""
    asked = {"teacher_features", "teacher_maps", "one_basis", "teacher_head", *LIVE}
    return frozenset(asked.intersection(LOSSES.get(method).needs))


def why_not(case: str, method: str, data: Path, keep: Path) -> str | None:
    """Say why a loss can't work on a set, or None."""
    told, found = CASES[case], dataset(case, data, keep)
    students, kinds = [told.student.name], found.views.kinds
    both = [situation(found.task, found.num_outputs, told.teacher, kinds, students, folds=n) for n in (told.folds, 1)]
    at = replace(both[1], teacher_gives=both[0].teacher_gives | both[1].teacher_gives)
    return LOSSES.get(method).why_not(at)


def train(job: Job, data: Path, keep: Path, device: str) -> str:
    """Carry out one training and keep its validation score and test logits. Errors: KDError."""
    torch.set_num_threads(1)
    found, told, objective = dataset(job.case, data, keep), CASES[job.case], job.objective()
    logits = hints = None
    if objective is not None:
        teacher = answers(job.case, data, keep, inside(objective.name), device)
        logits = teacher.logits["train"]
        hints = Hints.of_answers(teacher, found, told.teacher, seed=0)
        if LIVE & inside(objective.name):
            hints = replace(hints or Hints(), live=LiveTeacher.of(told.teacher, found, teacher.weights))
        if job.placebo and placebo.shuffles(objective):  # answers are not heard
            hints = hints and hints.shuffled(job.seed)
        elif job.placebo and placebo.why_none(found.task, objective) is None:
            logits = placebo.placebo_logits(found.train.y, logits, objective, None)
        elif job.placebo:
            logits = logits[np.random.default_rng(job.seed).permutation(len(logits))]
    start = time.monotonic()
    trained = train_student(
        found,
        StudentSpec(name="student", arch=told.student),
        objective,
        logits,
        TrainingSpec(epochs=job.epochs),
        job.seed,
        device=torch.device(device),
        hints=hints,
    )
    outcome = {"validation": trained.trained.score_selected, "seconds": time.monotonic() - start}
    path = job.path(keep)
    np.save(path.with_suffix(".npy"), trained.test_logits().astype(np.float16))
    write_json(path, outcome)
    return path.name


def kept(job: Job, keep: Path) -> dict[str, Any] | None:
    """Return the outcome of a training that was carried out."""
    path = job.path(keep)
    return json.loads(path.read_text()) if path.exists() else None


def chosen(case: str, method: str, asked: argparse.Namespace) -> str | None:
    """Return the setting with the best mean on validation over the first seeds, None while one is missing."""
    better = 1 if task_of(dataset(case, asked.data, asked.keep).task).has_classes else -1
    means = {}
    for setting in settings_of(method):
        found = [kept(Job(case, method, setting, seed), asked.keep) for seed in range(asked.choose)]
        if any(one is None for one in found):
            return None
        means[setting] = better * float(np.mean([one["validation"] for one in found if one]))
    return max(means, key=means.__getitem__)


def seconds(job: Job, seeds: int, keep: Path) -> float | None:
    """Return the mean seconds of a training over seeds, None while one is missing."""
    found = [kept(Job(job.case, job.method, job.setting, s, job.placebo), keep) for s in range(seeds)]
    return None if None in found else float(np.mean([one["seconds"] for one in found if one]))


def equal(case: str, method: str, setting: str, asked: argparse.Namespace) -> str | None:
    """Name the baseline of as many seconds as a loss takes, None where that is the ordinary one, or not known yet."""
    own, alone = (
        seconds(Job(case, m, s, 0), asked.seeds, asked.keep) for m, s in ((method, setting), (ALONE, "defaults"))
    )
    ratio = 0.0 if own is None or alone is None else own / alone
    return "x3" if ratio > 2.5 else "x2" if ratio >= 1.5 else None


def leaders(case: str, asked: argparse.Namespace) -> list[str]:
    """Name the three losses that are best on validation, and hinton; those that are not finished stay out."""
    better, found = 1 if task_of(dataset(case, asked.data, asked.keep).task).has_classes else -1, {}
    for method in asked.methods:
        if why_not(case, method, asked.data, asked.keep) is None and (setting := chosen(case, method, asked)):
            told = [kept(Job(case, method, setting, s), asked.keep) for s in range(asked.seeds)]
            if None not in told:
                found[method] = better * float(np.mean([one["validation"] for one in told if one]))
    return list(
        dict.fromkeys([*sorted(found, key=lambda m: -found[m])[:3], *(["hinton"] if "hinton" in found else [])])
    )
