"""Measuring what each way of training a sweep would take on this machine, in as little time as possible."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.stack import chunks, fused
from kd_core.distill.stack.stacking import step_flops
from kd_core.distill.sweep import foresight, sequential, shares, ways
from kd_core.distill.sweep.foresight import Option
from kd_core.distill.sweep.shares import Crew
from kd_core.distill.sweep.variants import Variant
from kd_core.errors import KDError
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, never
from kd_core.training.plan import resolve

Wanted = Literal["auto", "fused", "sequential", "processes"]

START_SECONDS = 3.0  # until children have loaded what they need
LONG_SECONDS = 30.0  # only beyond this are children started for a probe
START_FACTOR = 3.0  # what they may save at best has to be this many times the start


@dataclass
class Part:
    """Variants that are planned together: those that can be stacked, or those that can't."""

    positions: list[int]
    stackable: bool
    foreseen: dict[Option, float] = field(default_factory=dict)


class StopAskedError(Exception):
    """A stop was asked for while ways of training were measured; nothing has been trained."""


class Forecast:
    """Fills `foreseen` of every part; `crew` are the children, where they were started for it."""

    def __init__(
        self,
        dataset: Dataset,
        variants: list[Variant],
        teacher_logits: Array | None,
        training: TrainingSpec,
        mode: Wanted,
        metric: str | None,
        notify: Notify,
        device: torch.device,
        folder: Path | None,
        should_stop: ShouldStop = never,
    ) -> None:
        self.dataset, self.variants, self.teacher_logits = dataset, variants, teacher_logits
        self.training, self.mode, self.metric, self.notify = training, mode, metric, notify
        self.device, self.folder, self.should_stop = device, folder, should_stop
        self.cores = 1 if device.type == "cuda" else shares.cores()
        self.plan = resolve(training, len(dataset.train))
        self.total_steps = self.plan.epochs * self.plan.steps_per_epoch(len(dataset.train))
        self.precision = ways.number_format(training, device, notify)
        self.crew: Crew | None = None

    def choose(self, parts: list[Part], stack: contextlib.ExitStack) -> list[Option]:
        """Measure what is worth measuring and choose; children that were started leave with `stack`."""
        steps = foresight.probe_steps(self.total_steps)
        if self.mode == "processes":
            self._with_children(parts, stack, max(steps, foresight.FEWEST_STEPS))
        elif not steps or self._short(parts):
            return [foresight.by_rule(self._options(part)) for part in parts]
        else:
            for part in parts:
                part.foreseen = self._survey(part, self._options(part), steps)
            if self._children_may_pay(parts):
                self._with_children(parts, stack, steps)
        return foresight.choose([part.foreseen for part in parts])

    def _options(self, part: Part) -> list[Option]:
        """List what one process can do with a part; children are looked at later, once it is known to be long."""
        found = []
        if self.mode in ("auto", "sequential"):
            found.append(Option("sequential"))
        if part.stackable and self.mode in ("auto", "fused"):
            variants = [self.variants[p] for p in part.positions]
            found.append(Option("fused", lanes=fused.lanes_for(self.dataset, variants, self.training, self.device)))
        return found

    def _short(self, parts: list[Part]) -> bool:
        """Say whether everything can be stacked and will be done before a probe could pay."""
        work = sum(step_flops(self.dataset, self.variants, self.training))
        soon = foresight.stack_seconds(work, self.total_steps) < foresight.SHORT_SECONDS
        return self.mode != "sequential" and soon and all(part.stackable for part in parts)

    def _survey(self, part: Part, options: list[Option], steps: int) -> dict[Option, float]:
        variants = [self.variants[p] for p in part.positions]

        def measure(option: Option, steps: int) -> float:
            if self.should_stop():
                raise StopAskedError
            if option.mode == "fused":
                seconds = chunks.probe(
                    self.dataset,
                    variants,
                    self.teacher_logits,
                    self.training,
                    metric=self.metric,
                    steps=steps,
                    device=self.device,
                    precision=self.precision,
                    lanes=option.lanes,
                    should_stop=self.should_stop,
                )
            else:
                seconds = sequential.probe(
                    self.dataset,
                    variants,
                    self.teacher_logits,
                    self.training,
                    metric=self.metric,
                    steps=steps,
                    device=self.device,
                    precision=self.precision,
                )
            return self.plan.epochs * seconds

        return foresight.survey(options, measure, steps)

    def _children_may_pay(self, parts: list[Part]) -> bool:
        """Say whether children could save clearly more than their start costs, were they never in each other's way."""
        if self.mode != "auto" or self.cores < 2 or len(self.variants) < 2:
            return False
        best = sum(min(part.foreseen.values()) for part in parts)
        at_best = sum(min(s * o.lanes for o, s in part.foreseen.items()) for part in parts) / self.cores
        return best > LONG_SECONDS and best - at_best > START_FACTOR * START_SECONDS

    def _with_children(self, parts: list[Part], stack: contextlib.ExitStack, steps: int) -> None:
        """Let all children step at once: only then is it seen how much they are in each other's way."""
        try:
            crew = stack.enter_context(
                Crew(
                    self.dataset,
                    self.variants,
                    self.teacher_logits,
                    self.training,
                    metric=self.metric,
                    folder=self.folder,
                )
            )
        except KDError as error:
            if error.code != "no_children" or self.mode == "processes":
                raise
            self.notify({"kind": "warning", "code": error.code, "message": error.message, "hint": error.hint})
            return
        self.crew = crew
        cost = shares.costs(self.dataset, self.variants, self.training)
        for part in parts:
            stacked = (False, True) if part.stackable else (False,)
            options = [Option("processes", stacked=s) for s in stacked]
            if self.mode == "processes" and len(options) == 1:
                part.foreseen[options[0]] = 0.0  # nothing to choose
                continue
            divided = shares.divide(part.positions, cost, crew.count)

            def measure(option: Option, steps: int, divided: list[list[int]] = divided) -> float:
                if self.should_stop():
                    raise StopAskedError
                way: Literal["fused", "sequential"] = "fused" if option.stacked else "sequential"
                return self.plan.epochs * crew.probe(way, divided, steps=steps, precision=self.precision)

            part.foreseen |= foresight.survey(options, measure, steps)
        if any(float("inf") in part.foreseen.values() for part in parts):
            self.notify(
                {
                    "kind": "warning",
                    "code": "share_lost",
                    "message": "A child process ended while it was measured.",
                    "hint": "Its work is done in the main process. Look whether memory is short.",
                }
            )
