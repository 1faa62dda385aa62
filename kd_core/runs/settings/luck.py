"""Is it luck? which cells can't be told apart from the best one, and how many more seeds of them to train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core import limits
from kd_core.errors import Problem, Says
from kd_core.evaluate.intervals.advice import SENSIBLE_SEEDS
from kd_core.runs.cells import grid
from kd_core.runs.settings import reading
from kd_core.runs.settings.added import Added, Round
from kd_core.specs import RunSpec

FEWEST, MOST = 2, 5  # seeds that one press adds

_ALONE = Says(
    "no_contender",
    "note",
    "No other cell comes near the best one: more seeds would change nothing.",
    "Look at the values beside it.",
)
_SEEDS = Says(
    "most_seeds",
    "note",
    "The cells have {held} seeds, and {most} are the most.",
    "Look at what is still open as at what can't be told apart.",
)
_TRAININGS = Says(
    "too_many_trainings",
    "note",
    "That would make {trainings:,} trainings, at most {most:,} are allowed.",
    "Zoom into a part of the map.",
)
_OTHER_CODE = Says(
    "other_code",
    "note",
    "This what-if was made by another version of the code, which may train differently: all of it would have to be trained again.",
    "Clone it to do so.",
)


def contenders(result: Mapping[str, Any], spec: RunSpec) -> tuple[int, ...]:
    """Name the cells that may be as good as the best one, it among them, and those that answers are still open about.

    Errors: KDError of `read_outcome`.
    """
    told = reading.of_result(result, spec)
    return tuple(sorted({*told.alike} | {a.cell for a in told.unclear if a.cell is not None}))


def more(result: Mapping[str, Any], spec: RunSpec, added: Added) -> Round | Problem:
    """Say which round would tell whether the best cell is the luckiest one, or why there is none.

    As many seeds as would settle what is open, two to five at a time. Errors: KDError of `read_outcome`.
    """
    near, told = contenders(result, spec), reading.of_result(result, spec)
    if len(near) < 2:
        return _ALONE.problem()
    seeds = [*grid.seeds(spec), *(s for r in added.rounds for s in r.seeds)]
    room = SENSIBLE_SEEDS - len(seeds)
    if room < 1:
        return _SEEDS.problem(held=len(seeds), most=SENSIBLE_SEEDS)
    wanted = FEWEST + 1 if told.need is None else told.need - told.seeds
    first = max(seeds) + 1
    return Round(tuple(range(first, first + min(room, max(FEWEST, min(MOST, wanted))))), near)


def seconds(result: Mapping[str, Any], spec: RunSpec, added: Added) -> float | None:
    """Foresee the seconds until what was added is trained and judged, as the plan of that will; None where the result does not tell its pace."""
    known = added.seconds(spec, result)
    return sum(known.values()) if "training" in known else None


def why_not(result: Mapping[str, Any], spec: RunSpec, added: Added) -> Problem | None:
    """Say why a finished what-if can't go on with what was added, None where it can: trainings of other code are never mixed."""
    from kd_core.runs.cells.variant_store import code_of_trainings  # loads torch, for whoever presses

    if (result.get("sweep") or {}).get("code") != code_of_trainings():
        return _OTHER_CODE.problem()
    number = len(added.all_of(spec))
    if number > limits.SWEEP_TRAININGS:
        return _TRAININGS.problem(trainings=number, most=limits.SWEEP_TRAININGS)
    return None
