"""How long trainings and a teacher's fits take by their size alone, on one idle core or on a GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kd_core.data.input_spec import InputSpec
from kd_core.distill.sweep import sequential
from kd_core.machine.processor import cores
from kd_core.models import ARCHS
from kd_core.models.building import view_of
from kd_core.models.sizes import Sizes, sizes
from kd_core.runs.cells import grid
from kd_core.runs.plan import folds_of
from kd_core.specs import Choice, RunSpec, TrainingSpec
from kd_core.teachers import SOURCES
from kd_core.teachers.base import members, teacher_view
from kd_core.training.lanes import MOST_LANES
from kd_core.training.plan import resolve

# Of one step on one core of a 2020s server: dispatch and arithmetic (docs/LAB.md, loop overhead); `pace` mends the estimate.
STEP_SECONDS, FLOPS_PER_SECOND = 0.00045, 2.0e10
WEIGHT_SECONDS = 3e-9  # of one weight in one step: its gradient and the optimiser's numbers are read and written
STACK_STEP_SECONDS, STACK_FLOPS_PER_SECOND = 2e-4, 6e10  # the same of a stack
GPU_STEP_SECONDS, GPU_FLOPS_PER_SECOND = 0.0025, 1e13  # of an H100 (docs/LAB.md); a small step is all dispatch there
GPU_TEXT_TIMES = 40  # as fast as a core a GPU reads and learns texts by a pretrained encoder
EPOCHS_SHARE = 0.6  # of the epochs asked for: early stopping ends trainings before the last
ROUND_SHARE = 1.0  # of an automatic round: most end within it, some go on for up to six
TEACHER_FIRST_EPOCHS = 4  # before patience begins to run out; these and all of the patience are trained in any case
TEACHER_EPOCHS_SHARE = 0.35  # network teachers are less patient: 12 to 29 of 60 epochs on the purchase sample
FIT_SECONDS, FIT_CELL_SECONDS = 1.0, 3e-7  # of a teacher that tells no `seconds`; per row, column and output
ANSWER_SECONDS = 0.4  # of a teacher beside its fits: size, latency, keeping

Inputs = Mapping[str, InputSpec]  # what the rows look like in every view that may be read


@dataclass(frozen=True)
class SizeRow:
    """Size of one student. Units: weights, bytes on disk, floating-point operations per row; `row_seconds` as `Sizes` has them."""

    name: str
    parameters: int
    size_bytes: int
    flops: int
    row_seconds: float = 0.0


def training_seconds(
    spec: RunSpec, arch: str, train_rows: int, size: SizeRow | Sizes, number: int, together: bool, gpu: bool
) -> float:
    """Estimate the trainings of one student, on a GPU or on the processor."""
    slower = 1.0 if gpu else float(ARCHS.get(arch).facts.get("slower", 1.0))
    apart = number * slower * _full_seconds(spec.training, arch, train_rows, size, gpu)
    steps = resolve(spec.training, train_rows, arch)
    work = 3.0 * size.flops * min(steps.batch_size, train_rows)
    if grid.most_made(spec):  # a taught student's batch is twice as long
        apart, work = 1.5 * apart, 1.5 * work
    if together:
        step = STACK_STEP_SECONDS + work * number / (GPU_FLOPS_PER_SECOND if gpu else STACK_FLOPS_PER_SECOND)
        apart = min(apart, steps.epochs * steps.steps_per_epoch(train_rows) * step)
    elif work >= sequential.LANE_WORK and not gpu:
        apart *= math.ceil(number / min(MOST_LANES, cores())) / number  # the last round of lanes may not fill them
    share = max(EPOCHS_SHARE, min(1.0, steps.patience / steps.epochs))  # few epochs are all trained
    return (share if steps.rounds == 1 else ROUND_SHARE) * apart


def epoch_seconds(training: TrainingSpec, arch: str, train_rows: int, size: SizeRow | Sizes, gpu: bool) -> float:
    """Estimate one epoch of a training that has the processor, or the GPU, to itself."""
    slower = 1.0 if gpu else float(ARCHS.get(arch).facts.get("slower", 1.0))
    return slower * _full_seconds(training, arch, train_rows, size, gpu) / resolve(training, train_rows, arch).epochs


def own_seconds(arch: Choice, train_rows: int, inputs: Inputs, num_outputs: int, number: int) -> float | None:
    """Estimate the trainings of a student by its own rule, where it has one."""
    entry = ARCHS.get(arch.name)
    if "seconds" not in entry.facts:
        return None
    settings = entry.spec.parse(arch.settings, f"architecture {arch.name}")
    return number * float(
        entry.facts["seconds"](settings, train_rows, inputs[view_of(arch, inputs)].stored, num_outputs)
    )


def _full_seconds(training: TrainingSpec, arch: str, train_rows: int, size: SizeRow | Sizes, gpu: bool) -> float:
    """Estimate a training of all its epochs."""
    steps = resolve(training, train_rows, arch)
    start, speed, beside = STEP_SECONDS + WEIGHT_SECONDS * size.parameters, FLOPS_PER_SECOND, size.row_seconds
    if gpu:
        start, speed, beside = GPU_STEP_SECONDS, GPU_FLOPS_PER_SECOND, 0.0
    step = start + (3 * size.flops / speed + beside) * min(steps.batch_size, train_rows)
    return steps.epochs * steps.steps_per_epoch(train_rows) * step


def teacher_seconds(
    spec: RunSpec, num_rows: int, train_rows: int, inputs: Inputs, num_outputs: int, gpu: bool, folds: int | None = None
) -> float:
    """Estimate a teacher's answers: one fit on all training rows, and one per fold on the others; a given one is only read."""
    folds = folds or folds_of(spec, train_rows)
    if asked := [spec.model_copy(update={"teacher": one}) for one in members(spec.teacher)]:
        return sum(teacher_seconds(one, num_rows, train_rows, inputs, num_outputs, gpu, folds) for one in asked)
    source = SOURCES.get(spec.teacher.name)
    kind, once = teacher_view(spec.teacher, inputs), 0.0
    if "once" in source.facts:
        once = float(source.facts["once"](source.spec.parse(spec.teacher.settings), num_rows))
    if kind is None or source.facts.get("family") == "given":
        return ANSWER_SECONDS + once
    fold = _fit_seconds(spec.teacher, int(train_rows * (folds - 1) / folds), inputs[kind], num_outputs, gpu)
    whole = once + _fit_seconds(spec.teacher, train_rows, inputs[kind], num_outputs, gpu)
    most, whole = whole, whole + (folds > 1) * folds * fold
    if gpu and source.facts.get("family") == "pretrained":
        return ANSWER_SECONDS + whole / GPU_TEXT_TIMES
    lanes = min(MOST_LANES, cores()) if "arch" in source.facts and not gpu else 1
    return ANSWER_SECONDS + max(most, whole / lanes)  # networks are fitted side by side


def _fit_seconds(teacher: Choice, train_rows: int, inputs: InputSpec, num_outputs: int, gpu: bool) -> float:
    """Estimate one fit of a teacher: by its own rule, a network by its size, anything else by its table's."""
    source = SOURCES.get(teacher.name)
    settings = source.spec.parse(teacher.settings, f"teacher {teacher.name}")
    if "seconds" in source.facts:
        return float(source.facts["seconds"](settings, train_rows, inputs.stored, num_outputs))
    arch = source.facts.get("arch")
    if arch is None:
        return FIT_SECONDS + FIT_CELL_SECONDS * train_rows * inputs.stored * max(1, num_outputs)
    chosen = settings.model_dump()
    of_arch = {k: v for k, v in chosen.items() if k in ARCHS.get(arch).spec.model_fields}
    training = TrainingSpec(epochs=chosen["epochs"], batch_size=chosen["batch_size"])
    size = sizes(Choice(name=arch, settings=of_arch), inputs, num_outputs)
    slower = float(ARCHS.get(arch).facts.get("slower", 1.0))
    least = TEACHER_FIRST_EPOCHS + int(chosen["patience"])
    usual = float(ARCHS.get(arch).facts.get("epochs_share", TEACHER_EPOCHS_SHARE))
    share = max(usual, min(1.0, least / resolve(training, train_rows, arch).epochs))
    return share * slower * _full_seconds(training, arch, train_rows, size, gpu)
