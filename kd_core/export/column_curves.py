"""What each column adds to the answer of a student that adds its columns up: curves and bars that a person can read.

Legend: N rows, F features, K points of a curve, C logits, D answers told: one for a number or two classes, else one per class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.dataset import Dataset
from kd_core.data.encoding.blocks import BooleanBlock, CategoryBlock, DateBlock
from kd_core.data.encoding.plain_blocks import PlainNumberBlock
from kd_core.data.types.typed_column import coerce
from kd_core.data.view import Viewed
from kd_core.task import task_of

Array = npt.NDArray[Any]
SCHEMA = 1
FIT_ROWS = 20_000  # training rows that means and influences are taken from
MOST_LABELS = 24  # of a category, the most frequent ones
MOST_TIMES = 300  # of a column of times, rows spread evenly


@runtime_checkable
class AddsUp(Protocol):
    """A network whose logits are a sum over features."""

    def curves(self) -> dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Return, by feature, values at which its curve bends and what it adds there; flat beyond. Shape: (K,), (K, C)."""

    def level(self) -> npt.NDArray[np.float32]:
        """Return the logits at the beginning of all curves. Shape: (C,)."""

    def missing(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return, by feature, what a hole adds beside the curve at 0. Shape: (C,) each."""


@dataclass(frozen=True)
class _Told:
    """How logits are told: which answers, in which unit, and a linear map to them. Shape: (..., C) -> (..., D)."""

    answers: tuple[str, ...]
    unit: str  # log_odds: of the one class told; logits: of each class, less their mean; target: in its own unit
    by: Callable[[Array], Array]
    start: float = 0.0


def _told(dataset: Dataset) -> _Told | None:
    """Choose how; None for a task whose logits are neither classes nor one number."""
    classes, outputs = dataset.classes, dataset.num_outputs
    if task_of(dataset.task).has_classes and outputs == len(classes):
        if outputs == 2:
            return _Told((classes[1],), "log_odds", lambda z: z[..., 1:] - z[..., :1])
        return _Told(tuple(classes), "logits", lambda z: z - z.mean(axis=-1, keepdims=True))
    if not task_of(dataset.task).has_classes and outputs == 1:
        return _Told((str(dataset.spec.target),), "target", lambda z: z * dataset.target_std, dataset.target_mean)
    return None


def column_curves(module: Any, dataset: Dataset, rows: Viewed) -> dict[str, Any] | None:
    """Return what every column adds, as plain values for JSON; None for a student that is no such sum.

    Each column's part is told less its mean over the training rows, which is in `level`: the parts of a row and `level` add up
    to its answer. `influence`: the standard deviation of a column's part over the training rows; the largest comes first.
    """
    told, blocks = _told(dataset), getattr(rows.view, "blocks", None)
    if not isinstance(module, AddsUp) or told is None or blocks is None:
        return None
    parts = _Parts(module, told)
    some = np.arange(len(dataset.train))[:: 1 + len(dataset.train) // FIT_ROWS]
    x = np.asarray(rows.parts["train"][some], np.float64)
    level = told.by(module.level().astype(np.float64)) + told.start
    columns, at = [], 0
    for name, block in blocks.items():
        span = range(at, at := at + len(block.names))
        own = parts.of(span, x[:, span])
        mean = own.mean(axis=0)
        level = level + mean
        times = dataset.rows.iloc[dataset.train.row_ids[some]][name] if isinstance(block, DateBlock) else None
        found = _drawn(rows, name, block, parts, span, times, own)
        for key in ("added", "missing"):
            if found.get(key) is not None:
                found[key] = _short(found[key] - mean)
        gaps = bool(np.isnan(x[:, span]).any() or getattr(block, "missing", -1) >= 0)
        columns.append({"column": name, **found, "gaps": gaps, "influence": float(f"{own.std(axis=0).max():.4g}")})
    columns.sort(key=lambda one: -one["influence"])
    return {
        "schema": SCHEMA,
        "unit": told.unit,
        "answers": list(told.answers),
        "level": _short(level),
        "columns": columns,
    }


class _Parts:
    """What features add to the answers."""

    def __init__(self, module: AddsUp, told: _Told) -> None:
        self.curves, self.holes, self.told = module.curves(), module.missing(), told

    def of(self, span: range, x: Array) -> Array:
        """Add up what the features of a span give. Shape: x (N, features of it) -> (N, D)."""
        outputs = len(self.told.answers) if self.told.unit == "logits" else 2 if self.told.unit == "log_odds" else 1
        found = np.zeros((len(x), outputs))
        for feature, values in zip(span, x.T, strict=True):
            hole = np.isnan(values)
            if feature in self.curves:
                at, added = self.curves[feature]
                known = np.where(hole, 0.0, values)
                found += np.stack([np.interp(known, at, one) for one in added.T], axis=1)
            if feature in self.holes:
                found += hole[:, None] * self.holes[feature]
        return self.told.by(found)


def _drawn(
    rows: Viewed, name: str, block: Any, parts: _Parts, span: range, times: pd.Series | None, own: Array
) -> dict[str, Any]:
    """Choose the values of a column at which its part is told, in the column's own unit."""
    assert rows.view is not None
    column = rows.view.types[name]

    def of(values: pd.Series) -> Array:
        return parts.of(span, np.asarray(block.transform(values), np.float64))

    if isinstance(block, PlainNumberBlock):
        (feature,) = span
        at = parts.curves[feature][0].astype(np.float64) if feature in parts.curves else np.zeros(1)
        raw = block.centre + at * block.spread
        return {
            "kind": "number",
            "values": [float(f"{v:.12g}") for v in raw],
            "added": parts.of(span, at[:, None]),
            "missing": parts.of(span, np.array([[np.nan]])),
        }
    if times is not None:
        typed = coerce(times, column)
        known = np.flatnonzero(typed.notna())
        known = known[np.argsort(typed.iloc[known].to_numpy(), kind="stable")]
        known = known[:: 1 + len(known) // MOST_TIMES]
        written = [str(pd.Timestamp(t).isoformat()) for t in typed.iloc[known]]
        empty = of(pd.Series([None], dtype=typed.dtype))
        return {"kind": "time", "values": written, "added": own[known], "missing": empty}
    if isinstance(block, BooleanBlock | CategoryBlock):
        labels = [*block.known][:MOST_LABELS]
        added = of(pd.Series(pd.Categorical([*labels, None], categories=[*block.known])))
        more = len(block.known) - len(labels)
        return {"kind": "labels", "values": labels, "more": more, "added": added[:-1], "missing": added[-1:]}
    return {"kind": column.kind}


def _short(values: Array) -> Any:
    return (
        [[float(f"{v:.7g}") for v in row] for row in values]
        if values.ndim == 2
        else [float(f"{v:.7g}") for v in values]
    )
