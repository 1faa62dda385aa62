"""How long a training step takes by the processor's own clock, which other work on the machine leaves comparable."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_OF = 5


def least_seconds(step: Callable[[], None], rounds: int) -> float:
    """Time a step after one that is not counted: the least of five means over so many steps. Units: seconds of processor time."""
    step()
    taken = []
    for _ in range(LEAST_OF):
        before = time.process_time()
        for _ in range(rounds):
            step()
        taken.append((time.process_time() - before) / rounds)
    return min(taken)
