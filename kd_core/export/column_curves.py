"""What each column adds to the answer of a student that adds its columns up, and what some pairs of them add: curves, bars and tables
that a person can read.

Legend: N rows, F features, K points of a curve, C logits, D answers told: one for a number or two classes, else one per class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from kd_core.export.pair_tables import PairTable, Side, split, together
from kd_core.task import task_of

Array = npt.NDArray[Any]
SCHEMA = 2
FIT_ROWS = 20_000  # training rows that means and influences are taken from
MOST_LABELS = 24  # of a category, the most frequent ones
MOST_TIMES = 300  # of a column of times, rows spread evenly
PAIR_TIMES = 24  # of one in a pair


@runtime_checkable
class AddsUp(Protocol):
    """A network whose logits are a sum over features, and over pairs of them."""

    def curves(self) -> dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Return, by feature, values at which its curve bends and what it adds there; flat beyond. Shape: (K,), (K, C)."""

    def pairs(self) -> Sequence[PairTable]:
        """Return what pairs of features add beside their curves."""

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
        return _Told(
            (str(dataset.spec.target),), "target", lambda z: z * dataset.target_std, float(dataset.target_mean)
        )
    return None


def column_curves(module: Any, dataset: Dataset, rows: Viewed) -> dict[str, Any] | None:
    """Return what every column adds, as plain values for JSON; None for a student that is no such sum.

    Each column's part is told less its mean over the training rows, which is in `level`: the parts of a row and `level` add up
    to its answer. `influence`: the standard deviation of a column's part over the training rows; the largest comes first.
    `pairs`: what two columns add only together: what either does alone on average stands in its own curve. Where a value is missing
    the side is read at `missing_as`, or at its last point, None.
    """
    told, blocks = _told(dataset), getattr(rows.view, "blocks", None)
    if not isinstance(module, AddsUp) or told is None or blocks is None:
        return None
    parts = _Parts(module, told)
    some = np.arange(len(dataset.train))[:: 1 + len(dataset.train) // FIT_ROWS]
    x = np.asarray(rows.parts["train"][some], np.float64)
    level = told.by(module.level().astype(np.float64)) + told.start
    spans, at = {}, 0
    for name, block in blocks.items():
        spans[name] = range(at, at := at + len(block.names))
    times = {
        name: coerce(dataset.rows.iloc[dataset.train.row_ids[some]][name], rows.view.types[name])
        for name, block in blocks.items()
        if rows.view is not None and isinstance(block, DateBlock)
    }
    pairs = []
    for one, other in dict.fromkeys(parts.across(spans)):
        sides = [_side(rows, n, blocks[n], parts, spans[n], times.get(n), x[:, spans[n]]) for n in (one, other)]
        pair, more = _together(parts, [spans[one], spans[other]], sides, x)
        level = level + more
        pairs.append({"columns": [one, other], **pair})
    columns = []
    for name, block in blocks.items():
        span = spans[name]
        own = parts.of(span, x[:, span])
        mean = own.mean(axis=0)
        level = level + mean
        found = _drawn(rows, name, block, parts, span, times.get(name), own)
        for key in ("added", "missing"):
            if found.get(key) is not None:
                found[key] = _short(found[key] - mean)
        gaps = bool(np.isnan(x[:, span]).any() or getattr(block, "missing", -1) >= 0)
        columns.append({"column": name, **found, "gaps": gaps, "influence": _influence(own)})
    pairs.sort(key=lambda one: -one["influence"])
    columns.sort(key=lambda one: -one["influence"])
    return {
        "schema": SCHEMA,
        "unit": told.unit,
        "answers": list(told.answers),
        "level": _short(level),
        "columns": columns,
        "pairs": pairs,
    }


class _Parts:
    """What features add to the answers."""

    def __init__(self, module: AddsUp, told: _Told) -> None:
        self.curves, self.holes, self.told = module.curves(), module.missing(), told
        self.tables = module.pairs()
        self.moved: dict[int, list[tuple[Side, Array]]] = {}  # from pairs to a column's own curve, by its first feature

    def of(self, span: range, x: Array) -> Array:
        """Add up what the features of a span give. Shape: x (N, features of it) -> (N, D)."""
        found = np.zeros((len(x), self._outputs()))
        for feature, values in zip(span, x.T, strict=True):
            hole = np.isnan(values)
            if feature in self.curves:
                at, added = self.curves[feature]
                known = np.where(hole, 0.0, values)
                found += np.stack([np.interp(known, at, one) for one in added.T], axis=1)
            if feature in self.holes:
                found += hole[:, None] * self.holes[feature]
        for table in self.tables:
            if set(table.features) <= set(span):
                found += together(table, *(np.nan_to_num(x[:, f - span.start]) for f in table.features))
        own: Array = self.told.by(found)
        for side, added in self.moved.get(span.start, ()):
            own = own + side.read(added, x)
        return own

    def across(self, spans: Mapping[str, range]) -> list[tuple[str, str]]:
        """List the pairs of columns that tables are of, those of one column left out."""
        of = {feature: name for name, span in spans.items() for feature in span}
        pairs = [(of[a], of[b]) for a, b in (table.features for table in self.tables)]
        return [pair for pair in pairs if pair[0] != pair[1]]

    def across_at(self, spans: Sequence[range], first: Array, second: Array) -> Array:
        """Add up what the tables across two columns give. Shape: (N, features of one), (N, features of the other) -> (N, D)."""
        found = np.zeros((len(first), self._outputs()))
        x = {
            f: np.nan_to_num(v)
            for span, of in zip(spans, (first, second), strict=True)
            for f, v in zip(span, of.T, strict=True)
        }
        for table in self.tables:
            a, b = table.features
            if {a in spans[0], b in spans[0]} == {True, False} and {a in spans[1], b in spans[1]} == {True, False}:
                found += together(table, x[a], x[b])
        own: Array = self.told.by(found)
        return own

    def _outputs(self) -> int:
        return len(self.told.answers) if self.told.unit == "logits" else 2 if self.told.unit == "log_odds" else 1

    def bends(self, feature: int) -> Array:
        """List the values at which a number's own curve bends, what was moved to it included."""
        own = [self.curves[feature][0].astype(np.float64)] if feature in self.curves else []
        moved = [side.encoded[:, 0] for side, _ in self.moved.get(feature, ()) if side.straight]
        return np.unique(np.concatenate([*own, *moved])) if own or moved else np.zeros(1)


def _side(
    rows: Viewed, name: str, block: Any, parts: _Parts, span: range, times: pd.Series | None, x: Array
) -> Side | None:
    """Choose the points of a column in a pair; None for free text."""
    if isinstance(block, PlainNumberBlock):
        at = np.unique(
            np.concatenate([t.values[t.features.index(span[0])] for t in parts.tables if span[0] in t.features])
        )
        raw = block.centre + at.astype(np.float64) * block.spread
        return Side("number", [float(f"{v:.12g}") for v in raw], at[:, None].astype(np.float64), True, block.centre)
    if times is not None:
        known = np.flatnonzero(times.notna())
        known = known[np.argsort(times.iloc[known].to_numpy(), kind="stable")]
        known = known[:: 1 + len(known) // PAIR_TIMES]
        return Side("time", [str(pd.Timestamp(t).isoformat()) for t in times.iloc[known]], x[known], False)
    if isinstance(block, BooleanBlock | CategoryBlock):
        labels = [*[*block.known][:MOST_LABELS], None]
        values = pd.Series(pd.Categorical(labels, categories=[*block.known]))
        return Side("labels", labels, np.asarray(block.transform(values), np.float64), False)
    return None


def _together(parts: _Parts, spans: list[range], sides: list[Side | None], x: Array) -> tuple[dict[str, Any], Array]:
    """Tell what two columns add together; return the mean of it as well, which belongs to the level.

    What one of them does alone on average goes to its curve, but for times, whose curve has too many points.
    """
    first, second = sides
    own = parts.across_at(spans, x[:, spans[0]], x[:, spans[1]])
    if first is None or second is None:
        return {"influence": _influence(own)}, own.mean(axis=0)
    shape = len(first.encoded), len(second.encoded)
    every = np.repeat(first.encoded, shape[1], axis=0), np.tile(second.encoded, (shape[0], 1))
    added = parts.across_at(spans, *every).reshape(*shape, -1)
    if "time" in (first.kind, second.kind):
        mean = own.mean(axis=0)
        found, rest = added - mean, own
    else:
        weight = first.counts(x[:, spans[0]]).T @ second.counts(x[:, spans[1]])
        apart = split(added, weight)
        for side, span, alone in zip((first, second), spans, apart.alone, strict=True):
            parts.moved.setdefault(span.start, []).append((side, alone))
        mean, found = apart.level, apart.rest[first.alike()][:, second.alike()]
        rest = own - sum(
            side.read(alone, x[:, span]) for side, span, alone in zip((first, second), spans, apart.alone, strict=True)
        )
    told = [
        {"kind": side.kind, "values": side.named, "missing_as": side.centre}
        for side, span in zip((first, second), spans, strict=True)
    ]
    return {"sides": told, "added": [_short(row) for row in found], "influence": _influence(rest)}, mean


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
        at = parts.bends(feature)
        raw = block.centre + at * block.spread
        return {
            "kind": "number",
            "values": [float(f"{v:.12g}") for v in raw],
            "added": parts.of(span, at[:, None]),
            "missing": parts.of(span, np.array([[np.nan]])),
        }
    if times is not None:
        known = np.flatnonzero(times.notna())
        known = known[np.argsort(times.iloc[known].to_numpy(), kind="stable")]
        known = known[:: 1 + len(known) // MOST_TIMES]
        written = [str(pd.Timestamp(t).isoformat()) for t in times.iloc[known]]
        empty = of(pd.Series([None], dtype=times.dtype))
        return {"kind": "time", "values": written, "added": own[known], "missing": empty}
    if isinstance(block, BooleanBlock | CategoryBlock):
        labels = [*block.known][:MOST_LABELS]
        added = of(pd.Series(pd.Categorical([*labels, None], categories=[*block.known])))
        more = len(block.known) - len(labels)
        return {"kind": "labels", "values": labels, "more": more, "added": added[:-1], "missing": added[-1:]}
    return {"kind": column.kind}


def _influence(own: Array) -> float:
    return float(f"{own.std(axis=0).max():.4g}")


def _short(values: Array) -> Any:
    return (
        [[float(f"{v:.7g}") for v in row] for row in values]
        if values.ndim == 2
        else [float(f"{v:.7g}") for v in values]
    )
