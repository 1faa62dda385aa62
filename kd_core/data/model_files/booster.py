"""Boosted trees out of a file: every index in them is checked once, then they answer rows by numpy alone.

Legend: T trees, S splits and L leaves of all trees, N rows, F features, K answers of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.errors import DataError
from kd_core.limits import CLASSES, FILE_BYTES

Array = npt.NDArray[Any]
NAN, ZERO, NO_MISSING = 0, 1, 2  # what counts as missing at a split: NaN; NaN and 0; nothing, NaN is read as 0
_ROWS = 8192  # answered at once: bounds the memory
_ZERO = float(np.float32(1e-35))  # what LightGBM reads as 0


def damaged(noun: str, why: str) -> DataError:
    """Say that a file can't be used, and why."""
    return DataError(
        "This is no {noun} file that can be used: {why}.",
        "Save the model again where it came from.",
        "model_damaged",
        noun=noun,
        why=why,
    )


def refuse_size(path: Path, noun: str) -> None:
    """Refuse a file above the limit. Errors: DataError `model_size`."""
    if path.stat().st_size > FILE_BYTES:
        raise DataError(
            "The {noun} file has more than {most} MB.",
            "Use a smaller model.",
            "model_size",
            noun=noun,
            most=FILE_BYTES // 2**20,
        )


def objective_unknown(noun: str, line: str, known: tuple[str, ...]) -> DataError:
    """Say that what a model was trained for is not read."""
    return DataError(
        "The {noun} file was trained for '{objective}'; its answers are not known to be logits or values.",
        "These are read: {known}. Of others save the answers as soft labels.",
        "model_objective",
        noun=noun,
        objective=line[:80],
        known=", ".join(known),
    )


@dataclass(frozen=True)
class Booster:
    """Checked trees. A child of 0 or more is a split, one below 0 the leaf `~child`; so is a root.

    feature, threshold, left, right, missing, default_left (S,): a row goes left where its value is at most the threshold, or is missing and
    `default_left`. `bits_at` (S + 1,): where the categories of a split that go left stand in `bits`, as numbers of bits; none of a split by
    threshold. value (L,), root (T,), output (T,): to which answer a tree adds; base (K,). `single`: XGBoost's arithmetic, float32 in the
    order of the trees; else LightGBM's float64. `shares`: by how much a sum is divided, for the mean of a forest.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing: Array
    default_left: Array
    bits_at: Array
    bits: Array
    value: Array
    root: Array
    output: Array
    base: Array
    single: Array
    shares: Array

    def save(self, path: Path) -> None:
        """Write the arrays for the parent process."""
        np.savez(path, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Booster:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as found:
            return cls(**{one.name: found[one.name] for one in fields(cls)})

    @property
    def by_category(self) -> bool:
        """Whether some split asks for categories."""
        return len(self.bits) > 0

    def answer(self, x_NF: Array) -> Array:
        """Add up the trees. Shape: (N, F) numbers, NaN where one is missing -> (N, K) float64."""
        parts = [self._some(x_NF[i : i + _ROWS]) for i in range(0, len(x_NF), _ROWS)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.base)))

    def _some(self, x_NF: Array) -> Array:
        kind = np.float32 if self.single else np.float64
        with np.errstate(over="ignore"):
            x_FN = np.array(x_NF.T, dtype=kind, order="C")
        if not self.single:
            x_FN[np.abs(x_FN) <= _ZERO] = 0.0
        sums = np.repeat(self.base[None].astype(kind), len(x_NF), axis=0)
        for root, output in zip(self.root.tolist(), self.output.tolist(), strict=True):
            sums[:, output] += self.value[~self._leaves(x_FN, root)].astype(kind)
        found: Array = sums.astype(np.float64) / self.shares
        return found

    def _leaves(self, x_FN: Array, root: int) -> Array:
        """Walk all rows down one tree. Shape: -> (N,) numbers below 0."""
        rows = np.arange(x_FN.shape[1])
        at_N = np.full(len(rows), root)
        walking = rows if root >= 0 else rows[:0]
        while len(walking):
            split = at_N[walking]
            seen = x_FN[self.feature[split], walking]
            at_N[walking] = np.where(self._goes_left(split, seen), self.left[split], self.right[split])
            walking = walking[at_N[walking] >= 0]
        return at_N

    def _goes_left(self, split: Array, seen: Array) -> Array:
        kind, hole = self.missing[split], np.isnan(seen)
        missing = (hole & (kind != NO_MISSING)) | ((seen == 0) & (kind == ZERO))
        if not self.single:
            missing |= hole & (kind == ZERO)
            seen = np.where(hole & ~missing, 0.0, seen)
        found = np.where(missing, self.default_left[split], seen <= self.threshold[split])
        if self.by_category:
            for at in np.flatnonzero(self.bits_at[split + 1] > self.bits_at[split]):
                own = self.bits[self.bits_at[split[at]] : self.bits_at[split[at] + 1]]
                found[at] = not hole[at] and -1 < seen[at] < 2**31 and bool((own == int(seen[at])).any())
        return found


@dataclass
class Builder:
    """Takes trees one by one, refuses indices that lead out of them or round in circles, and makes a `Booster`."""

    noun: str
    num_features: int
    num_outputs: int
    parts: dict[str, list[Array]] = field(default_factory=dict)
    splits: int = 0
    leaves: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.num_outputs <= CLASSES:
            raise damaged(
                self.noun, f"it answers with {self.num_outputs:,} numbers a row; {CLASSES:,} at most are read"
            )

    def add(
        self,
        output: int,
        value: Array,
        feature: Array,
        threshold: Array,
        left: Array,
        right: Array,
        missing: Array,
        default_left: Array,
        categories: Sequence[Array] = (),
    ) -> None:
        """Take one tree of s splits and its leaves; children as in `Booster`, numbered within the tree.

        `categories`: of each split the categories that go left, empty for a split by threshold. Errors: DataError `model_damaged`.
        """
        place = f"tree {len(self.parts.get('root', ())):,}"
        number = len(feature)
        if {len(threshold), len(left), len(right), len(missing), len(default_left)} != {number} or not len(value):
            raise damaged(self.noun, f"the lists of {place} have different lengths")
        if not 0 <= output < self.num_outputs:
            raise damaged(self.noun, f"{place} adds to answer {output:,} of {self.num_outputs:,}")
        if number and not (feature.min() >= 0 and feature.max() < self.num_features):
            raise damaged(self.noun, f"{place} asks for a feature that is not one of the {self.num_features:,}")
        if not np.isfinite(value).all() or np.isnan(threshold).any():
            raise damaged(self.noun, f"{place} holds something that is no number")
        children = np.concatenate([left, right]).astype(np.int64)
        if number and not (-len(value) <= children.min() and children.max() < number):
            raise damaged(self.noun, f"{place} leads to a node that it does not have")
        below, at_leaf = children[children >= 0], ~children[children < 0]
        # Nobody is the child of two, and the first is nobody's: what can be reached is a tree, and every walk ends.
        if (below == 0).any() or len(np.unique(below)) < len(below) or len(np.unique(at_leaf)) < len(at_leaf):
            raise damaged(self.noun, f"{place} leads back to a node that was met before")
        moved = {
            "feature": feature,
            "threshold": threshold,
            "left": self._moved(left),
            "right": self._moved(right),
            "missing": missing,
            "default_left": default_left,
            "value": value,
            "root": np.array([self.splits if number else ~self.leaves]),
            "output": np.array([output]),
            "counts": np.array([len(own) for own in categories] or [0] * number, dtype=np.int64),
            "bits": np.concatenate([np.empty(0, np.int64), *categories]),
        }
        for name, part in moved.items():
            self.parts.setdefault(name, []).append(part)
        self.splits, self.leaves = self.splits + number, self.leaves + len(value)

    def _moved(self, children: Array) -> Array:
        children = children.astype(np.int64)
        return np.where(children >= 0, children + self.splits, children - self.leaves)

    def booster(self, base: Array, single: bool, shares: float = 1.0) -> Booster:
        """Put the trees side by side. Errors: DataError `model_damaged` where there are none."""
        if not self.parts:
            raise damaged(self.noun, "it holds no trees")
        if not np.isfinite(base).all():
            raise damaged(self.noun, "its answers begin at something that is no number")
        joined = {name: np.concatenate(parts) for name, parts in self.parts.items()}
        counts = joined.pop("counts")
        kinds = {"threshold": np.float64, "missing": np.int8, "default_left": np.bool_, "value": np.float64}
        return Booster(
            **{name: part.astype(kinds.get(name, np.int64)) for name, part in joined.items()},
            bits_at=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            base=np.asarray(base, np.float64),
            single=np.array(single),
            shares=np.array(shares),
        )
