"""A student on its way to fewer bytes: what a step of compression is given, and what it returns.

A chain is a list of steps, carried out one after another for every seed. Steps that change the network come before steps that
change only its file: what has been rounded to whole numbers learns no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from kd_core.data.dataset import Array, Dataset
from kd_core.data.view import Viewed
from kd_core.models.building import viewed
from kd_core.registry import Registry
from kd_core.specs import Choice, TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, ignore, never


@dataclass(frozen=True)
class Stage:
    """A student between two steps.

    `module`: its network, on the CPU and in evaluation mode; a step returns a changed copy and leaves the one that it was given as it was.
    `file`: its ONNX file, encoded rows `x` to `logits`, where a step has changed the file alone; None while the network can still be
    exported. `told`: per step what it says of itself, plain values for JSON, `name` among them.
    """

    arch: Choice
    module: nn.Module
    file: bytes | None = None
    told: tuple[Mapping[str, Any], ...] = ()

    def after(self, name: str, *, module: nn.Module | None = None, file: bytes | None = None, **said: Any) -> Stage:
        """Return the stage that a step of this name makes of this one."""
        told = (*self.told, {"name": name, **said})
        return replace(self, module=self.module if module is None else module, file=file or self.file, told=told)


@dataclass(frozen=True)
class Work:
    """What a step may ask for. Its rows are those of training and validation: no step reads the test part.

    `objective`: what the student was taught, None for one trained alone; `answers` (N, C): the teacher's, for the training rows,
    out of fold as the run had them, None for one trained alone. `training`: how the student was trained. `metric` selects epochs.
    """

    dataset: Dataset
    objective: Choice | None
    answers: Array | None
    training: TrainingSpec
    metric: str
    seed: int
    notify: Notify = ignore
    should_stop: ShouldStop = never
    checkpoint: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def rows(self, stage: Stage) -> Viewed:
        """Return the dataset's rows as the student reads them."""
        return viewed(self.dataset, stage.arch)


# step(spec, stage, work) -> the next stage. Errors: KDError, in words, where it can't be done on this network.
Step = Callable[[Any, Stage, Work], Stage]

# facts: changes="network" | "file"; suits=function(Stage, InputSpec) -> None where it can work, else why not, in words;
# learns=True where it trains the network (its time is that of a training), or function(spec) -> bool where that is a setting; usual={...settings...} where a chain that was searched sets others
# than the form's own; saves=False where it makes nothing smaller, and a search leaves it out; short="cut", what stages are called by it, before its share in percent, and shares={0.5: "half"} in place of both.
STEPS: Registry[Step] = Registry("compression step", "kd_core.compress.steps")


def learns(asked: Choice) -> bool:
    """Say whether a step trains the network as it is asked for. Errors: UnknownName, SpecError."""
    entry = STEPS.get(asked.name)
    told = entry.facts.get("learns", False)
    return bool(told(entry.spec.parse(asked.settings, f"step {asked.name}")) if callable(told) else told)
