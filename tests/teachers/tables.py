"""Small tables with structure, for the tests of teachers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Dataset, Part
from kd_core.data.input_spec import table_inputs
from kd_core.data.view import Views
from kd_core.data.views import VIEWS
from kd_core.specs import DatasetSpec
from kd_core.teachers.base import FitData

OUTPUTS = {"regression": 1, "binary": 2, "multiclass": 3}  # of the tasks that `labelled` knows


def labelled(task: str, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy labels of four columns, one of them constant."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 4)).astype(np.float32)
    x[:, 3] = 1
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * rng.standard_normal(rows)
    if task == "regression":
        return x, (40 + 10 * score).astype(np.float32)
    edges = [0.0] if task == "binary" else [-0.7, 0.7]
    return x, np.searchsorted(edges, score).astype(np.int64)


def fit_data(task: str, rows: int = 200, **changes: Any) -> FitData:
    """Rows to fit on and half as many to validate on; regression targets are scaled."""
    x, y = labelled(task, rows)
    x_validation, y_validation = labelled(task, rows // 2, seed=1)
    if task == "regression":
        y, y_validation = (y - 40) / 12, (y_validation - 40) / 12
    return FitData(
        **(
            {
                "task": task,
                "num_outputs": OUTPUTS[task],
                "inputs": table_inputs(x.shape[1]),
                "x": x,
                "y": y,
                "x_validation": x_validation,
                "y_validation": y_validation,
            }
            | changes
        )
    )


def view_data(kind: str, task: str, **changes: Any) -> FitData:
    """Example rows of a view to fit on: the last numbers of each tell its class, or the third its target lies in."""
    data, inputs = fit_data(task), VIEWS.get(kind).facts["example"]
    signs, half = inputs.example(3, seed=9), inputs.shape[-1] // 2

    def rows(y: np.ndarray, seed: int) -> np.ndarray:
        x = inputs.example(len(y), seed)
        x[..., half:] = signs[np.digitize(y, [-0.5, 0.5]) if task == "regression" else y][..., half:]
        return x

    return replace(data, inputs=inputs, x=rows(data.y, 1), x_validation=rows(data.y_validation, 2), **changes)


def dataset(task: str = "binary", rows: int = 200, groups: int | None = None) -> Dataset:
    """A prepared dataset without a file behind it."""
    parts, x_of, start = {}, {}, 0
    for i, (split, n) in enumerate((("train", rows), ("validation", rows // 2), ("test", rows // 4))):
        x, y = labelled(task, n, seed=i)
        of = np.random.default_rng(i).integers(0, groups, n) if groups else None
        parts[split], x_of[split] = Part(y, np.arange(start, start + n), of), x
        start += n
    y = parts["train"].y
    return Dataset(
        spec=DatasetSpec(source="made", target="y"),
        name="made",
        hash=f"{task}-{rows}-{groups}",
        task=task,
        classes={"regression": (), "binary": ("no", "yes"), "multiclass": ("a", "b", "c")}[task],
        columns=("a", "b", "c", "d"),
        parts=parts,
        views=Views.of_table(x_of),
        rows=pd.DataFrame(),
        target_mean=float(y.mean()) if task == "regression" else 0.0,
        target_std=float(y.std()) if task == "regression" else 1.0,
    )


def with_rows(data: Dataset, chosen: Any) -> Dataset:
    """The chosen rows of every part, in that order. `chosen`: positions, or a slice, per split."""
    parts = {
        split: replace(p, y=p.y[chosen[split]], row_ids=p.row_ids[chosen[split]]) for split, p in data.parts.items()
    }
    views = Views.of_table({split: x[chosen[split]] for split, x in data.view().parts.items()})
    return replace(data, parts=parts, views=views)
