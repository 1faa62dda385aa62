"""The cells of a run against their baselines and against the best of them, on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.evaluate.intervals import compare
from kd_core.runs.cells.grid import AXES, MADE_ROWS, Cell


@dataclass(frozen=True)
class Score:
    """What one training came to: its selection score, and whether it was stopped before its end or diverged."""

    value: float | None
    stopped: bool = False
    diverged: bool = False

    @property
    def usable(self) -> bool:
        """Say whether there is a number to compare."""
        return self.value is not None and not self.diverged


@dataclass(frozen=True)
class Judge:
    """How scores are compared. `margin` is the metric's; a relative one is a share of the baseline's value."""

    better: compare.Better
    margin: float
    relative: bool

    def units(self, values: Sequence[float]) -> float:
        """Return the margin in the metric's unit."""
        return compare.margin_in_units(self.margin, self.relative, values)


@dataclass(frozen=True)
class CellScores:
    """A cell's usable scores with its baseline's, seed by seed; `baseline` holds None where that one is unusable.

    `stopped`: they are the best so far of trainings that a person stopped; a cell with finished pairs shows only these.
    """

    cell: Cell
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    baseline: tuple[float | None, ...]
    stopped: bool
    diverged: int

    @property
    def paired(self) -> tuple[list[float], list[float]]:
        """Return scores and baselines of the seeds that have both."""
        both = [(s, b) for s, b in zip(self.scores, self.baseline, strict=True) if b is not None]
        return [s for s, _ in both], [b for _, b in both]

    @property
    def mean(self) -> float | None:
        """Return the mean score, None without any."""
        return float(np.mean(self.scores)) if self.scores else None

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Order by completeness: a cell that lost seeds or was cut short must not win by it."""
        return self.diverged == 0, not self.stopped, len(self.paired[0])


def gather(cell: Cell, seeds: Sequence[int], own: Sequence[Score | None], alone: Sequence[Score | None]) -> CellScores:
    """Pair a cell's trainings with its baseline's. Both lists are in the order of the seeds; None: not trained."""
    diverged = sum(s is not None and s.diverged for s in own)
    rows = [(n, s, b) for n, s, b in zip(seeds, own, alone, strict=True) if s is not None and s.usable]
    pairs = [(n, s, b) for n, s, b in rows if b is not None and b.usable]
    finished = [(n, s, b) for n, s, b in pairs if not s.stopped and b is not None and not b.stopped]
    chosen = finished or pairs or rows
    stopped = chosen is not finished and any(s.stopped or (b is not None and b.stopped) for _, s, b in chosen)
    return CellScores(
        cell,
        tuple(n for n, _, _ in chosen),
        tuple(s.value for _, s, _ in chosen if s.value is not None),
        tuple(b.value if b is not None and b.usable else None for _, _, b in chosen),
        stopped,
        diverged,
    )


def best(found: Sequence[CellScores], better: compare.Better) -> int | None:
    """Pick the cell with the best mean score among the most complete ones; None when no cell has a baseline.

    Returns the cell's index; of equal cells the first.
    """
    usable = [s for s in found if s.paired[0]]
    if not usable:
        return None
    most = max(s.rank for s in usable)
    sign = 1.0 if better == "higher" else -1.0
    return max(
        (s for s in usable if s.rank == most), key=lambda s: (sign * float(s.mean or 0.0), -s.cell.index)
    ).cell.index


def in_order(values: Sequence[float | None], better: compare.Better) -> list[int]:
    """Order the positions of scores, the best first; of equal ones the first, and last those that have none."""
    sign = -1.0 if better == "higher" else 1.0
    return sorted(range(len(values)), key=lambda p: np.inf if (value := values[p]) is None else sign * value)


def describe(scores: CellScores, judge: Judge) -> dict[str, Any]:
    """Compare a cell with its baseline: mean, gain with its 95 % interval, and the word for it."""
    ours, theirs = scores.paired
    gain: dict[str, Any] = {"mean": None, "ci95": [None, None], "n": 0}
    word = "inconclusive"
    if ours:
        interval = compare.paired(ours, theirs, judge.better)
        gain = {"mean": interval.mean, "ci95": [interval.low, interval.high], "n": interval.n}
        if not scores.stopped:
            word = compare.verdict(interval, judge.units(theirs)).word
    return {
        "seeds": list(scores.seeds),
        "scores": list(scores.scores),
        "baseline": list(scores.baseline),
        "mean": scores.mean,
        "gain": gain,
        "word": word,
        "stopped": scores.stopped,
        "diverged": scores.diverged,
    }


def told(scores: CellScores, winner: CellScores, judge: Judge, student: str) -> dict[str, Any]:
    """Write a cell as result.json holds it, but for its epochs, size and latency."""
    held = {axis: getattr(scores.cell, axis) for axis in AXES}
    setting = {axis: value for axis, value in held.items() if axis != MADE_ROWS or value}
    compared = {**describe(scores, judge), **behind(scores, winner, judge)}
    return {"cell": scores.cell.index, "student": student, **setting, **compared}


def behind(scores: CellScores, winner: CellScores, judge: Judge) -> dict[str, Any]:
    """Say how far a cell lies behind the best one, paired over seeds, and whether it can be told apart from it.

    It is like the best when the 95 % interval of the difference reaches 0; with one seed there is no interval, and
    differences within the metric's margin count as alike.
    """
    if scores.cell.index == winner.cell.index:
        return {"behind": None, "like_best": True}
    theirs = dict(zip(scores.seeds, scores.scores, strict=True))
    both = [(w, theirs[n]) for n, w in zip(winner.seeds, winner.scores, strict=True) if n in theirs]
    if not both:
        return {"behind": None, "like_best": False}
    gap = compare.paired([w for w, _ in both], [s for _, s in both], judge.better)
    like = gap.low <= 0 if gap.low is not None else gap.mean <= judge.units([w for w, _ in both])
    return {"behind": {"mean": gap.mean, "ci95": [gap.low, gap.high]}, "like_best": like}
