"""How numbers are written as text: decimal marks, thousands separators, and the reader of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
COMMA = r"^[+-]?\d+(,\d+)?([eE][+-]?\d+)?$"
COMMA_THOUSANDS = r"^[+-]?\d{1,3}([. ’']\d{3})*,\d+$|^[+-]?[1-9]\d{0,2}([. ’']\d{3})+$"
POINT_THOUSANDS = r"^[+-]?[1-9]\d{0,2}([, ’']\d{3})+(\.\d+)?$"
_GROUPS = ".,’' \u00a0\u202f"  # marks between groups of digits


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes numbers. `ambiguous`: `1,234` could be one thousand or one point two."""

    decimal: str = "."
    thousands: bool = False
    ambiguous: bool = False


def text_reader(form: NumberFormat) -> Callable[[str], float | None]:
    """Make a reader of one trimmed text in a format; None where it is no number, or infinite. Reads as `to_numbers` does."""
    parts, mark = [PLAIN], "."
    if form.decimal == ",":
        parts, mark = [COMMA, COMMA_THOUSANDS], ","
    elif form.thousands:
        parts.append(POINT_THOUSANDS)
    fits = re.compile("|".join(parts), re.ASCII).fullmatch
    gone = dict.fromkeys(map(ord, _GROUPS.replace(mark, "") if form != NumberFormat() else ""))
    point = {**gone, ord(","): "."} if mark == "," else gone

    def read(text: str) -> float | None:
        return float(text.translate(point) if point else text) if fits(text) else None

    return read
