"""Lines of the engine about a what-if, as a page writes them."""

from __future__ import annotations

import re


def typeset(line: str) -> str:
    """Write a line of the engine as a page does: α as at its field, and a true minus."""
    return re.sub(r"\b[Aa]lpha\b", "α", re.sub(r"(?<=[ \[])-(?=[\d.])", "−", line))
