"""Sorting variants into stacks and building them: which networks can share tensors, and how many at once.

Legend: N rows, C outputs.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.data.view import Viewed
from kd_core.distill import objective as objectives
from kd_core.distill.preparing import prepare
from kd_core.distill.stack import stackable, summed
from kd_core.distill.stack.forms import STACKS
from kd_core.distill.stack.stack_rows import StackRows
from kd_core.distill.stack.stack_task import Task as Task
from kd_core.distill.stack.stack_training import DONE, STOPPED, Member, StackTraining
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.distill.stack.stacked_optimiser import StackedOptimiser
from kd_core.distill.sweep.variants import TEACHER, TrainedVariant, Variant, digest, tables
from kd_core.distill.sweep.work import SweepWork
from kd_core.distill.terms import soft_share
from kd_core.errors import KDError
from kd_core.evaluate.base import better_of
from kd_core.evaluate.many import ManyScores
from kd_core.models.base import ARCHS
from kd_core.models.building import build_for, start_weights, viewed
from kd_core.models.sizes import sizes_for
from kd_core.specs import TrainingSpec
from kd_core.training.checkpoint import Checkpoints, Saved
from kd_core.training.loop import Notify, TrainRows, check_rows
from kd_core.training.plan import resolve, times
from kd_core.training.rows import Resident

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}  # of weights and optimiser

WIDEST = 1.5  # networks up to this much wider share a stack: padding costs arithmetic, a second stack costs dispatch
# Weights, moments and activations of one stack. On the CPU: what stays in the caches; beyond it a network's step
# takes up to 1.3 times as long (256 wide, docs/LAB.md).
STACK_BYTES = {"cpu": 32 * 2**20, "cuda": 16 * 2**30}


def step_flops(dataset: Dataset, variants: Iterable[Variant], training: TrainingSpec) -> list[float]:
    """Count the floating-point operations of one step of each variant, there and back."""
    rows, archs = len(dataset.train), [v.student.arch for v in variants]
    return [3.0 * min(resolve(training, rows, a.name).batch_size, rows) * sizes_for(dataset, a).flops for a in archs]


@dataclass(frozen=True)
class _Plan:
    """What a variant comes to: its architecture's settings, its stack's name and its numbers."""

    spec: Any
    family: Hashable
    width: int
    rate: float
    decay: float
    key: str


class Stacking:
    """Variants that were asked for, sorted into stacks."""

    def __init__(self, work: SweepWork, check: bool = True) -> None:
        self.dataset, self.variants = work.dataset, work.variants
        self.training, self.curves = work.training, work.curves
        self.lessons, self.work = tables(work.lessons), work
        self.metric, self.device = work.metric, work.device
        self._opening = threading.Lock()
        self.dtype = DTYPES[work.precision]
        self.compute = torch.bfloat16 if work.precision == "bfloat16" else self.dtype
        self.better = better_of(self.metric)
        self.plan = resolve(work.training, len(work.dataset.train))
        self.labels = work.dataset.scaled_y("train")
        self.weights = objectives.weights_for(work.dataset, work.training)
        self.plans = {number: self._plan(v) for number, v in work.variants.items()}
        if check:
            for variant in self.variants.values():
                check_rows(TrainRows.of(self.viewed(variant)))
            self.fingerprint = {
                "dataset": work.dataset.hash,
                "lesson": digest(work.lessons),
                "metric": self.metric,
                "training": work.training.to_json(),
                "precision": work.precision,
            }
            self._rows = StackRows(self.device)
            self._start: dict[tuple[str, int, str | None], dict[str, torch.Tensor]] = {}

    def viewed(self, variant: Variant) -> Viewed:
        """Return the rows as a variant takes them."""
        return viewed(self.dataset, variant.student.arch)

    def _plan(self, variant: Variant) -> _Plan:
        why_not = stackable.supports(self.dataset, variant)
        if why_not:
            raise KDError(
                "The student '{name}' can't be trained in a stack: {why}.",
                "Choose the mode 'auto' or 'sequential'.",
                "cannot_fuse",
                name=variant.student.name,
                why=why_not,
            )
        arch = variant.student.arch
        spec = ARCHS.get(arch.name).spec.parse(arch.settings, f"architecture {arch.name}")
        stack = STACKS.get(arch.name).make
        asked = variant.learning_rate if variant.learning_rate is not None else self.training.learning_rate
        rate = asked * times(arch.name)
        decay = variant.weight_decay if variant.weight_decay is not None else self.training.weight_decay
        made = variant.made_rows if variant.objective else 0
        objective = [variant.objective.to_json(), variant.lesson, *[made] * bool(made)] if variant.objective else None
        key = hashlib.sha256(json.dumps([arch.to_json(), objective, variant.seed, rate, decay]).encode()).hexdigest()
        family = arch.name, stack.shape_key(spec), made, getattr(spec, "label_bytes", None)
        return _Plan(spec, family, stack.width(spec), rate, decay, key[:24])

    def groups(self, positions: Iterable[int]) -> list[list[int]]:
        """Group positions that can share a stack: one family and loss, widths not too far apart."""
        positions = list(positions)
        taught: dict[Hashable, str] = {}
        for p in positions:
            objective = self.variants[p].objective
            if objective is not None:
                taught.setdefault(self.plans[p].family, summed.name_of(objective))
        families: dict[Hashable, list[int]] = defaultdict(list)
        for p in positions:
            objective, family = self.variants[p].objective, self.plans[p].family
            families[(family, summed.name_of(objective) if objective else taught.get(family))].append(p)
        found = []
        for members in families.values():
            members.sort(key=lambda p: self.plans[p].width)
            group: list[int] = []
            for p in members:
                if group and self.plans[p].width > WIDEST * self.plans[group[0]].width:
                    found.append(group)
                    group = []
                group.append(p)
            found.append(group)
        return found

    def bytes(self, position: int) -> int:
        """Estimate what one network takes in a stack: 6 copies of its weights and a batch's activations, there and back."""
        plan = self.plans[position]
        size = sizes_for(self.dataset, self.variants[position].student.arch)
        depth = plan.spec.shape()[1] if hasattr(plan.spec, "shape") else 1
        inputs = self.viewed(self.variants[position]).spec
        encoded = STACKS.get(self.variants[position].student.arch.name).make.input_width(plan.spec, inputs)
        batch = (
            self.plan.batch_size
            * (1 + bool(self.variants[position].made_rows))
            * (inputs.width + 2 * encoded + 4 * depth * max(plan.width, 1))
        )
        return int((6 * size.parameters + batch) * self.dtype.itemsize)

    def tasks(self, folder: Path | None, notify: Notify, lanes: int = 1) -> list[Task]:
        """List the stacks to train: those that an earlier attempt left unfinished, then what is left.

        A large group is divided, so that every lane has a share of it and no stack takes too much memory.
        """
        left = set(self.variants)
        asked = {plan.key for plan in self.plans.values()}
        found: list[Task] = []
        fresh: list[Task] = []
        for source, saved in self._left_over(folder, notify):
            keys = {m["key"] for m in saved.counters["members"]}
            positions = self._sorted([p for p in left if self.plans[p].key in keys])
            whole = keys <= asked  # else another call may go on from it as well
            if positions:
                left -= set(positions)
                found.append(Task(positions, saved, self._place(folder, positions, found), source if whole else None))
            elif whole:
                shutil.rmtree(source, ignore_errors=True)  # a later attempt went on from it
        for group in self.groups(sorted(left)):
            most = max(1, STACK_BYTES[self.device.type] // self.bytes(group[-1]))
            parts = max(math.ceil(len(group) / most), min(lanes, len(group) // 2), 1)
            # seed by seed, so that a whole map is filled once before it is refined; the baselines first
            group.sort(key=lambda p: (self.variants[p].seed, self.variants[p].objective is not None))
            for k in range(parts):
                positions = self._sorted(group[len(group) * k // parts : len(group) * (k + 1) // parts])
                fresh.append(Task(positions, None, self._place(folder, positions, found + fresh)))
        return found + sorted(fresh, key=lambda t: -self.bytes(t.positions[-1]))

    def _sorted(self, positions: list[int]) -> list[int]:
        """Order networks so that equal settings of the optimiser lie next to each other."""
        return sorted(positions, key=lambda p: (self.plans[p].rate, self.plans[p].decay, self.variants[p].seed, p))

    def _place(self, folder: Path | None, positions: list[int], others: Sequence[Task]) -> Path | None:
        """Name where a stack is saved by its networks: no two stacks, of this process or another, share a folder."""
        if folder is None:
            return None
        name = "stack-" + hashlib.sha256("".join(self.plans[p].key for p in positions).encode()).hexdigest()[:16]
        taken = {task.place for task in others}  # students that differ in name alone
        return next(p for n in range(len(others) + 1) if (p := folder / (f"{name}-{n}" if n else name)) not in taken)

    def _left_over(self, folder: Path | None, notify: Notify) -> list[tuple[Path, Saved]]:
        """Read the stacks that were saved, those that had come farthest first. Other processes may be writing theirs."""
        found = []
        for place in sorted(folder.glob("stack-*")) if folder else []:
            kept = Checkpoints(place, self.fingerprint)
            try:
                saved = kept.newest()
            except FileNotFoundError:  # replaced by its own process meanwhile
                continue
            except KDError as error:  # of other work, or damaged
                notify(
                    {"kind": "warning", "code": error.code, "message": error.message, "hint": "It is trained again."}
                )
                continue
            for problem in kept.damaged:
                notify({"kind": "warning", "code": problem.code, "message": problem.message, "hint": problem.hint})
            if saved:
                found.append((place, saved))
        return sorted(found, key=lambda item: -item[1].epoch)

    def open(self, task: Task) -> StackTraining:
        """Build a stack at its start, or where it was saved; lanes that ask at once get theirs in turn."""
        with self._opening:
            return self._open(task)

    def _open(self, task: Task) -> StackTraining:
        positions = task.positions
        plans, chosen = [self.plans[p] for p in positions], [self.variants[p] for p in positions]
        specs = [plan.spec for plan in plans]
        labels, lessons, read, num_made = self._taught(chosen[0])
        lesson = StackedLesson(
            self.dataset.task,
            [v.objective for v in chosen],
            labels,
            lessons,
            self.weights,
            self.dtype,
            self.device,
            [v.lesson for v in chosen],
            num_made,
        )
        stack = STACKS.get(chosen[0].student.arch.name).make(
            specs, [self._initial(v) for v in chosen], self.viewed(chosen[0]).spec, self.dtype, self.device
        )
        optimiser = StackedOptimiser(
            self.plan.optimiser, stack.weights, [p.rate for p in plans], [p.decay for p in plans]
        )
        members = [Member(p, plan.key, v.seed) for p, plan, v in zip(positions, plans, chosen, strict=True)]
        dropout = [float(getattr(spec, "dropout", 0.0)) for spec in specs]
        scores = ManyScores(
            self.dataset.task,
            self.dataset.validation.y,
            self.metric,
            self.dataset.target_mean,
            self.dataset.target_std,
            self.dataset.dealt_by("validation"),
        )
        reserved = min(STACK_BYTES[self.device.type], sum(self.bytes(p) for p in self.variants))
        dtype = self.dtype if stack.exact_rows else self.compute
        rows, x_validation = self._rows.open(read, dtype, reserved)
        if isinstance(rows, Resident):
            stack.hold(rows.x, x_validation)
        made = StackTraining(
            stack,
            lesson,
            optimiser,
            members,
            dropout,
            rows,
            x_validation,
            scores,
            self.plan,
            self.compute,
            self.device,
            self.curves,
            num_made,
        )
        if task.saved:
            made.restore(task.saved)
        return made

    def _taught(self, variant: Variant) -> tuple[Array, dict[str, Array], Viewed, int]:
        """Return labels, tables and rows of a stack like this variant, made rows at their end, and how many those are."""
        made, read = self.work.made_lesson(variant), self.viewed(variant)
        if made is None:
            return self.labels, self.lessons, read, 0
        told = made.logits
        lessons = {TEACHER: np.concatenate([self.lessons[TEACHER], told])}
        labels = objectives.own_labels(self.dataset.task, self.labels, told)
        return labels, lessons, made.after(read, self.dataset), len(told)

    def _initial(self, variant: Variant) -> dict[str, torch.Tensor]:
        """Draw start weights as separate training does; networks of one shape and seed start alike, but for what the lesson decides."""
        arch = variant.student.arch
        heard = variant.lesson if variant.objective is not None and soft_share(variant.objective) else None
        prepared = "prepares" in ARCHS.get(arch.name).facts
        key = arch.to_json(), variant.seed, heard if prepared else None
        if key not in self._start:
            with start_weights(variant.seed):
                module = build_for(self.dataset, arch)
            prepare(module, self.dataset, arch, None if heard is None else self.lessons.get(heard))
            self._start[key] = module.state_dict()
        return self._start[key]

    def result(self, stack: StackTraining, row: int) -> TrainedVariant | None:
        """Take one network out of its stack at its selected epoch; None when it finished no epoch."""
        member = stack.members[row]
        diverged = member.ended if member.ended not in (DONE, STOPPED) else None
        variant = self.variants[member.position]
        if not member.best_epoch:
            if diverged is None:
                return None
            return TrainedVariant(variant, {}, 0, 0, math.nan, math.nan, member.seconds, diverged=diverged)
        return TrainedVariant(
            variant,
            stack.stack.state(row, stack.best),
            member.best_epoch,
            member.history[-1]["epoch"],
            member.best_score,
            member.last_score,
            member.seconds,
            member.ended == STOPPED,
            diverged,
            member.history,
        )
