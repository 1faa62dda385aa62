"""Several targets of a row, each read as the target of its own task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from kd_core.data.checks.classes import Rare
from kd_core.data.plain.counted import plural
from kd_core.data.targets import Target, read_target
from kd_core.data.types.base import TypedColumn
from kd_core.errors import Problem, Says
from kd_core.task import task_of

MOST = 30

_TOO_MANY = Says(
    "too_many_targets",
    "error",
    "{count:,} targets are named; at most {most} can be predicted together.",
    "Name fewer, or make several runs.",
)
_TOO_FEW = Says(
    "too_few_targets",
    "error",
    "Several tasks need 2 targets or more; {column} is the only one.",
    "Name another target, or leave the task out.",
)
_NO_SUCH = Says("no_such_target", "error", "A task is named for {column}, which is no target.", "Targets: {listed}.")
_SOME_UNKNOWN = Says(
    "target_partly_known",
    "warning",
    "Target {column} is missing in {number}.",
    "These rows teach the other targets only.",
)
_NONE_KNOWN = Says(
    "no_target_known",
    "warning",
    "{number} without any of the targets {were} left out.",
    "Fill in a target if they matter.",
)


def read_several(columns: Sequence[TypedColumn], task: str, asked: Mapping[str, str], rare: Rare = "refuse") -> Target:
    """Read each of these columns as a target and put them side by side: `values` (N, T) float64, a class index or a number, NaN unknown.

    Every problem names its column. `task`: name of the one that holds several; `asked`: the task of a target by its name, found out for the
    others; `rare` as in `DatasetSpec`, for every target.
    """
    first, problems = columns[0], []
    if len(columns) > MOST:
        problems.append(_TOO_MANY.problem(None, len(columns), most=MOST))
    if len(columns) < 2:
        problems.append(_TOO_FEW.problem(first.name))
    names = [column.name for column in columns]
    problems += [_NO_SUCH.problem(name, listed=", ".join(names)) for name in asked if name not in names]
    inside = tuple(read_target(column, asked.get(column.name), rare=rare) for column in columns)
    problems += [_partly(one, p) for one in inside for p in one.problems]
    if any(p.severity == "error" for p in problems):
        return Target(first.name, None, (), (), None, np.full(len(first.values), -1), tuple(problems))
    values = np.stack([np.where(one.present, one.values, np.nan).astype(np.float64) for one in inside], axis=1)
    unknown = int(np.isnan(values).all(axis=1).sum())
    if unknown:
        number, were = plural(unknown, "row"), "is" if unknown == 1 else "are"
        problems.append(_NONE_KNOWN.problem(None, unknown, number=number, were=were))
    classes = [f"{one.name}: {c}" if one.classes else one.name for one in inside for c in one.classes or ("",)]
    counts = [c for one in inside for c in one.counts or (int(one.present.sum()),)]
    heads = json.dumps([_head(one) for one in inside])
    name = task_of(f"{task}:{heads}").name
    return Target(first.name, name, tuple(classes), tuple(counts), None, values, tuple(problems), inside)


def _head(part: Target) -> dict[str, object]:
    assert part.task is not None
    return {
        "name": part.name,
        "task": part.task,
        **({"classes": list(part.classes)} if task_of(part.task).has_classes else {}),
    }


def _partly(part: Target, problem: Problem) -> Problem:
    """Say of rows without one of the targets what becomes of them beside others."""
    if problem.code != "target_missing":
        return problem
    return _SOME_UNKNOWN.problem(part.name, problem.count, problem.rows, number=plural(problem.count or 0, "row"))
