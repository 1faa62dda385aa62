"""How numbers and sentences are written on paper."""

from __future__ import annotations

import re

from kd_core.written import number

_MINUS = re.compile(r"(?<![\w.\-/])-(?=\d)")


def size(count: float | None) -> str:
    """Write a size. Example: `14.0 KB`."""
    if count is None:
        return "–"
    if count < 1000:
        return f"{count:.0f} bytes"
    return f"{count / 1024:,.1f} KB" if count < 1000 * 1024 else f"{count / 1024**2:,.1f} MB"


def time(milliseconds: float | None) -> str:
    """Write a time. Example: `20.5 µs`."""
    if milliseconds is None:
        return "–"
    microseconds = 1000 * milliseconds
    if microseconds < 1000:
        return f"{microseconds:.3g} µs"
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.3g} s"


def score(value: float | None) -> str:
    """Write a metric, with fewer decimals the larger it is. Example: `0.8257`, `11.504`, `1,204.3`."""
    if value is None:
        return "–"
    digits = max(0, 5 - len(str(int(abs(value)))))
    return sentence(f"{value:,.{digits}f}")


def short(value: float) -> str:
    """Write a number on an axis. Example: `0.82`, `8`, `1,200`."""
    if 0 < abs(value) < 1e-3:
        return sentence(f"{value:.3g}")
    return sentence(f"{value:,.4g}" if abs(value) < 1e4 else number(value))


def spread(mean: float | None, std: float | None) -> str:
    """Write a mean with its standard deviation over seeds."""
    return score(mean) if std is None or mean is None else f"{score(mean)} ± {score(std)}"


def signed(value: float, digits: int = 4) -> str:
    """Write a difference with its sign."""
    return sentence(f"{value:+,.{digits}f}")


def bounds(mean: float, low: float | None, high: float | None) -> str:
    """Write a difference with its interval, to digits that the interval deserves."""
    if low is None or high is None:
        return f"{signed(mean)} (one seed, no interval)"
    return f"{signed(mean)} [{signed(low)}, {signed(high)}]"


def count(value: float | None) -> str:
    """Write a whole number with its thousands set apart."""
    return "–" if value is None else f"{value:,.0f}"


def sentence(text: str) -> str:
    """Set a line that was made for a terminal as a printer would: signs of their own for minus, plus-minus and micro, no line break before %.

    Example:
        >>> sentence("  +0.24 points (95 %: -0.02 to +0.51; seeds +-0.20)")
        '+0.24 points (95\xa0%: −0.02 to +0.51; seeds ±0.20)'
    """
    said = text.strip().replace("+-", "±").replace(" us a row", " µs a row").replace(" %", "\u00a0%")
    return _MINUS.sub("−", said)
