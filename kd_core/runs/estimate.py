"""What a run would cost, before anything is trained: sizes of students, trainings, seconds, memory."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kd_core.distill import hears_features, hears_maps, hears_network
from kd_core.distill.stack.stackable import why_apart
from kd_core.machine.processor import busy
from kd_core.models.building import view_of
from kd_core.models.sizes import Sizes, sizes
from kd_core.runs import pace
from kd_core.runs.cells import grid, modes
from kd_core.runs.cells.beside_seconds import operations
from kd_core.runs.choosing.reach import within_reach
from kd_core.runs.cost.places import Places, choose_places
from kd_core.runs.cost.seconds import (
    EPOCHS_SHARE,
    FLOPS_PER_SECOND,
    SizeRow,
    own_seconds,
    teacher_seconds,
    training_seconds,
)
from kd_core.runs.cost.seconds import Inputs as Inputs
from kd_core.runs.pace import Pace
from kd_core.runs.plain.seconds import plain_seconds
from kd_core.runs.plan import folds_of, views_read
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec
from kd_core.task import usual
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.workspace import workspace

STACK_COPIES = 5  # weights, gradient, two moments of the optimiser, best epoch
DATA_SECONDS, DATA_CELL_SECONDS = 0.5, (2e-6, 1e-7)  # reading, checking and encoding; per row and column, or pixel
EVALUATE_SECONDS, LATENCY_SECONDS = 0.5, 1.0  # of a run; of a student whose latency is measured
CANDIDATE_SECONDS = 0.5  # of writing and timing a candidate's file


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
    those of the student that is chosen; `places`: where teacher and students learn.
    """

    trainings: int
    works: tuple[Work, ...]
    memory_bytes: int
    busy: float = 1.0
    learned: int = 0
    teacher_kept: bool = False
    tried: int = 0
    places: Places = field(default_factory=Places)

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
        rows.append(SizeRow(student.name, s.parameters, s.size_bytes, s.flops, s.row_seconds))
    return rows


def training_rows(dataset: DatasetSpec, num_rows: int, parts: Sequence[int] = ()) -> int:
    """Foresee how many rows the training part will have; `parts`: rows of training, validation and test, where they are known."""
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
    spec = spec.model_copy(update={"students": within_reach(spec.students, spec.choose, inputs, num_outputs)})
    train_rows = around.train_rows or training_rows(spec.dataset, num_rows)
    rows = student_sizes(spec.students, inputs, num_outputs)
    counts = [_trainings(spec, student, num_outputs) for student in spec.students]
    stacked = [_stackable(spec, student, num_outputs) for student in spec.students]
    read = [inputs[kind] for kind in views_read(spec, inputs)]

    live = modes.live_fits(spec)  # of the teacher, beside the students

    def seconds_of(numbers: Sequence[int], gpu: bool) -> list[float]:
        """Estimate so many trainings of each student."""
        return [
            own_seconds(student.arch, train_rows, inputs, num_outputs, n)
            or training_seconds(spec, student.arch.name, train_rows, row, n, together, gpu)
            for student, row, n, together in zip(spec.students, rows, numbers, stacked, strict=True)
        ]

    @functools.cache  # asked for twice: for the times, and for the share before the first training
    def training(gpu: bool) -> tuple[dict[str, float], float]:
        """Estimate what students take, by the kind of work, and the share of it before the first training."""
        # which one is chosen is not known: the others in the middle, and its first pair is trained already
        if spec.choose is not None:
            pairs = sum(seconds_of([2] * len(counts), gpu)) + CANDIDATE_SECONDS * len(counts)
            rest = sum(seconds_of([n - 2 for n in counts], gpu)) / len(counts)
            return {"choose": pairs, "training:chosen": rest}, 0.0
        once = modes.once(spec, folds_of(spec, train_rows)) * max(seconds_of([1] * len(counts), gpu))
        once += live * teacher_seconds(spec, num_rows, train_rows, inputs, num_outputs, gpu, 1) if live else 0.0
        beside, made = (n / FLOPS_PER_SECOND for n in operations(spec, train_rows, inputs, num_outputs, counts))
        whole = modes.longer(spec) * sum(seconds_of(counts, gpu)) + once + EPOCHS_SHARE * beside + made
        return {f"training:{modes.way(spec, all(stacked))}": whole}, made / whole

    def by_size(gpu: bool) -> dict[str, float]:
        return {
            "data": DATA_SECONDS + num_rows * sum(i.stored * DATA_CELL_SECONDS[i.dtype == "uint8"] for i in read),
            f"teacher:{spec.teacher.name}": teacher_seconds(spec, num_rows, train_rows, inputs, num_outputs, gpu),
            **training(gpu)[0],
            "evaluate": EVALUATE_SECONDS
            + LATENCY_SECONDS * (1 if spec.choose else len(spec.students)) * spec.evaluation.latency
            + _plain_seconds(spec, train_rows, inputs, num_outputs, gpu) * spec.evaluation.references,
        }

    places, found = choose_places(spec.training.device, by_size)
    first = training(places.students == "cuda")[1]
    most = {"choose": 60 * spec.choose.minutes} if spec.choose else {}
    tried = 2 * (len(counts) - 1) if spec.choose else 0
    counts = counts[:1] if spec.choose else counts
    works, learned = [], 0
    for kind, seconds in found.items():
        now = around.busy * seconds
        left = 0.0 if around.teacher_kept and kind.startswith("teacher") else now * around.pace.factor(kind)
        limit = most.get(kind.split(":")[0])
        works.append(
            Work(kind, now, left if limit is None else min(left, limit), limit, first * kind.startswith("training"))
        )
        learned = max(learned, around.pace.runs(kind))
    memory = 2 * num_rows * sum(i.row_bytes for i in read) + 400 * 2**20
    memory += 3 * grid.most_made(spec) * train_rows * sum(i.row_bytes for i in read)  # as columns, encoded
    if spec.sweep is not None:
        memory += sum(STACK_COPIES * row.size_bytes * n for row, n in zip(rows, counts, strict=True))
    return Estimate(sum(counts) + tried, tuple(works), memory, around.busy, learned, around.teacher_kept, tried, places)


def _plain_seconds(spec: RunSpec, train_rows: int, inputs: Inputs, num_outputs: int, gpu: bool) -> float:
    """Estimate the plain models beside the students."""

    def size(view: str, arch: Choice) -> Sizes:
        return sizes(arch, inputs[view], num_outputs)

    def seconds(arch: str, size: Sizes, number: int) -> float:
        return training_seconds(spec, arch, train_rows, size, number, False, gpu)

    archs, seeds = [student.arch for student in spec.students], spec.training.seeds_at_first
    own, views = [size(view_of(arch, inputs), arch) for arch in archs], views_read(spec, inputs)
    return plain_seconds(archs, train_rows, seeds, views, size, own, seconds, spec.choose is not None)


def pair_seconds(
    spec: RunSpec, student: StudentSpec, train_rows: int, inputs: Inputs, num_outputs: int, gpu: bool = False
) -> float:
    """Estimate a student's trainings with and without the teacher for one seed, on one idle core or on a GPU."""
    own = own_seconds(student.arch, train_rows, inputs, num_outputs, 2)
    if own is not None:
        return own
    (row,) = student_sizes([student], inputs, num_outputs)
    together = _stackable(spec, student, num_outputs)
    return training_seconds(spec, student.arch.name, train_rows, row, 2, together, gpu)


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
