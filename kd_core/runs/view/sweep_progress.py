"""How far a what-if has come: every cell with the best scores so far, read from its events.

Legend: P trainings, C cells, S seeds.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.runs.store.events import Event

Floats = npt.NDArray[np.float64]
SETTINGS = ("temperature", "alpha", "learning_rate", "weight_decay", "dropout")  # and made rows where there are any


def _made(cell: Event) -> dict[str, Any]:
    return {"made_rows": cell["made_rows"]} if cell.get("made_rows") else {}


@dataclass(frozen=True)
class SweepProgress:
    """A what-if right now.

    `cells`: per cell `cell`, `student`, the five settings, `seeds`; per seed `scores` and `baseline` (best validation
    score so far or None), `done` (own training ended), `baseline_done`; `mean` over the seeds so far, `gain`
    {mean, ci95, n} over the seeds that both have (above 0 is better), `diverged` (trainings).
    Cells have unequal seeds: which is the best so far is for `settings.reading` to say.
    `mode` and `why` are None until the way of training is chosen. `epoch` of `epochs` is where the trainings at work
    are, `at_work` their number.
    """

    cells: tuple[dict[str, Any], ...]
    mode: str | None
    why: str | None
    trainings_done: int
    trainings: int
    variants: int
    epoch: int
    epochs: int
    at_work: int = 0


class SweepView:
    """The state behind `SweepProgress`, kept up to date event by event."""

    def __init__(self, plan: Event) -> None:
        grid, settings = plan["grid"], plan["settings"]
        self._sign = 1.0 if plan.get("better") == "higher" else -1.0
        self._seeds = list(plan["seeds"])
        self._variants = int(plan.get("variants", 0))
        self._fixed = [
            {"cell": c["index"], "student": c["student"], **{n: c[n] for n in SETTINGS}, **_made(c)} for c in settings
        ]
        place = {seed: i for i, seed in enumerate(self._seeds)}
        budgets = {(t["student"], *t["budget"][1:], t["seed"]): p for p, t in enumerate(grid) if t["arm"] == "baseline"}
        self._own = np.full(
            (len(settings), len(self._seeds)), -1, np.intp
        )  # -1: no such training, as seeds may be added for some cells
        self._alone = np.full_like(self._own, -1)
        for position, training in enumerate(grid):
            for cell in training["cells"] if training["arm"] != "placebo" else ():
                self._own[cell, place[training["seed"]]] = position
        for row, c in enumerate(settings):
            for seed in self._seeds:
                key = (c.get("alone", c["student"]), c["learning_rate"], c["weight_decay"], c["dropout"], seed)
                self._alone[row, place[seed]] = budgets.get(key, -1)
        self._count = len(grid)
        self._score = np.full(len(grid) + 1, np.nan)  # the last one stands for none
        self._done = np.zeros(len(grid) + 1, bool)
        self._done[-1] = True
        self._diverged = np.zeros(len(grid) + 1, bool)
        self._mode: str | None = None
        self._why: str | None = None
        self._epoch = self._epochs = 0
        self._made: SweepProgress | None = None

    def take(self, event: Event) -> None:
        """Take a `sweep`, `scores` or `variant` event."""
        self._made = None
        kind = event["kind"]
        if kind == "sweep":
            self._mode, self._why = event.get("mode"), event.get("why")
        elif kind == "scores":
            self._epoch, self._epochs = int(event.get("epoch") or 0), int(event.get("epochs") or 0)
            at = np.fromiter(map(int, event["best"]), np.intp, len(event["best"]))
            scores = np.array(list(event["best"].values()), np.float64)  # None becomes NaN
            fresh = ~self._done[at] & ~np.isnan(scores)
            self._score[at[fresh]] = scores[fresh]
        elif kind == "variant":
            position = int(event["training"])
            self._done[position] = not event.get("stopped")
            self._diverged[position] = bool(event.get("diverged"))
            score = event.get("score_selected")
            self._score[position] = np.nan if score is None or event.get("diverged") else score

    @property
    def done(self) -> int:
        """Count the trainings that have ended."""
        return int(self._done[:-1].sum())

    @property
    def at_work(self) -> int:
        """Count the trainings that have a score and have not ended."""
        return int((~self._done & ~np.isnan(self._score)).sum())

    @property
    def trainings(self) -> int:
        """Count all trainings."""
        return self._count

    def units(self) -> float:
        """Count ended trainings and the fractions of those at work."""
        fraction = min(1.0, self._epoch / self._epochs) if self._epochs else 0.0
        return self.done + self.at_work * fraction

    def progress(self) -> SweepProgress:
        """Describe where the what-if is; nothing is computed anew while nothing has happened."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> SweepProgress:
        own, alone = self._score[self._own], self._score[self._alone]
        mean, _ = _mean(own)
        gains = self._sign * (own - alone)
        gain, pairs = _mean(gains)
        low, high = _interval(gains, gain, pairs)
        training = ~(self._done[self._own] & self._done[self._alone]).all(axis=1)
        low[training] = high[training] = np.nan  # the best score so far is not the score: its spread says nothing yet
        columns = zip(
            self._fixed,
            _plain(own),
            _plain(alone),
            self._done[self._own].tolist(),
            self._done[self._alone].tolist(),
            _plain(mean),
            _plain(gain),
            _plain(low),
            _plain(high),
            pairs.tolist(),
            self._diverged[self._own].sum(axis=1).tolist(),
            strict=True,
        )
        own_seeds = (self._own >= 0).tolist()

        def of(there: list[bool], values: list[Any]) -> list[Any]:
            return [v for v, known in zip(values, there, strict=True) if known]

        cells = tuple(
            {
                **fixed,
                "seeds": of(there, self._seeds),
                "scores": of(there, s),
                "baseline": of(there, b),
                "done": of(there, d),
                "baseline_done": of(there, e),
                "mean": m,
                "gain": {"mean": g, "ci95": [lo, hi], "n": n},
                "diverged": v,
            }
            for (fixed, s, b, d, e, m, g, lo, hi, n, v), there in zip(columns, own_seeds, strict=True)
        )
        return SweepProgress(
            cells,
            self._mode,
            self._why,
            self.done,
            self.trainings,
            self._variants,
            self._epoch,
            self._epochs,
            self.at_work,
        )


def _mean(values: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Average each row over what is not missing; NaN where all is. Shape: (C, S) -> (C,), (C,)."""
    there = ~np.isnan(values)
    number = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0), number


def _interval(values: Floats, mean: Floats, number: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Compute the 95 % t interval of each row's mean; NaN below two values. As `evaluate.compare.paired`."""
    squares = np.where(np.isnan(values), 0.0, (values - mean[:, None]) ** 2).sum(axis=1)
    enough = number > 1
    spread = np.sqrt(np.divide(squares, number - 1, out=np.zeros(len(mean)), where=enough))
    half = np.where(enough, _quantiles(values.shape[1])[number] * spread / np.sqrt(np.maximum(number, 1)), np.nan)
    return mean - half, mean + half


@functools.cache
def _quantiles(most: int) -> Floats:
    """97.5 % quantiles of the t distribution for 0 .. most values."""
    from scipy.special import stdtrit  # scipy.stats would take a second to load, in the middle of a live page

    found = np.full(most + 1, np.nan)
    if most > 1:
        found[2:] = stdtrit(np.arange(1, most), 0.975)
    return found


def _plain(values: Floats) -> list[Any]:
    """Turn an array into lists with None for NaN."""
    found: npt.NDArray[Any] = values.astype(object)
    found[np.isnan(values)] = None
    return list(found.tolist())
