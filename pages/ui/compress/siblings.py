"""Other students of the run that a student was taken from: one that is smaller as it is may be had without making anything smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.errors import KDError
from kd_core.runs.outcome import StudentOutcome, read_outcome
from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import verdict
from pages.ui.compress import naming
from pages.ui.result import comparison
from pages.ui.shared import engine, text
from pages.ui.shared.text import Safe, t

Block = Mapping[str, Any]  # `compressed` of result.json


def line(block: Block) -> Safe | None:
    """Name the smallest other student that is smaller than what came of the chains and as good within the margin; None where there is none."""
    one = compress_words.chosen(block) or verdict.nearest_stage(block) or compress_words.student(block)
    metric = block["metric"]
    reached = one["metrics"].get(metric["name"])
    if reached is None or one["bytes"] is None:
        return None
    sign = 1.0 if metric["better"] == "higher" else -1.0
    margin = float(metric["margin"]) * (abs(reached) if metric.get("relative") else 1.0)

    def good(other: StudentOutcome) -> bool:
        score, size = other.own.mean(metric["name"]), _bytes(other)
        return score is not None and size is not None and size < one["bytes"] and sign * (reached - score) <= margin

    found = [other for other in _students(block) if good(other)]
    if not found:
        return None
    best = min(found, key=lambda other: _bytes(other) or 0)
    about = {
        "student": best.name,
        "size": text.size(_bytes(best)),
        "value": text.score(best.own.mean(metric["name"]), 4),
        "metric": str(metric["title"]),
    }
    beside = {"stage": naming.said(str(one["name"])), "own": text.score(reached, 4), "of": text.size(one["bytes"])}
    return t("compress.sibling", run=str(block["name"]), **about, **beside)


def _students(block: Block) -> list[StudentOutcome]:
    try:
        found = comparison.read(engine.store().folder(str(block["run"])))
    except KDError:  # removed or damaged meanwhile
        return []
    return [] if found is None else [one for one in read_outcome(found).students if one.name != block["student"]]


def _bytes(one: StudentOutcome) -> int | None:
    return one.bytes or one.raw.get("size_bytes")
