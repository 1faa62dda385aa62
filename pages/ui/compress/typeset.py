"""Sentences of the engine as a page writes them."""

from __future__ import annotations

import re

from pages.ui.go_on import told
from pages.ui.shared.text import Safe

_MICRO, _MINUS, _PERCENT = re.compile(r"(?<=\d) us\b"), re.compile(r"(?<=[\[(])-(?=\d)"), re.compile(r"(?<=\d)%")


def typeset(words: str) -> Safe:
    """Write a terminal's signs as a page does: plus-minus, arrows, minus, micro and the room before a percent sign."""
    return told.typeset(_PERCENT.sub(" %", _MINUS.sub("−", _MICRO.sub(" µs", words))))
