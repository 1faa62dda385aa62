"""Encodings of single columns: numbers, flags, categories, dates.

What a block has learned stands in plain attributes (numbers, words, lists of them, arrays), so that `saved` can write all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import StandardScaler, TargetEncoder

from kd_core.data.encoding.quantiles import bent, curve, heavy_tailed
from kd_core.data.split import row_keys
from kd_core.data.types.base import ColumnType
from kd_core.limits import TURN_DIGITS
from kd_core.task import task_of

if TYPE_CHECKING:  # onnx takes a quarter of a second to import
    from kd_core.data.encoding.raw_graph import RawGraph

Array = npt.NDArray[Any]
T = TypeVar("T", int, float)
_FIT_ROWS = 100_000  # rows a scaling is fitted on; more change the quantiles by less than 0.01 sd
_INFREQUENT = "other"
_MISSING = "missing"
_FOLDS = 5  # that averages of the target are cross-fitted over
_MIN_SHARE = 0.001  # one-hot categories rarer than this share of the training rows are merged


def _sample(values: Array, most: int) -> Array:
    return values if len(values) <= most else values[np.argsort(row_keys(len(values), 3), kind="stable")[:most]]


class NumberBlock:
    """A number: scaled, gaps filled with the median and flagged. Shape: (N,) float64 -> (N, 1 or 2)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: tuple[str, ...] = (name,)
        self.median, self.mean, self.std, self.flag = 0.0, 0.0, 1.0, False
        self.knots: Array = np.zeros(0)  # of heavy tails, which are scaled by rank, with the height at each
        self.heights: Array = np.zeros(0)

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        known = values.dropna().to_numpy(np.float64)
        self.flag = len(known) < len(values)
        self.median = float(np.median(known)) if len(known) else 0.0
        known = _sample(known, _FIT_ROWS)
        if len(known) and heavy_tailed(known):
            self.mean, self.std = self.median, float(known.std())
            self.knots, self.heights = curve(self._scaled(known))
        elif len(known):
            scaler = StandardScaler().fit(known[:, None])
            self.mean, self.std = float(scaler.mean_[0]), float(scaler.scale_[0])
        self.names = (self.name, f"{self.name} {_MISSING}") if self.flag else (self.name,)
        return None

    def transform(self, values: pd.Series) -> Array:
        held = values.to_numpy(np.float64, na_value=np.nan)
        missing = np.isnan(held)
        # +-10 sd: a new value far outside the training range must not drown every other feature.
        scaled = self._scaled(np.where(missing, self.median, held))
        scaled = bent(scaled, self.knots, self.heights) if len(self.knots) else np.clip(scaled, -10, 10)
        return np.column_stack([scaled, missing]) if self.flag else scaled[:, None]

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        curve = (self.knots, self.heights) if len(self.knots) else None
        fill = float(self._scaled(np.array(self.median)))
        if curve:
            graph.number(self.name, "bent", self.mean, self.std, fill, self.flag, curve)
        else:
            graph.number(self.name, "line", self.mean, self.std, fill, self.flag)

    def _scaled(self, values: Array) -> Array:
        """Centre before the step to float32, which keeps seven digits only: a time stamp has ten."""
        found: Array = ((values - self.mean) / self.std).astype(np.float32)
        return found


def _codes(values: pd.Series, known: dict[str, int], missing: int, unknown: int) -> Array:
    """Number labels. Shape: (N,) labels -> (N,) int64."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    table = np.array([known.get(str(c), unknown) for c in values.cat.categories] + [missing], np.int64)
    found: Array = table[values.cat.codes.to_numpy()]
    return found


class BooleanBlock:
    """A yes/no flag as 0 and 1, gaps as a half and flagged. Shape: (N,) labels -> (N, 1 or 2)."""

    unknown: ClassVar[float] = 0.5

    def __init__(self, name: str) -> None:
        self.name, self.flag = name, False
        self.names: tuple[str, ...] = (name,)
        self.known: dict[str, int] = {}

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        labels = (
            values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else sorted(values.dropna().unique())
        )
        self.known = {str(label): i for i, label in enumerate(labels)}
        self.flag = bool(values.isna().any())
        self.names = (f"{self.name}={[*self.known][-1]}",) + ((f"{self.name} {_MISSING}",) if self.flag else ())
        return None

    def codes(self, values: pd.Series) -> Array:
        """Number the labels by their order, -1 for a missing or an unknown one. Shape: (N,) labels -> (N,) int64."""
        return _codes(values, self.known, -1, -1)

    def transform(self, values: pd.Series) -> Array:
        codes = self.codes(values)
        held = np.where(codes < 0, 0.5, np.minimum(codes, 1))
        return np.column_stack([held, codes < 0]) if self.flag else held[:, None]

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        values = {label: float(min(code, 1)) for label, code in self.known.items()}
        graph.flag(self.name, spelled(values, self.unknown, column), self.unknown, column.codes, self.flag)


class CategoryBlock:
    """A category: one column per value, or the target's average and the frequency when there are many values."""

    def __init__(self, name: str, one_hot: int, most_classes: int, seed: int) -> None:
        self.name = name
        self.names: tuple[str, ...] = (name,)
        self.one_hot, self.most_classes, self.seed = one_hot, most_classes, seed
        self.known: dict[str, int] = {}
        self.width, self.other, self.missing = 0, -1, -1
        self.mean: Any = 0.0
        self.std: Any = 1.0
        self.frequency: Array = np.zeros(0)
        self.averages: Array = np.zeros((0, 0))  # of the target: per known value, then any other one, then missing
        self._most: int | None = None  # names that are known, where not all are

    def keep(self, most: int) -> None:
        """Know the commonest values of a column with many, in `fit`; the rest count together as any other one."""
        self._most = most

    def labels(self, column: ColumnType) -> list[tuple[list[str], int]]:
        """List the values that stand in a table, the commonest first: every way to write each, and its training rows."""
        ways: dict[str, list[str]] = {label: [label] for label in self.known}
        for text, label in column.spelling.items():
            if label in ways and text != label and not column.codes:
                ways[label].append(text)
        return list(zip(ways.values(), np.rint(np.expm1(self.frequency)).astype(int).tolist(), strict=False))

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        counts = values.value_counts()
        counts = counts[counts > 0]
        labels = sorted((str(v) for v in counts.index), key=lambda v: (-int(counts[v]), v))
        missing = int(values.isna().sum())
        if len(labels) > self.one_hot:
            return self._fit_many(values, labels, counts, y, task, groups)
        least = max(2, int(_MIN_SHARE * len(values)))
        kept = [v for v in labels if counts[v] >= least] or labels
        rare = len(kept) < len(labels)
        self.known = {v: i for i, v in enumerate(kept)}
        extra = ([_INFREQUENT] if rare else []) + ([_MISSING] if missing else [])
        self.width = len(kept) + len(extra)
        self.other = len(kept) if rare else -1
        self.missing = self.width - 1 if missing else self.other
        self.names = tuple(f"{self.name}={v}" for v in [*kept, *extra])
        return None

    def _fit_many(
        self, values: pd.Series, labels: list[str], counts: pd.Series, y: Array, task: str, groups: Array | None
    ) -> Array | None:
        labels = labels[: self._most]
        self.known = {v: i for i, v in enumerate(labels)}
        self.frequency = np.log1p(
            np.array([int(counts[v]) for v in labels] + [0, int(values.isna().sum())], np.float64)
        )
        codes = _codes(values, self.known, len(labels) + 1, len(labels))
        if task_of(task).averages(y.shape[1] if y.ndim > 1 else len(np.unique(y))) > self.most_classes:
            self.width = min(self.one_hot, len(labels)) + 1
            self.names = (
                *(f"{self.name}={v}" for v in labels[: self.one_hot]),
                f"{self.name}={_INFREQUENT}",
                f"{self.name} frequency",
            )
            return None
        folds = _folds(len(y), groups, self.seed)
        made = [target_averages(codes[:, None], own, kind, folds) for kind, own in task_of(task).averaged(y)]
        encoded = np.concatenate([own for _, own in made], axis=1)
        every = np.arange(len(labels) + 2)[:, None]
        self.averages = np.concatenate([encoder.transform(every) for encoder, _ in made], axis=1)
        self.mean, self.std = encoded.mean(axis=0), np.maximum(encoded.std(axis=0), 1e-9)
        means = (
            [f"{self.name} target mean"]
            if encoded.shape[1] == 1
            else [f"{self.name} share of class {k}" for k in range(encoded.shape[1])]
        )
        self.names = (*means, f"{self.name} frequency")
        return self._many(codes, encoded)

    def _many(self, codes: Array, encoded: Array | None) -> Array:
        frequency = self.frequency[codes]
        frequency = (frequency - self.frequency.mean()) / max(float(self.frequency.std()), 1e-9)
        if not self.averages.size:
            hot = np.zeros((len(codes), self.width), np.float32)
            hot[np.arange(len(codes)), np.minimum(codes, self.width - 1)] = 1
            return np.column_stack([hot, frequency])
        held = self.averages[codes] if encoded is None else encoded
        return np.column_stack([np.clip((held - self.mean) / self.std, -10, 10), frequency])

    def transform(self, values: pd.Series) -> Array:
        if len(self.frequency):
            return self._many(_codes(values, self.known, len(self.known) + 1, len(self.known)), None)
        codes = _codes(values, self.known, self.missing, self.other)
        hot = np.zeros((len(codes), self.width), np.float32)
        seen = codes >= 0  # a value never seen in training is none of the known ones: all zeros
        hot[np.flatnonzero(seen), codes[seen]] = 1
        return hot

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        if not len(self.frequency):
            ids = spelled(self.known, self.missing, column)
            graph.one_hot(self.name, ids, self.other, self.width, column.codes)
            return
        codes = np.arange(len(self.known) + 2)
        ids, rows = spelled(self.known, len(self.known) + 1, column), self._many(codes, None)
        hot = 0 if self.averages.size else self.width
        graph.table(self.name, ids, len(self.known), rows[:, hot:], column.codes, hot)


def spelled(values: dict[str, T], missing: T, column: ColumnType) -> dict[str, T]:
    """Give every way to write a known label its value, and nothing (an empty text) that of what is missing."""
    other = {text: values[label] for text, label in column.spelling.items() if label in values and not column.codes}
    return {**dict.fromkeys(() if column.codes else column.missing, missing), "": missing, **other, **values}


def _folds(num_rows: int, groups: Array | None, seed: int) -> Array:
    """Deal rows, or whole groups of them, to folds by their hash. Shape: (N,) int64."""
    keys = row_keys(num_rows, seed)
    if groups is not None:
        _, inverse = np.unique(groups, return_inverse=True)
        keys = row_keys(int(inverse.max()) + 1, seed)[inverse]
    return (keys % np.uint64(_FOLDS)).astype(np.int64)


def target_averages(codes: Array, y: Array, kind: str, folds: Array) -> tuple[TargetEncoder, Array]:
    """Fit scikit-learn's TargetEncoder and encode each row by the other folds, so that no row sees its own target.

    A fold that holds a whole class, or all rows, gets the overall average: the other folds know nothing of that class.
    Shape: (N, columns) codes, (N,) targets and folds -> the encoder for other rows, (N, columns x classes).
    Source: Micci-Barreca 2001; Pargent et al. 2022, arXiv:2104.00629.
    """
    encoder = TargetEncoder(target_type=kind, smooth="auto", cv=PredefinedSplit(folds))
    if (folds == folds[0]).all():
        average = encoder.fit(codes, y).target_mean_
        return encoder, np.tile(average, (len(y), codes.shape[1])).astype(np.float64)
    encoded = encoder.fit_transform(codes, y)
    of_class = [] if kind == "continuous" else [folds[y == label] for label in encoder.classes_]
    whole = [f[0] for f in of_class if (f == f[0]).all()]
    encoded[np.isin(folds, whole)] = encoder.target_mean_
    return encoder, encoded


class DateBlock:
    """A date: elapsed days, year, and month, weekday and hour on a circle, so that December lies next to January."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: tuple[str, ...] = (name,)
        self.flag = self.hours = self.years = False
        self.mean, self.std, self.year = 0.0, 1.0, 0.0

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        known = values.dropna()
        self.flag = len(known) < len(values)
        days = known.to_numpy().astype("datetime64[us]").astype(np.int64) / 86_400e6
        if len(days):
            self.mean, self.std = float(days.mean()), float(max(days.std(), 1e-9))
            self.hours = bool(((days % 1) != 0).any())
            self.year = float(known.dt.year.mean())
            self.years = known.dt.year.nunique() > 1
        parts = [
            "days",
            *(["year"] if self.years else []),
            "month sin",
            "month cos",
            "weekday sin",
            "weekday cos",
            *(["hour sin", "hour cos"] if self.hours else []),
            *([_MISSING] if self.flag else []),
        ]
        self.names = tuple(f"{self.name} {p}" for p in parts)
        return None

    def parts(self, values: pd.Series) -> tuple[Array, Array]:
        """Take dates apart, a missing one as any; say which are missing. Shape: (N,) -> (N, parts), (N,) bool."""
        stamps = values.to_numpy().astype("datetime64[us]")
        missing = np.isnat(stamps)
        days = np.where(missing, self.mean, stamps.astype(np.int64) / 86_400e6)
        when = pd.Series(values).dt
        month = np.nan_to_num(when.month.to_numpy(np.float64) - 1) / 12
        weekday = np.nan_to_num(when.day_of_week.to_numpy(np.float64)) / 7
        columns = [np.clip((days - self.mean) / self.std, -10, 10)]
        if self.years:
            columns.append(np.clip(np.nan_to_num(when.year.to_numpy(np.float64) - self.year), -50, 50))
        turns = [month, weekday, *([days % 1] if self.hours else [])]
        # Rounded, so that a graph gets the same bits: edges between values that differ by rounding alone would tell them apart.
        columns += [np.round(f(2 * np.pi * turn), TURN_DIGITS) for turn in turns for f in (np.sin, np.cos)]
        return np.column_stack(columns), missing

    def transform(self, values: pd.Series) -> Array:
        parts, missing = self.parts(values)
        return np.column_stack([parts, missing]) if self.flag else parts

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        self.draw_parts(graph, self.names)

    def draw_parts(self, graph: RawGraph, names: Sequence[str], blank: bool = False) -> None:
        """Add the parts of these names to a graph. `blank`: NaN where the date is missing."""
        parts = [name.removeprefix(f"{self.name} ") for name in names]
        graph.time(self.name, self.mean, self.std, self.year, parts, blank)
