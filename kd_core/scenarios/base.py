"""What every scenario is: a seeded table maker with a default run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from kd_core.registry import Registry
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec

# make(rng, rows) -> DataFrame, the target in its last column
Maker = Callable[[np.random.Generator, int], pd.DataFrame]

# facts: sample="visits" (file name in sample_data), target, task, rows, story, objective=Choice,
# teacher=Choice, students=(size of an MLP, or arch:size, ...), tags=("purchase", "behaviour")
SCENARIOS: Registry[Maker] = Registry("scenario")


def default_spec(name: str) -> RunSpec:
    """Return the run a person starts with one click for a scenario. Errors: UnknownName."""
    entry = SCENARIOS.get(name)
    facts = entry.facts
    return RunSpec(
        name=entry.title,
        dataset=DatasetSpec(
            source=f"sample:{facts['sample']}",
            name=entry.title,
            target=facts["target"],
            task=facts["task"],
            positive=facts.get("positive"),
        ),
        teacher=facts["teacher"],
        students=tuple(_student(said) for said in facts["students"]),
        objective=facts["objective"],
    )


def _student(said: str) -> StudentSpec:
    """Read `tiny`, or `textcnn:tiny`."""
    arch, _, size = said.rpartition(":")
    name = f"{arch} {size}" if arch else size
    return StudentSpec(name=name, arch=Choice(name=arch or "mlp", settings={"size": size}))


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Map log-odds to probabilities."""
    result: np.ndarray = 1.0 / (1.0 + np.exp(-z))
    return result
