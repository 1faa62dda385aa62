"""What a single cell of text looks like: a number, a date, a word for missing, or plain text. Imports nothing heavy."""

from __future__ import annotations

import re
from typing import Literal

CellKind = Literal["missing", "number", "date", "text"]

_WORDS = ("na", "n/a", "#n/a", "n.a.", "nan", "null", "#null!", "none", "nil", "<na>")
_MARKS = ("", "?", "??", "???", "-", "--", "---", "–", "—", ".", "..", "...")
MISSING_WORDS = (*_MARKS, *(form for w in _WORDS for form in dict.fromkeys((w, w.upper(), w.capitalize()))), "NaN")
LIKELY_MISSING = ("?",)  # hardly anybody's label; read as missing among labels too
_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?%?")
_DATE = re.compile(
    r"^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?([T ].*)?$|^\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|^[A-Za-z]{3,9} \d{1,2}, \d{4}"
)
_KNOWN_MISSING = frozenset(MISSING_WORDS)


def looks_like_date(text: str) -> bool:
    """Say whether a text has the outline of a date."""
    return bool(_DATE.match(text))


def looks_like_number(text: str) -> bool:
    """Say whether a text has the outline of a number, whatever its decimal mark."""
    return bool(_NUMBER.fullmatch(text.strip()))


def kind_of(text: str) -> CellKind:
    """Tell what a cell looks like, spaces around it aside.

    Example: `kind_of(" 39")` is number, `kind_of("?")` is missing.
    """
    text = text.strip()
    if text in _KNOWN_MISSING:
        return "missing"
    if looks_like_date(text):
        return "date"
    return "number" if looks_like_number(text) else "text"
