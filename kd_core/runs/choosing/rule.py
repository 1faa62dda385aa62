"""Which model is chosen: a rule on validation scores, bytes and time, and the facts that say why.

Each candidate was trained with the teacher and without; either model may be the one to take home.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.cells.grid import Arm
from kd_core.specs import ChooseSpec

M = TypeVar("M")  # a kind of model, here or on a page
ARMS: tuple[Arm, ...] = ("student", "baseline")  # taught by the teacher, or trained alone
LIKE_SIZE = 1.05  # files of one architecture that differ by less count as equally large: an edge or two more, by chance


@dataclass(frozen=True)
class Model:
    """One arm of a candidate with its file: what can be chosen. Fields as of `Candidate`."""

    name: str
    arm: Arm
    score: float
    bytes: int | None
    microseconds: float | None

    def over(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Return how many times each limit is used up; infinite where the value is not known."""
        values = {"bytes": self.bytes, "microseconds": self.microseconds}
        return {n: math.inf if (own := values[n]) is None else own / most for n, most in limits.items()}

    def keeps(self, limits: Mapping[str, float]) -> bool:
        """Say whether no limit is exceeded."""
        return all(share <= 1 for share in self.over(limits).values())


@dataclass(frozen=True)
class Candidate:
    """What came of one candidate. Scores are the metric on validation rows, with the first seed: taught, and `alone`.

    `bytes` of the deployed file, None without one; `microseconds` of one raw row, None where nobody measured it: both of the model
    of `arm`, the better one; `other` holds the same of the other arm, None where that could not be chosen and has no file.
    `changed`: settings of the architecture that made it fit into the bytes asked for, None where it did as it is; `names`: which names
    of category values the file then holds.
    `seconds` it took to train, write and time. `left_out`: code and values of why it can't be chosen, None where it can.
    """

    name: str
    bytes: int | None = None
    microseconds: float | None = None
    score: float | None = None
    alone: float | None = None
    seconds: float = 0.0
    left_out: Mapping[str, Any] | None = None
    arm: Arm = "student"
    other: Mapping[str, Any] | None = None
    names: Mapping[str, Any] | None = None
    changed: Mapping[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """Return what result.json and events say of it."""
        return asdict(self)

    def models(self) -> tuple[Model, ...]:
        """List what can be chosen of it, the taught one first."""
        if self.left_out is not None:
            return ()
        own = {"bytes": self.bytes, "microseconds": self.microseconds}
        files = {arm: own if arm == self.arm else self.other for arm in ARMS}
        scores = zip(ARMS, (self.score, self.alone), strict=True)
        return tuple(
            Model(self.name, arm, score, **file)
            for arm, score in scores
            if score is not None and (file := files[arm]) is not None
        )


@dataclass(frozen=True)
class Decision:
    """The chosen candidate's name and arm, by which rule, and which goals it misses.

    `best`, `best_arm`: the best score of all; `margin` in the metric's unit, where it counted.
    """

    chosen: str
    rule: str  # smallest_like_best, best_within, smallest_reaching, nearest_score or nearest_limits
    best: str
    missed: tuple[str, ...] = ()
    margin: float | None = None
    arm: Arm = "student"
    best_arm: Arm = "student"

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        return asdict(self) | {"missed": list(self.missed)}


def nearest(
    models: Sequence[M],
    over: Callable[[M], Mapping[str, float]],
    rank: Callable[[M], float],
    size: Callable[[M], float],
) -> M:
    """Name what comes nearest to goals that nothing meets: the best score within the limits, else what exceeds them least; of equal ones the smaller.

    `over`: how many times a model uses each limit up; `rank`: its score, higher is better.
    """
    fitting = [m for m in models if all(share <= 1 for share in over(m).values())]
    if fitting:
        return max(fitting, key=lambda m: (rank(m), -size(m)))
    return min(models, key=lambda m: (max(over(m).values()), -rank(m)))


def decide(found: Sequence[Candidate], goals: ChooseSpec, judge: Judge) -> Decision:
    """Choose among the models of the candidates that were not left out; there has to be one.

    With limits: the best score within them, whatever score is asked for: who names a size has no use for a smaller one, and a score
    that is just reached on validation rows is easily missed on others. With a score alone: the smallest file that reaches it. Without
    goals: the smallest file whose score is at most the metric's margin behind the best. Where nothing meets the goals, the nearest: the
    best score within the limits, else the one that exceeds them least. Of equal ones the smaller, then the better, then the taught
    one, then the first. Where the smallest is asked for, the arms of a candidate that differ by no more than the margin and hardly
    in bytes are equal as well, so the taught one is taken; where the best is asked for, bytes within the limit are no gain and the
    margin is wider than what distilling usually gives: there the score alone decides.
    """
    models = [m for c in found for m in c.models()]
    sign = 1.0 if judge.better == "higher" else -1.0

    def rank(m: Model) -> float:
        return sign * m.score

    def size(m: Model) -> float:
        return math.inf if m.bytes is None else m.bytes

    def best_of(some: Sequence[Model]) -> Model:
        return max(some, key=lambda m: (rank(m), -size(m)))

    best, fitting = best_of(models), [m for m in models if m.keeps(goals.limits)]
    alone = next(c.alone for c in found if c.name == best.name)
    margin = judge.units([best.score if alone is None else alone])

    def smallest(some: Sequence[Model]) -> Model:
        one = min(some, key=lambda m: (size(m), -rank(m)))
        taught = next((m for m in some if m.name == one.name and m.arm == "student"), one)
        alike = size(taught) <= LIKE_SIZE * size(one) and rank(taught) >= rank(one) - margin
        return taught if alike else one

    def nearest_of() -> Model:
        return nearest(models, lambda m: m.over(goals.limits), rank, size)

    reaching = [m for m in fitting if goals.score is not None and rank(m) >= sign * goals.score]
    if not fitting:
        one, rule = nearest_of(), "nearest_limits"
    elif goals.score is not None and not reaching:
        one, rule = nearest_of(), "nearest_score"
    elif goals.limits:
        one, rule = best_of(fitting), "best_within"
    elif reaching:
        one, rule = smallest(reaching), "smallest_reaching"
    else:
        one, rule = smallest([m for m in models if rank(m) >= rank(best) - margin]), "smallest_like_best"
    missed = [n for n, share in one.over(goals.limits).items() if share > 1]
    missed += ["score"] if goals.score is not None and rank(one) < sign * goals.score else []
    counted = margin if rule == "smallest_like_best" else None
    return Decision(one.name, rule, best.name, tuple(missed), counted, one.arm, best.arm)


def other_counts(found: Candidate, goals: ChooseSpec, judge: Judge) -> bool:
    """Say whether the worse arm of a candidate could be chosen as well, so that its file is worth writing.

    It could where the better one's file exceeds a limit, or where the smallest is asked for and the worse one is good enough.
    """
    assert found.score is not None and found.alone is not None
    if not all(m.keeps(goals.limits) for m in found.models()):
        return True
    sign = 1.0 if judge.better == "higher" else -1.0
    worse, better = sorted((sign * found.score, sign * found.alone))
    if goals.limits:
        return False
    if goals.score is not None:
        return worse >= sign * goals.score
    return worse >= better - judge.units([found.alone])


def settle(
    decision: Decision, found: Candidate, goals: ChooseSpec, judge: Judge, scores: Mapping[Arm, float | None]
) -> Arm:
    """Say which arm of the chosen candidate is taken home, by the mean validation `scores` of all its seeds; one seed chose it before.

    The rule is that of the choice. An arm that exceeds a limit, or whose file is clearly larger where the smallest was asked for, is not
    taken up again.
    """
    taught, alone = scores["student"], scores["baseline"]
    files = {m.arm: m for m in found.models()}
    (other,) = set(ARMS) - {decision.arm}
    if taught is None or alone is None or decision.rule == "nearest_limits":
        return decision.arm
    if other in files and not files[other].keeps(goals.limits):
        return decision.arm
    sign = 1.0 if judge.better == "higher" else -1.0
    better: Arm = "student" if sign * taught >= sign * alone else "baseline"
    if not decision.rule.startswith("smallest"):
        return better
    sizes = [m.bytes or 0 for m in files.values()]
    if len(sizes) == len(ARMS) and max(sizes) > LIKE_SIZE * min(sizes):
        return decision.arm
    enough = goals.score is None or sign * taught >= sign * goals.score
    return "student" if enough and sign * taught >= sign * alone - judge.units([alone]) else better
