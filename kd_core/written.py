"""Numbers of any size as people write them."""

from __future__ import annotations

FIRST_SHORT = 1e15  # from here on in powers of ten


def number(value: float, digits: int = 4) -> str:
    """Write a number with so many digits; one that has more of them before its point whole, not in powers of ten.

    Example:
        >>> number(0.81234), number(53412.3), number(-1e6)
        ('0.8123', '53,412', '-1,000,000')
    """
    return f"{value:,.0f}" if 10**digits - 0.5 <= abs(value) < FIRST_SHORT else f"{value:.{digits}g}"
