"""Small tables with a real signal, for tests that train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec

TINY = StudentSpec(name="tiny", arch=Choice(name="mlp", settings={"size": "tiny"}))


def write_table(path: Path, task: str = "binary", rows: int = 400, seed: int = 0) -> Path:
    """Write a CSV whose target depends on two numbers and a category, with noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows).round(3), rng.gamma(2, 2, rows).round(3)
    kind = rng.choice(["red", "green", "blue"], rows)
    z = 1.5 * a - 0.4 * b + (kind == "red") * 1.2 + rng.logistic(size=rows) * 0.6
    target = {
        "binary": np.where(z > -0.8, "yes", "no"),
        "multiclass": np.array(["low", "mid", "top"])[np.digitize(z, [-1.8, 0.0])],
        "regression": (10 + 3 * z).round(2),
    }[task]
    pd.DataFrame({"a": a, "b": b, "kind": kind, "target": target}).to_csv(path, index=False)
    return path


def order_lines(path, rows=1500):
    """Write order lines: some hundred products, each with a code and a long name, and whether the line is sent back."""
    rng = np.random.default_rng(0)
    at = np.minimum(rng.geometric(0.012, rows), 400)
    often = np.random.default_rng(1).random(401)
    pd.DataFrame(
        {
            "code": [f"P{i:04}" for i in at],
            "product": [f"A LANTERN OF {i} PARTS AND COLOURS" for i in at],
            "price": rng.gamma(2, 2, rows).round(2),
            "back": np.where(rng.random(rows) < 0.1 + 0.8 * (often[at] > 0.6), "yes", "no"),
        }
    ).to_csv(path, index=False)
    return path


def small_spec(path: Path, task: str = "binary", **training: int) -> RunSpec:
    """Return a spec that trains in about a second."""
    objective = Choice(name="mse") if task == "regression" else Choice(name="hinton", settings={"temperature": 2.0})
    return RunSpec(
        name="small",
        dataset=DatasetSpec(source=str(path), target="target", task=task),
        teacher=Choice(name="gradient_boosting", settings={"rounds": 30, "learning_rate": 0.2}),
        students=(TINY,),
        objective=objective,
        training=TrainingSpec(**{"epochs": 3, "seeds": 2, **training}),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
    )
