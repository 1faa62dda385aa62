"""Which candidate is chosen: a rule on validation scores, bytes and time, and the facts that say why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kd_core.runs.cells.cell_scores import Judge
from kd_core.specs import ChooseSpec


@dataclass(frozen=True)
class Candidate:
    """What came of one candidate. Scores are the metric on validation rows, with the first seed.

    `bytes` of the deployed file, None without one; `microseconds` of one raw row, None where nobody measured it; `seconds` it took
    to train, write and time. `left_out`: code and values of why it can't be chosen, None where it can.
    """

    name: str
    bytes: int | None = None
    microseconds: float | None = None
    score: float | None = None
    alone: float | None = None
    seconds: float = 0.0
    left_out: Mapping[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """Return what result.json and events say of it."""
        return asdict(self)

    def over(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Return how many times each limit is used up; infinite where the value is not known."""
        values = {"bytes": self.bytes, "microseconds": self.microseconds}
        return {n: math.inf if (own := values[n]) is None else own / most for n, most in limits.items()}


@dataclass(frozen=True)
class Decision:
    """The chosen candidate's name, by which rule, and which goals it misses.

    `best`: the best score of all; `margin` in the metric's unit, where it counted.
    """

    chosen: str
    rule: str  # smallest_like_best, best_within, smallest_reaching, nearest_score or nearest_limits
    best: str
    missed: tuple[str, ...] = ()
    margin: float | None = None

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        return asdict(self) | {"missed": list(self.missed)}


def decide(found: Sequence[Candidate], goals: ChooseSpec, judge: Judge) -> Decision:
    """Choose among the candidates that were not left out; there has to be one.

    With a score: the smallest file within the limits that reaches it. With limits alone: the best score within them. Without goals:
    the smallest file whose score is at most the metric's margin behind the best. Where nothing meets the goals, the nearest: the
    best score within the limits, else the one that exceeds them least. Of equal ones the smaller, then the better, then the first.
    """
    usable = [c for c in found if c.left_out is None and c.score is not None]
    sign = 1.0 if judge.better == "higher" else -1.0

    def rank(c: Candidate) -> float:
        assert c.score is not None
        return sign * c.score

    def size(c: Candidate) -> float:
        return math.inf if c.bytes is None else c.bytes

    def best_of(some: Sequence[Candidate]) -> Candidate:
        return max(some, key=lambda c: (rank(c), -size(c)))

    def smallest(some: Sequence[Candidate]) -> Candidate:
        return min(some, key=lambda c: (size(c), -rank(c)))

    def within(c: Candidate) -> bool:
        return all(share <= 1 for share in c.over(goals.limits).values())

    best, fitting = best_of(usable), [c for c in usable if within(c)]
    reaching = [c for c in fitting if goals.score is not None and rank(c) >= sign * goals.score]
    margin = None
    if not fitting:
        one = min(usable, key=lambda c: (max(c.over(goals.limits).values()), -rank(c)))
        rule = "nearest_limits"
    elif reaching:
        one, rule = smallest(reaching), "smallest_reaching"
    elif goals.score is not None:
        one, rule = best_of(fitting), "nearest_score"
    elif goals.limits:
        one, rule = best_of(fitting), "best_within"
    else:
        margin = judge.units([v for v in (best.score if best.alone is None else best.alone,) if v is not None])
        one, rule = smallest([c for c in usable if rank(c) >= rank(best) - margin]), "smallest_like_best"
    missed = [n for n, share in one.over(goals.limits).items() if share > 1]
    missed += ["score"] if goals.score is not None and rank(one) < sign * goals.score else []
    return Decision(one.name, rule, best.name, tuple(missed), margin)
