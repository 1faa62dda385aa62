"""Which columns could be the one to predict, and whether a person should say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.types.base import TypedColumn
from kd_core.data.types.names import goal_like_name, id_like_name, target_rank
from kd_core.limits import CLASSES
from kd_core.task import BY_FORM, TASKS, usual

CANDIDATES = 3
_FEW_VALUES = 12  # of a first or last column that looks like classes
_STEADY, _STEADY_VALUES, _LOOKED_AT = 0.98, 50, 10_000  # share of the commonest value, of so many, in so many rows
_ORDERED = (5, 100)  # distinct whole numbers that can be read as classes and as a measure


@dataclass(frozen=True)
class Proposal:
    """The likeliest targets, best first. `sure`: the first one's name says that it is the target."""

    names: tuple[str, ...]
    sure: bool

    @property
    def best(self) -> str | None:
        return self.names[0] if self.names else None


def propose(columns: list[TypedColumn]) -> Proposal:
    """Rank the columns that could be the target; ids, dates, free text and columns of one value never are.

    In this order: a name that says so (`label`), the last column or a flag whose name is a typical goal
    (`Revenue`, `churned`), the last column, the last flag; then the first column when it looks like classes, other
    goals, other columns of few values, and the rest from the last to the first; numbers that nearly always are the same come last.
    """
    usable = [
        c
        for c in columns
        if c.distinct >= 2
        and (c.kind == "number" or (c.kind in ("boolean", "category") and c.distinct <= CLASSES) or _by_form(c))
    ]
    if not usable:
        return Proposal((), False)
    said = [(rank, -i, c) for i, c in enumerate(usable) if (rank := target_rank(c.name)) is not None]
    named = [c for *_, c in sorted(said, key=lambda s: s[:2])]
    last = usable[-1] if usable[-1] is columns[-1] else None
    flags = [c for c in reversed(usable) if c.kind == "boolean"]
    goals = [c for c in [last, *flags] if c is not None and goal_like_name(c.name)]
    steady = {c.name for c in usable if _steady(c)}
    first = [c for c in usable[:1] if c is columns[0] and 2 <= c.distinct <= _FEW_VALUES and c.name not in steady]
    likely = [*named, *goals, *([last] if last else flags[:1])]
    others = [*first, *(c for c in reversed(usable) if goal_like_name(c.name)), *flags]
    few = [c for c in reversed(usable) if c.distinct <= _FEW_VALUES]
    rest = sorted([*few, *reversed(usable)], key=lambda c: (c.name in steady, id_like_name(c.name)))
    order = dict.fromkeys(c.name for c in [*likely, *others, *rest])
    return Proposal(tuple(order)[:CANDIDATES], bool(named or goals) or len(usable) == 1)


def _steady(column: TypedColumn) -> bool:
    """Say whether a number is nearly always the same, as a pixel at the edge of a picture; a flag may well be rare and is what people predict."""
    if column.kind != "number" or column.distinct > _STEADY_VALUES:
        return False
    counts = column.values.head(_LOOKED_AT).value_counts()
    return bool(len(counts)) and bool(counts.iloc[0] >= _STEADY * counts.sum())


def _by_form(column: TypedColumn) -> bool:
    """Say whether the cells of a column of words have the form of some task's answers, as lists of labels have."""
    return column.kind in ("text", "category", "id") and any(
        e.make.likeness(column) >= BY_FORM for e in TASKS.entries()
    )


def readings(column: TypedColumn) -> tuple[str, ...]:
    """List how a target can be read: whole numbers with many ordered values (a grade, a rating) both as classes and as a number."""
    if not pd.api.types.is_float_dtype(column.values.dtype) or not _ORDERED[0] <= column.distinct <= _ORDERED[1]:
        return ()
    values = column.values.dropna().to_numpy(np.float64)
    return (usual("classes").name, usual("number").name) if bool((values == np.floor(values)).all()) else ()
