"""A verdict in one sentence, before all intervals: what to make of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.outcome import read_outcome
from pages.ui.result.verdict import metric_title
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t


def of(result: Mapping[str, Any], student: int) -> Safe:
    """Say it by the verdict, and by how a plain model of its size stands to it. Errors: KDError when the result can't be read."""
    said = t(f"runs.in_short.{read_outcome(result).students[student].verdict}")
    return Safe(" ".join(part for part in (said, beside(result, student)) if part))


def beside(result: Mapping[str, Any], student: int) -> Safe | None:
    """Say how a plain model of a student's size stands to it, with both scores; None where there is none. Errors: as `of`."""
    found, metric = read_outcome(result).students[student], result["metric"]["name"]
    if found.plain is None:
        return None
    told = {
        "title": found.plain.title,
        "metric": metric_title(metric),
        "plain": text.score(found.plain.arm.mean(metric)),
        "own": text.score(found.own.mean(metric)),
    }
    return t(f"runs.in_short.plain_{found.plain.standing}", **told)
