"""The cells of a result as version 3 writes them, whichever version wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.machine.timing import p50
from kd_core.runs.cells import cell_scores, grid
from kd_core.runs.cells.cell_scores import Judge, Score

Json = Mapping[str, Any]


def written_cells(result: Json) -> Sequence[Json]:
    """List the cells as version 3 writes them, whichever version wrote the result."""
    if int(result["schema"]) > 2 or result.get("sweep"):
        found: Sequence[Json] = (result if int(result["schema"]) > 2 else result["sweep"])["cells"]
        return found
    metric = result["metric"]
    judge = Judge(metric["better"], metric["margin"], metric["relative"])
    scores = []
    for number, student in enumerate(result["students"]):
        own: dict[str, Any] = (
            dict.fromkeys(grid.AXES) | {grid.MADE_ROWS: 0} | {n: student[n] for n in ("temperature", "alpha")}
        )
        own["dropout"] = student["arch"]["settings"].get("dropout")
        cell = grid.Cell(number, number, **own)
        cut, chosen = bool(student["stopped_early"]), student["selection"]
        arms = [[Score(t["score_selected"], cut) for t in chosen[arm]] for arm in ("student", "baseline")]
        scores.append(cell_scores.gather(cell, student["seeds"], *arms))
    best = cell_scores.best(scores, judge.better)
    return [
        {
            **cell_scores.told(s, scores[best or 0], judge, student["name"]),
            "selected_epochs": [t["selected_epoch"] for t in student["selection"]["student"]],
            **{n: student[n] for n in ("parameters", "size_bytes")},
            "latency_ms": p50(student["latency_ms"]),
        }
        for s, student in zip(scores, result["students"], strict=True)
    ]
