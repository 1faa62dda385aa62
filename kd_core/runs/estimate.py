"""What a run would cost, before anything is trained: sizes of students, trainings, seconds, memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kd_core.data.input_spec import InputSpec
from kd_core.distill import hears_features, hears_maps, hears_network
from kd_core.distill.stack.stackable import why_apart
from kd_core.distill.sweep import sequential
from kd_core.machine import device as devices
from kd_core.machine.processor import busy, cores
from kd_core.models import ARCHS
from kd_core.models.building import view_of
from kd_core.models.sizes import Sizes, sizes
from kd_core.runs import pace
from kd_core.runs.cells import grid, modes
from kd_core.runs.cells.beside_seconds import operations
from kd_core.runs.pace import Pace
from kd_core.runs.plain.seconds import plain_seconds
from kd_core.runs.plan import folds_of, views_read
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import usual
from kd_core.teachers import SOURCES
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.base import members, teacher_view
from kd_core.training.lanes import MOST_LANES
from kd_core.training.plan import resolve
from kd_core.workspace import workspace

# Of one step on one core of a 2020s server: dispatch and arithmetic (docs/LAB.md, loop overhead); `pace` mends the estimate.
STEP_SECONDS, FLOPS_PER_SECOND = 0.00045, 2.0e10
WEIGHT_SECONDS = 3e-9  # of one weight in one step: its gradient and the optimiser's numbers are read and written
STACK_STEP_SECONDS, STACK_FLOPS_PER_SECOND = 2e-4, 6e10  # the same of a stack
GPU_STEP_SECONDS, GPU_FLOPS_PER_SECOND = 0.0025, 1e13  # of an H100 (docs/LAB.md); a small step is all dispatch there
GPU_TEXT_TIMES = 40  # as fast as a core a GPU reads and learns texts by a pretrained encoder
STACK_COPIES = 5  # weights, gradient, two moments of the optimiser, best epoch
EPOCHS_SHARE = 0.6  # of the epochs asked for: early stopping ends trainings before the last
ROUND_SHARE = 1.0  # of an automatic round: most end within it, some go on for up to six
TEACHER_LEAST_EPOCHS = 12  # are trained in any case: it takes 8 without a gain to end before the last
TEACHER_EPOCHS_SHARE = 0.35  # network teachers are less patient: 12 to 29 of 60 epochs on the purchase sample
FIT_SECONDS, FIT_CELL_SECONDS = 1.0, 3e-7  # of a teacher that tells no `seconds`; per row, column and output
DATA_SECONDS, DATA_CELL_SECONDS = 0.5, (2e-6, 1e-7)  # reading, checking and encoding; per row and column, or pixel
ANSWER_SECONDS = 0.4  # of a teacher beside its fits: size, latency, keeping
EVALUATE_SECONDS, LATENCY_SECONDS = 0.5, 1.0  # of a run; of a student whose latency is measured
CANDIDATE_SECONDS = 0.5  # of writing and timing a candidate's file


@dataclass(frozen=True)
class SizeRow:
    """Size of one student. Units: weights, bytes on disk, floating-point operations per row."""

    name: str
    parameters: int
    size_bytes: int
    flops: int


@dataclass(frozen=True)
class Work:
    """A piece of a run: its kind as `pace` counts it, the seconds by its size alone, those foreseen here and now, the most it may take,
    and the share of it that is over before the first training begins."""

    kind: str
    estimated: float
    seconds: float
    most: float | None = None
    first: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """What a run will cost, roughly. Units: trainings, seconds, bytes of memory.

    `busy`: how many times longer the machine's other work makes it; `learned`: earlier runs it was corrected by;
    `teacher_kept`: the teacher's answers lie in the cache, so that it costs nothing; `tried`: trainings of candidates, beside
    those of the student that is chosen.
    """

    trainings: int
    works: tuple[Work, ...]
    memory_bytes: int
    busy: float = 1.0
    learned: int = 0
    teacher_kept: bool = False
    tried: int = 0

    def of(self, kind: str) -> float:
        """Return the seconds foreseen for one kind of work: data, teacher, choose, training or evaluate."""
        return sum(w.seconds for w in self.works if w.kind.split(":")[0] == kind)

    @property
    def teacher_seconds(self) -> float:
        return self.of("teacher")

    @property
    def student_seconds(self) -> float:
        return self.of("training")

    @property
    def seconds(self) -> float:
        return sum(w.seconds for w in self.works)

    def fields(self, phases: Sequence[str]) -> dict[str, Any]:
        """Lay the estimate out for the `plan` event; phases that no other work names belong to the trainings."""
        own = {"data", "teacher", "choose", "evaluate"}
        training = [p for p in phases if p not in own]
        return {
            "estimate_seconds": round(self.seconds, 1),
            "busy": round(self.busy, 2),
            "work": [
                {
                    "kind": w.kind,
                    "phases": [kind] if (kind := w.kind.split(":")[0]) in own else training,
                    "estimated": round(w.estimated, 3),
                    "seconds": round(w.seconds, 3),
                    **({"most": w.most} if w.most is not None else {}),
                    **({"first": round(w.first, 3)} if w.first else {}),
                }
                for w in self.works
            ],
        }


Inputs = Mapping[str, InputSpec]  # what the rows look like in every view that may be read


@dataclass(frozen=True)
class Circumstances:
    """What decides a run's seconds beside its size: the machine as earlier runs found it and as it is now, the cache, given parts."""

    pace: Pace = field(default_factory=Pace)
    busy: float = 1.0
    teacher_kept: bool = False
    train_rows: int | None = None  # where they are known; by the shares of the split otherwise


def circumstances(spec: RunSpec, train_rows: int) -> Circumstances:
    """Look at the workspace and at the machine. Errors: UnknownName and SpecError for a teacher that does not exist."""
    root, spec = workspace(), modes.carried_out(spec)
    made, folds, seed = grid.most_made(spec), folds_of(spec, train_rows), spec.training.first_seed
    also = made, hears_maps(spec.objective), hears_network(spec), modes.making(spec).name
    about = hears_features(spec.objective), spec.evaluation.metric, *also
    kept = TeacherCache(root / "teachers").holds(spec.dataset, spec.teacher, folds, seed, *about)
    return Circumstances(pace.read(root), busy(), kept, train_rows)


def student_sizes(students: Sequence[StudentSpec], inputs: Inputs, num_outputs: int) -> list[SizeRow]:
    """Tell parameters, bytes and FLOPs of students without building their weights."""
    rows = []
    for student in students:
        s = sizes(student.arch, inputs[view_of(student.arch, inputs)], num_outputs)
        rows.append(SizeRow(student.name, s.parameters, s.size_bytes, s.flops))
    return rows


def training_rows(dataset: DatasetSpec, num_rows: int, parts: Sequence[int] = ()) -> int:
    """Foresee how many rows the training part will have; `parts`: rows of training, validation and test that a column gives."""
    if parts:
        train, validation, _ = parts
        return train if validation else int(train * (1 - dataset.validation_share))
    return int(num_rows * (1 - dataset.validation_share - dataset.test_share))


def foresee(
    spec: RunSpec, num_rows: int, inputs: Inputs, num_outputs: int, around: Circumstances | None = None
) -> Estimate:
    """Estimate trainings, seconds and memory of a run from its rows, columns and classes.

    `around` corrects the seconds for this machine; without it they are those of one idle core and a new teacher.
    """
    around, spec = around or Circumstances(), modes.carried_out(spec)
    train_rows = around.train_rows or training_rows(spec.dataset, num_rows)
    rows = student_sizes(spec.students, inputs, num_outputs)
    counts = [_trainings(spec, student, num_outputs) for student in spec.students]
    stacked = [_stackable(spec, student, num_outputs) for student in spec.students]
    read = [inputs[kind] for kind in views_read(spec, inputs)]

    def seconds_of(numbers: Sequence[int]) -> list[float]:
        """Estimate so many trainings of each student."""
        return [
            _own_seconds(student.arch, train_rows, inputs, num_outputs, n)
            or _training_seconds(spec, student.arch.name, train_rows, row, n, together)
            for student, row, n, together in zip(spec.students, rows, numbers, stacked, strict=True)
        ]

    tried, most, first = 0, {}, 0.0
    if spec.choose is None:
        once = modes.once(spec, folds_of(spec, train_rows)) * max(seconds_of([1] * len(counts)))
        live = modes.live_fits(spec)  # of the teacher, beside the students
        once += live * _teacher_seconds(spec, num_rows, train_rows, inputs, num_outputs, 1) if live else 0.0
        beside, made = (n / FLOPS_PER_SECOND for n in operations(spec, train_rows, inputs, num_outputs, counts))
        whole = modes.longer(spec) * sum(seconds_of(counts)) + once + EPOCHS_SHARE * beside + made
        training, first = {f"training:{modes.way(spec, all(stacked))}": whole}, made / whole
    else:  # which one is chosen is not known: the others in the middle, and its first pair is trained already
        tried, most = 2 * (len(counts) - 1), {"choose": 60 * spec.choose.minutes}
        pairs = sum(seconds_of([2] * len(counts))) + CANDIDATE_SECONDS * len(counts)
        training = {"choose": pairs, "training:chosen": sum(seconds_of([n - 2 for n in counts])) / len(counts)}
        counts = counts[:1]
    by_size = {
        "data": DATA_SECONDS + num_rows * sum(i.stored * DATA_CELL_SECONDS[i.dtype == "uint8"] for i in read),
        f"teacher:{spec.teacher.name}": _teacher_seconds(spec, num_rows, train_rows, inputs, num_outputs),
        **training,
        "evaluate": EVALUATE_SECONDS
        + LATENCY_SECONDS * (1 if spec.choose else len(spec.students)) * spec.evaluation.latency
        + _plain_seconds(spec, train_rows, inputs, num_outputs) * spec.evaluation.references,
    }
    if _on_gpu(spec):  # another machine, as far as seconds go
        by_size = {k if k in ("data", "evaluate") else f"{k}:cuda": s for k, s in by_size.items()}
    works, learned = [], 0
    for kind, seconds in by_size.items():
        now = around.busy * seconds
        left = 0.0 if around.teacher_kept and kind.startswith("teacher") else now * around.pace.factor(kind)
        limit = most.get(kind.split(":")[0])
        works.append(Work(kind, now, left if limit is None else min(left, limit), limit, first * (kind in training)))
        learned = max(learned, around.pace.runs(kind))
    memory = 2 * num_rows * sum(i.row_bytes for i in read) + 400 * 2**20
    memory += 3 * grid.most_made(spec) * train_rows * sum(i.row_bytes for i in read)  # as columns, encoded
    if spec.sweep is not None:
        memory += sum(STACK_COPIES * row.size_bytes * n for row, n in zip(rows, counts, strict=True))
    return Estimate(sum(counts) + tried, tuple(works), memory, around.busy, learned, around.teacher_kept, tried)


def _plain_seconds(spec: RunSpec, train_rows: int, inputs: Inputs, num_outputs: int) -> float:
    """Estimate the plain models beside the students."""

    def size(view: str, arch: Choice) -> Sizes:
        return sizes(arch, inputs[view], num_outputs)

    def seconds(arch: str, size: Sizes, number: int) -> float:
        return _training_seconds(spec, arch, train_rows, size, number, False)

    archs, seeds = [student.arch for student in spec.students], spec.training.seeds_at_first
    own, views = [size(view_of(arch, inputs), arch) for arch in archs], views_read(spec, inputs)
    return plain_seconds(archs, train_rows, seeds, views, size, own, seconds, spec.choose is not None)


def pair_seconds(spec: RunSpec, student: StudentSpec, train_rows: int, inputs: Inputs, num_outputs: int) -> float:
    """Estimate a student's trainings with and without the teacher for one seed, on one idle core."""
    own = _own_seconds(student.arch, train_rows, inputs, num_outputs, 2)
    if own is not None:
        return own
    (row,) = student_sizes([student], inputs, num_outputs)
    return _training_seconds(spec, student.arch.name, train_rows, row, 2, _stackable(spec, student, num_outputs))


def _trainings(spec: RunSpec, student: StudentSpec, num_outputs: int) -> int:
    """Count the trainings of one student to begin with: every seed of every arm, or every training of its grid."""
    task = spec.dataset.task or _usual_task(num_outputs)
    asked = spec.sweep is None and spec.evaluation.placebo
    extra = spec.training.seeds_at_first if asked and modes.why_no_placebo(spec, task) is None else 0
    return grid.count(spec.model_copy(update={"students": (student,)})).trainings + extra


def _stackable(spec: RunSpec, student: StudentSpec, num_outputs: int) -> bool:
    task = spec.dataset.task or _usual_task(num_outputs)
    alone = modes.apart(spec) or spec.continues or (spec.sweep is not None and spec.sweep.mode == "sequential")
    return not alone and why_apart(student.arch.name, student.objective or spec.objective, task) is None


def _usual_task(num_outputs: int) -> str:
    return usual("number" if num_outputs == 1 else "classes").name


def _training_seconds(
    spec: RunSpec, arch: str, train_rows: int, size: SizeRow | Sizes, number: int, together: bool
) -> float:
    """Estimate the trainings of one student."""
    gpu = _on_gpu(spec)
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


def _own_seconds(arch: Choice, train_rows: int, inputs: Inputs, num_outputs: int, number: int) -> float | None:
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
    start, speed = STEP_SECONDS + WEIGHT_SECONDS * size.parameters, FLOPS_PER_SECOND
    if gpu:
        start, speed = GPU_STEP_SECONDS, GPU_FLOPS_PER_SECOND
    step = start + 3 * size.flops * min(steps.batch_size, train_rows) / speed
    return steps.epochs * steps.steps_per_epoch(train_rows) * step


def _teacher_seconds(
    spec: RunSpec, num_rows: int, train_rows: int, inputs: Inputs, num_outputs: int, folds: int | None = None
) -> float:
    """Estimate a teacher's answers: one fit on all training rows, and one per fold on the others; a given one is only read."""
    folds = folds or folds_of(spec, train_rows)
    if asked := [spec.model_copy(update={"teacher": one}) for one in members(spec.teacher)]:
        return sum(_teacher_seconds(one, num_rows, train_rows, inputs, num_outputs, folds) for one in asked)
    source, gpu = SOURCES.get(spec.teacher.name), _on_gpu(spec)
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


def _on_gpu(spec: RunSpec) -> bool:
    return spec.training.device != "cpu" and devices.pick().type == "cuda"


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
    share = max(TEACHER_EPOCHS_SHARE, min(1.0, TEACHER_LEAST_EPOCHS / resolve(training, train_rows, arch).epochs))
    return share * slower * _full_seconds(training, arch, train_rows, size, gpu)
