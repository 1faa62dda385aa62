"""What a what-if tried, cell by cell: the value of every setting, and the scores of the trainings that have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kd_core.runs.cells import methods
from kd_core.runs.cells.grid import AXES, MADE_ROWS
from kd_core.specs import RunSpec

STUDENT, METHOD = "student", "method"
SETTINGS = (*AXES, STUDENT, METHOD)
Value = float | str | None
State = Literal["ended", "waiting", "stopped", "failed"]


@dataclass(frozen=True)
class Tried:
    """One cell. `values` by setting, None where the student or the loss has none; `scores` and `baseline` by seed, of ended trainings only.

    `state`: waiting (a training goes on), stopped (a person ended it before its time), failed (no training came to a usable end).
    """

    number: int
    values: Mapping[str, Value]
    scores: Mapping[int, float]
    baseline: Mapping[int, float]
    state: State

    @property
    def mean(self) -> float:
        """Return the mean score. Errors: ZeroDivisionError without any."""
        return sum(self.scores.values()) / len(self.scores)


def of_result(cells: Iterable[Mapping[str, Any]], spec: RunSpec) -> list[Tried]:
    """Read the cells that result.json holds. Errors: KeyError, TypeError where they are damaged."""
    named = _named(spec)
    found = []
    for cell in cells:
        scores = dict(zip(cell["seeds"], cell["scores"], strict=True))
        alone = {n: b for n, b in zip(cell["seeds"], cell["baseline"], strict=True) if b is not None}
        state: State = "stopped" if cell["stopped"] else "ended" if scores else "failed"
        found.append(Tried(cell["cell"], _values(cell, named), {} if cell["stopped"] else scores, alone, state))
    return found


def of_progress(cells: Iterable[Mapping[str, Any]], spec: RunSpec, active: bool = True) -> list[Tried]:
    """Read the cells of a what-if that trains, or ended without a result: what is still in training counts for nothing yet."""
    named = _named(spec)
    found = []
    for cell in cells:
        each = zip(cell["seeds"], cell["scores"], cell["done"], strict=True)
        scores = {n: s for n, s, done in each if done and s is not None}
        each = zip(cell["seeds"], cell["baseline"], cell["baseline_done"], strict=True)
        alone = {n: b for n, b, done in each if done and b is not None}
        ended = all(cell["done"])
        state: State = "ended" if ended and scores else "failed" if ended else "waiting" if active else "stopped"
        found.append(Tried(cell["cell"], _values(cell, named), scores, alone, state))
    return found


def varied(tried: Iterable[Tried]) -> tuple[str, ...]:
    """Name the settings that take several values."""
    held = list(tried)
    return tuple(n for n in SETTINGS if len({t.values[n] for t in held} - {None}) > 1)


def _named(spec: RunSpec) -> dict[str, tuple[str, str]]:
    """Take each student's name apart into the student and the loss that it is taught by."""
    bare = {s.name: methods.apart([s])[0][0].name for s in spec.students}
    return {s.name: (bare[s.name], s.objective or spec.objective.name) for s in spec.students}


def _values(cell: Mapping[str, Any], named: Mapping[str, tuple[str, str]]) -> dict[str, Value]:
    student, method = named.get(cell["student"], (cell["student"], ""))
    held = {name: cell.get(name, 0) if name == MADE_ROWS else cell[name] for name in AXES}
    return {**held, STUDENT: str(student), METHOD: method}
