"""What the example came to, in one plain sentence before all intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.ui.result.differences import metric_word
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t


def reached(result: Mapping[str, Any], student: int) -> Safe:
    """Say size and score of the small model, the large one, and the small one alone."""
    metric, chosen = result["metric"]["name"], result["students"][student]
    return t(
        "start.reached",
        ratio=text.fraction(chosen["size_bytes"], result["teacher"]["size_bytes"]),
        metric=metric_word(metric),
        student=text.score(chosen["metrics"][metric]["mean"]),
        teacher=text.score(result["teacher"]["metrics"][metric]),
        alone=text.score(chosen["baseline"]["metrics"][metric]["mean"]),
    )
