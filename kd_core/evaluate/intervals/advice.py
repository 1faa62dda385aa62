"""What would settle an open comparison, more seeds or more test rows, and how many seeds to train on *auto*."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from kd_core.evaluate.intervals.compare import CONFIDENCE, Gain, Verdict, t_quantile

FIRST_SEEDS, MORE_SEEDS, MOST_SEEDS = 3, 2, 15
SENSIBLE_SEEDS = 50  # as many as a recipe may ask for: beyond it seeds are no advice

Instead = Literal["rows", "steadier"]


@dataclass(frozen=True)
class Advice:
    """`kind`: what to add, `need`: how many in all. Units: seeds, or test units (rows, or groups of rows).

    "none": the word stands, or (`need` None all the same) nothing can be computed. "rows": more seeds can't help. "both": that many
    rows, and more seeds besides.
    """

    kind: Literal["seeds", "rows", "both", "none"]
    need: int | None = None


def advise(gain: Gain, verdict: Verdict, margin: float, num_units: int) -> Advice:
    """Say what an inconclusive comparison needs for its easiest decision, if the mean stays where it is.

    That decision is the larger of |mean| (to leave 0 out) and margin - |mean| (to lie inside the margin); h, its size, is
    what half the interval may be. While the rows' part is below h, seeds can do it: the smallest N with
    (t s / sqrt(N))^2 + rows^2 <= h^2. Otherwise about num_units * rows^2 / (h^2 - seeds^2) units, to two digits; where
    the seeds' part takes more than half of h^2, half is reckoned with, as more seeds are needed besides.
    Units: margin as in `verdict`.
    """
    if verdict.word != "inconclusive":
        return Advice("none")
    if gain.seeds_half is None:
        return Advice("seeds", FIRST_SEEDS)
    if gain.rows_half is None:
        return Advice("rows")
    h = max(abs(gain.mean), margin - abs(gain.mean))
    if gain.rows_half < h:
        return Advice("seeds", _seeds(gain, h))
    room = max(h**2 - gain.seeds_half**2, h**2 / 2)
    kind: Literal["rows", "both"] = "both" if gain.seeds_half**2 > h**2 / 2 else "rows"
    return Advice(kind, _two_digits(num_units * gain.rows_half**2 / room))


def too_many(need: int | None) -> bool:
    """Say whether so many seeds would be needed that nobody trains them, or that no number would do."""
    return need is None or need > SENSIBLE_SEEDS


def instead_of_seeds(kind: str, need: int | None, gain: Gain) -> Instead | None:
    """Say what helps where too many seeds would be needed: more test rows where their part of the interval is the larger one, else a steadier student; None elsewhere."""
    if kind != "seeds" or need is None or not too_many(need):
        return None
    return "rows" if (gain.rows_half or 0.0) >= (gain.seeds_half or 0.0) else "steadier"


def more_seeds(seeds_half: float | None, rows_half: float | None, n: int) -> int:
    """Say how many seeds to train next on *auto*; 0: enough.

    Three first, then as many twos as will bring the seeds' part of the interval to half of the rows' part if the seeds
    go on scattering as they do, until it is there; 15 at most. Twos that are foreseen together are trained as one stack.
    The rule sees widths only, never the mean or the word: looking at those would make the interval too narrow.
    """
    if n < FIRST_SEEDS:
        return FIRST_SEEDS - n
    if seeds_half is None or rows_half is None or seeds_half <= rows_half / 2:
        return 0
    tail = (1 - CONFIDENCE) / 2
    spread = seeds_half / t_quantile(tail, n - 1) * math.sqrt(n)
    for total in range(n + MORE_SEEDS, MOST_SEEDS, MORE_SEEDS):
        if t_quantile(tail, total - 1) * spread / math.sqrt(total) <= rows_half / 2:
            return total - n
    return max(0, MOST_SEEDS - n)


def _seeds(gain: Gain, h: float) -> int:
    """Smallest number of seeds whose part, beside the rows', fits into h."""
    assert gain.seeds_half is not None and gain.rows_half is not None
    tail = (1 - gain.level) / 2
    spread = gain.seeds_half / t_quantile(tail, gain.n - 1) * math.sqrt(gain.n)
    room = h**2 - gain.rows_half**2

    def fits(n: int) -> bool:
        return (t_quantile(tail, n - 1) * spread) ** 2 / n <= room

    low, high = gain.n, 2 * gain.n
    while not fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _two_digits(value: float) -> int:
    size = 10 ** max(0, math.floor(math.log10(value)) - 1)
    return int(math.ceil(value / size) * size)
