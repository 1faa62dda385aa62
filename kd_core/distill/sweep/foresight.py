"""How long each way of training many variants would take, and which one to take: measured, then chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["fused", "sequential", "processes"]

ROUNDS = 3  # other programs make a probe slower, never faster: the best of up to three is nearest to the truth
PROBE_SHARE = 0.02  # of the foreseen time; a round that would go beyond is left out
NEAR = 1.5  # ways this much slower than the best are not measured again
EPOCH_STEPS_SHARE = 0.004  # steps of one measurement, as a share of the steps of the sweep
FEWEST_STEPS, MOST_STEPS = 3, 12
SHORT_SECONDS = 10.0  # stacks foreseen to be done by then are not probed: 0.3-0.5 s would be 5 % or more of it
DISPATCH_SECONDS, STACK_FLOPS_PER_SECOND = 2e-4, 6e10  # of a stack's step on one core
SHORTEST = 400  # steps; a shorter sweep is over before a probe could pay


@dataclass(frozen=True)
class Option:
    """A way to train a list of variants. `lanes` is for stacks in this process, `stacked` for children."""

    mode: Mode
    lanes: int = 1
    stacked: bool = False


Foreseen = Mapping[Option, float]  # seconds of training with every epoch taken
Measure = Callable[[Option, int], float]  # of an option, on so many steps


def probe_steps(total_steps: int) -> int:
    """Return how many steps a measurement takes; 0: the sweep is too short for one."""
    if total_steps < SHORTEST:
        return 0
    return max(FEWEST_STEPS, min(MOST_STEPS, int(EPOCH_STEPS_SHARE * total_steps)))


def survey(
    options: Sequence[Option], measure: Measure, steps: int, clock: Callable[[], float] = time.perf_counter
) -> dict[Option, float]:
    """Measure every option once, the near ones up to three times in turn; the best of each counts."""
    found: dict[Option, float] = {}
    start = clock()
    for turn in range(ROUNDS):
        for option in options:
            before = found.get(option)
            if turn and (before is None or before > NEAR * min(found.values())):
                continue
            spent = clock() - start
            if turn and spent * (1 + 1 / (turn * len(options))) > PROBE_SHARE * min(found.values()):
                return found
            value = measure(option, steps)
            found[option] = value if before is None else min(before, value)
    return found


def choose(parts: Sequence[Foreseen]) -> list[Option]:
    """Choose the fastest option of each part."""
    return [min(part, key=lambda o, of=part: of[o]) for part in parts]  # type: ignore[misc]


def by_rule(options: Sequence[Option]) -> Option:
    """Choose without measuring: stacks where there are any; they were faster even for a single small network."""
    return next((o for o in options if o.mode == "fused"), options[0])


def stack_seconds(work: float, total_steps: int) -> float:
    """Estimate the seconds of a sweep as stacks: a part of each step for dispatch, a part for arithmetic."""
    return total_steps * (DISPATCH_SECONDS + work / STACK_FLOPS_PER_SECOND)
