"""What a spec would do, before anything is trained: whether it can work, how large, how long."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from kd_core.distill import LOSSES
from kd_core.distill.stacks import STACKS
from kd_core.errors import KDError, Problem
from kd_core.evaluate import METRICS
from kd_core.models import ARCHS
from kd_core.models.sizes import sizes
from kd_core.registry import Entry, Situation
from kd_core.runs import grid, grid_check
from kd_core.specs import Choice, RunSpec, StudentSpec, TrainingSpec
from kd_core.teachers import SOURCES
from kd_core.training.plan import resolve

# Seconds of one step on one core of a 2020s server CPU: a fixed part for dispatch and a part for arithmetic
# (docs/LAB.md, loop overhead). Only the estimate shown before Start uses them.
STEP_SECONDS = 0.00045
FLOPS_PER_SECOND = 2.0e10
# The same for one network among many that train as one: 75 MLPs of 2 x 64 units cost about 7 trainings of one alone.
FUSED_STEP_SECONDS = 0.000025
FUSED_FLOPS_PER_SECOND = 8.0e10
STACK_COPIES = 5  # weights, gradient, two moments of the optimiser, best epoch
EPOCHS_SHARE = 0.6  # early stopping ends trainings before the last epoch
TEACHER_EPOCHS_SHARE = 0.35  # network teachers are less patient: 12 to 29 of 60 epochs on the purchase sample
TREE_SECONDS = 6e-6  # per row, feature-independent part of a boosted-trees fit, times outputs


@dataclass(frozen=True)
class SizeRow:
    """Size of one student. Units: weights, bytes on disk, floating-point operations per row."""

    name: str
    parameters: int
    size_bytes: int
    flops: int


@dataclass(frozen=True)
class Estimate:
    """What a run will cost, roughly. Units: trainings, seconds, bytes of memory."""

    trainings: int
    teacher_seconds: float
    student_seconds: float
    seconds: float
    memory_bytes: int


def situation(task: str, num_classes: int, teacher: str | None = None) -> Situation:
    """Describe what the parts of a run have to fit."""
    gives = SOURCES.get(teacher).facts.get("gives", frozenset({"logits"})) if teacher else frozenset({"logits"})
    return Situation(task=task, num_classes=num_classes, teacher_gives=gives)


def check(spec: RunSpec, task: str, num_classes: int) -> list[Problem]:
    """Find everything in a spec that can't work on the task, all at once."""
    found: list[Problem] = []
    fits = situation(task, num_classes)

    def part(where: str, get: object, name: str, settings: dict[str, object]) -> None:
        try:
            entry: Entry[object] = get.get(name)  # type: ignore[attr-defined]
            why_not = entry.why_not(fits)
            if why_not:
                found.append(Problem("error", "cannot_work", f"{where} '{name}' {why_not}.", "Choose another one."))
            entry.spec.parse(dict(settings), where)
        except KDError as error:
            found.append(Problem("error", error.code, error.message, error.hint))

    part("The teacher", SOURCES, spec.teacher.name, spec.teacher.settings)
    part("The loss", LOSSES, spec.objective.name, spec.objective.settings)
    for student in spec.students:
        part(f"The architecture of student '{student.name}'", ARCHS, student.arch.name, student.arch.settings)
        if student.arch.name in ARCHS.names() and "student" not in ARCHS.get(student.arch.name).facts["roles"]:
            found.append(Problem("error", "teacher_only", f"'{student.arch.name}' is offered as a teacher only.", "Choose another architecture."))  # fmt: skip
    names = [s.name for s in spec.students]
    for name in sorted({n for n in names if names.count(n) > 1}):
        found.append(Problem("error", "same_name", f"Two students are called '{name}'.", "Rename one of them."))
    if spec.evaluation.metric:
        part("The metric", METRICS, spec.evaluation.metric, {})
    if spec.training.class_weights == "balanced" and task == "regression":
        found.append(Problem("error", "class_weights", "Class weights need classes; the target is a number.", "Set class weights to 'none'."))  # fmt: skip
    if spec.evaluation.splits > 1 and (spec.sweep is not None or spec.dataset.time):
        why = "a what-if is trained on one split" if spec.sweep else "a split by time is the same for every seed"
        found.append(Problem("error", "no_splits", f"The run can't be repeated on {spec.evaluation.splits} splits: {why}.", "Set splits to 1."))  # fmt: skip
    if spec.sweep is not None:
        found += grid_check.check(spec, answered=not any(p.severity == "error" for p in found))
    if spec.training.seeds_at_first < 3:
        found.append(Problem("warning", "few_seeds", f"{spec.training.seeds} seed(s): too few for a useful interval.", "Use 3 or more."))  # fmt: skip
    return found


def student_sizes(students: Sequence[StudentSpec], num_features: int, num_outputs: int) -> list[SizeRow]:
    """Tell parameters, bytes and FLOPs of students without building their weights."""
    rows = []
    for student in students:
        s = sizes(student.arch, num_features, num_outputs)
        rows.append(SizeRow(student.name, s.parameters, s.size_bytes, s.flops))
    return rows


def estimate(spec: RunSpec, num_rows: int, num_features: int, num_outputs: int) -> Estimate:
    """Estimate trainings, seconds and memory of a run from its sizes.

    The seconds assume one core and a teacher that is not in the cache yet; those of a what-if are rough.
    """
    train_rows = int(num_rows * (1 - spec.dataset.validation_share - spec.dataset.test_share))
    teacher = (spec.evaluation.folds + 1) * _teacher_fit_seconds(spec.teacher, train_rows, num_features, num_outputs)
    memory = 4 * num_rows * num_features * 2 + 400 * 2**20
    rows = student_sizes(spec.students, num_features, num_outputs)
    if spec.sweep is not None:
        trainings, seconds = _sweep_seconds(spec, train_rows, rows)
        per_student = [grid.count(spec.model_copy(update={"students": (s,)})).trainings for s in spec.students]
        memory += sum(STACK_COPIES * r.size_bytes * n for r, n in zip(rows, per_student, strict=True))
        return Estimate(trainings, teacher, seconds, teacher + seconds + 8.0, memory)
    seconds = 0.0
    for row in rows:
        seconds += 2 * spec.training.seeds_at_first * EPOCHS_SHARE * _full_seconds(spec.training, train_rows, row.flops)
    return Estimate(
        2 * spec.training.seeds_at_first * len(spec.students), teacher, seconds, teacher + seconds + 8.0, memory
    )


def _sweep_seconds(spec: RunSpec, train_rows: int, sizes: Sequence[SizeRow]) -> tuple[int, float]:
    """Estimate trainings and seconds of a what-if; rough, since the probe that picks the mode comes later."""
    assert spec.sweep is not None
    trainings, seconds = 0, 0.0
    for student, row in zip(spec.students, sizes, strict=True):
        number = grid.count(spec.model_copy(update={"students": (student,)})).trainings
        trainings += number
        single = _full_seconds(spec.training, train_rows, row.flops)
        if spec.sweep.mode in ("auto", "fused") and student.arch.name in STACKS.names():
            steps = resolve(spec.training, train_rows)
            at_once = min(steps.batch_size, train_rows)
            each = FUSED_STEP_SECONDS + 3 * row.flops * at_once / FUSED_FLOPS_PER_SECOND
            fused = STEP_SECONDS + number * each
            single = min(number * single, steps.epochs * steps.steps_per_epoch(train_rows) * fused) / number
        elif spec.sweep.mode == "processes":
            single /= max(1, os.cpu_count() or 1)
        seconds += EPOCHS_SHARE * number * single
    return trainings, seconds


def _full_seconds(training: TrainingSpec, train_rows: int, flops: int) -> float:
    """Estimate a training of all its epochs."""
    steps = resolve(training, train_rows)
    step = STEP_SECONDS + 3 * flops * min(steps.batch_size, train_rows) / FLOPS_PER_SECOND
    return steps.epochs * steps.steps_per_epoch(train_rows) * step


def _teacher_fit_seconds(teacher: Choice, train_rows: int, num_features: int, num_outputs: int) -> float:
    """Estimate one fit of a teacher: a network from its size, anything else from the rows."""
    source = SOURCES.get(teacher.name)
    arch = source.facts.get("arch")
    if arch is None:
        return 1.0 + TREE_SECONDS * train_rows * max(1, num_outputs)
    chosen = source.spec.parse(teacher.settings, f"teacher {teacher.name}").model_dump()
    settings = {k: v for k, v in chosen.items() if k in ARCHS.get(arch).spec.model_fields}
    training = TrainingSpec(epochs=chosen["epochs"], batch_size=chosen["batch_size"])
    flops = sizes(Choice(name=arch, settings=settings), num_features, num_outputs).flops
    slower = float(source.facts.get("slower", 1.0))
    return TEACHER_EPOCHS_SHARE * slower * _full_seconds(training, train_rows, flops)
