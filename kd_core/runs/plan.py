"""What a spec would do, before anything is trained: whether it can work, how large, how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kd_core.distill import LOSSES
from kd_core.errors import KDError, Problem
from kd_core.evaluate import METRICS
from kd_core.models import ARCHS
from kd_core.models.sizes import sizes
from kd_core.registry import Entry, Situation
from kd_core.specs import RunSpec, StudentSpec
from kd_core.teachers import SOURCES
from kd_core.training.plan import resolve

# Seconds of one step on one core of a 2020s server CPU: a fixed part for dispatch and a part for arithmetic
# (docs/LAB.md, loop overhead). Only the estimate shown before Start uses them.
STEP_SECONDS = 0.00045
FLOPS_PER_SECOND = 2.0e10
EPOCHS_SHARE = 0.6  # early stopping ends trainings before the last epoch
TREE_SECONDS = 6e-6  # per row, feature-independent part of a boosted-trees fit, times outputs
NETWORK_TEACHER_FLOPS = 6.0e5  # one row through a base network teacher


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
    if spec.training.seeds < 3:
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

    The seconds assume one core and a teacher that is not in the cache yet.
    """
    train_rows = int(num_rows * (1 - spec.dataset.validation_share - spec.dataset.test_share))
    steps = resolve(spec.training, train_rows)
    per_epoch = max(1, -(-train_rows // steps.batch_size))
    seconds = 0.0
    for row in student_sizes(spec.students, num_features, num_outputs):
        step = STEP_SECONDS + 3 * row.flops * steps.batch_size / FLOPS_PER_SECOND
        seconds += 2 * spec.training.seeds * steps.epochs * EPOCHS_SHARE * per_epoch * step
    fits = spec.evaluation.folds + 1
    family = SOURCES.get(spec.teacher.name).facts.get("family")
    if family == "network":
        teacher = fits * steps.epochs * EPOCHS_SHARE * train_rows * (3 * NETWORK_TEACHER_FLOPS / FLOPS_PER_SECOND)
    else:
        teacher = fits * (1.0 + TREE_SECONDS * train_rows * max(1, num_outputs))
    memory = 4 * num_rows * num_features * 2 + 400 * 2**20
    return Estimate(2 * spec.training.seeds * len(spec.students), teacher, seconds, teacher + seconds + 8.0, memory)
