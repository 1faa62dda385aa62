"""Numbers of any size, and times, as people write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

MOST_MORE = 7  # digits beyond the usual ones
FIRST_SHORT = 1e15  # from here on in powers of ten


def number(value: float, digits: int = 4) -> str:
    """Write a number with so many digits; one that has more of them before its point whole, not in powers of ten.

    Example:
        >>> number(0.81234), number(53412.3), number(-1e6)
        ('0.8123', '53,412', '-1,000,000')
    """
    return f"{value:,.0f}" if 10**digits - 0.5 <= abs(value) < FIRST_SHORT else f"{value:.{digits}g}"


def moment(when: datetime) -> str:
    """Write a time, of a day that is told without a clock the day alone.

    Example:
        >>> moment(datetime(2024, 3, 9)), moment(datetime(2024, 3, 9, 12, 30))
        ('2024-03-09', '2024-03-09 12:30:00')
    """
    return when.isoformat(sep=" ").removesuffix(" 00:00:00")


def apart(write: Callable[[float, int], str], value: float, limit: float) -> tuple[str, str]:
    """Write a value and the limit that it misses with as many more digits as tell them apart: `2.0 ms` is not above `2.0 ms`.

    `write` takes a number and how many more digits than usual it should have.
    Example:
        >>> apart(lambda value, more: f"{value:.{1 + more}f} ms", 2.03, 2.0)
        ('2.03 ms', '2.00 ms')
    """
    every = [(write(value, more), write(limit, more)) for more in range(MOST_MORE + 1)]
    return next((one for one in every if one[0] != one[1]), every[0])
