"""Round values for the ticks of an axis: 1, 2 and 5 times powers of ten."""

from __future__ import annotations

import math
from collections.abc import Sequence

ROUND = (1, 2, 5)


def at_powers(low: float, high: float, steps: Sequence[int] = ROUND) -> list[float]:
    """List the round values of a logarithmic axis within its ends.

    Example:
        >>> at_powers(1, 20)
        [1.0, 2.0, 5.0, 10.0, 20.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [value for k in powers for s in steps if low <= (value := s * 10.0**k) <= high]


def apart(low: float, high: float, most: int) -> float:
    """Choose the distance between the ticks of a plain axis, so that about so many stand there at most; 2.5 is as round as 2 there."""
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    return next(s * size for s in (*ROUND[:2], 2.5, ROUND[2], 10) if s * size >= rough)
