"""What every scenario is: a seeded table maker with a default run."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pandas as pd

from kd_core.registry import Registry
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec

# make(rng, rows) -> DataFrame, the target in its last column
Maker = Callable[[np.random.Generator, int], pd.DataFrame]

# facts: sample="visits" (file name in sample_data), target, task, rows, story, objective=Choice,
# training=TrainingSpec where the usual one takes more than two minutes, teacher=Choice, students=(size of an MLP, or arch:size, ...), tags=("behaviour", "purchase"), its area first, folds=number where not as usual,
# dataset={field of DatasetSpec: value} for what else the data needs (more_targets, group, time, kinds, ...), metric=name where the verdict is about another than the task's own,
# small=rows of a hasty run's sample where the usual 300 are too few
SCENARIOS: Registry[Maker] = Registry("scenario")


AREAS = (
    "recommendation",
    "user profile",
    "behaviour",
    "search ranking",
    "marketing",
    "risk",
    "logistics",
    "customer service",
    "product pictures",
)  # of a shop, in the order in which scenarios are shown; the first of a scenario's tags is its area


def default_spec(name: str) -> RunSpec:
    """Return the run a person starts with one click for a scenario; with `KD_SMOKE=1` a hasty one. Errors: UnknownName."""
    entry = SCENARIOS.get(name)
    facts = entry.facts
    spec = RunSpec(
        name=entry.title,
        dataset=DatasetSpec(
            source=f"sample:{facts['sample']}",
            name=entry.title,
            target=facts["target"],
            task=facts["task"],
            positive=facts.get("positive"),
            **facts.get("dataset", {}),
        ),
        teacher=facts["teacher"],
        students=tuple(_student(said) for said in facts["students"]),
        objective=facts["objective"],
        training=facts.get("training", TrainingSpec()),
        evaluation=EvaluationSpec(folds=facts.get("folds"), metric=facts.get("metric")),
    )
    return smoke(spec) if os.environ.get("KD_SMOKE") == "1" else spec


def smoke(spec: RunSpec) -> RunSpec:
    """Return the run with a few epochs, two seeds and one student: it shows that all parts work, and no more."""
    short = {"epochs": 2, "size": "tiny"} if "epochs" in spec.teacher.settings else {}
    return spec.model_copy(
        update={
            "teacher": spec.teacher.model_copy(update={"settings": {**spec.teacher.settings, **short}}),
            "students": spec.students[:1],
            "training": TrainingSpec(epochs=3, seeds=2),
            "evaluation": EvaluationSpec(folds=2, placebo=False, metric=spec.evaluation.metric),
        }
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
