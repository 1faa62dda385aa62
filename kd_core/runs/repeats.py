"""A run repeated on further random splits, of which only the verdict's comparison is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kd_core.errors import Stopped
from kd_core.specs import RunSpec

Notify = Callable[[dict[str, Any]], None]
Compare = Callable[[RunSpec, Path, Notify], dict[str, Any]]  # a recipe carried out in a folder of its own


def repeat(spec: RunSpec, found: dict[str, Any], place: Path, notify: Notify, compare: Compare) -> dict[str, Any]:
    """Compare on the splits of the next seeds; a stop request keeps those that are done."""
    asked, metric = spec.evaluation.splits, found["metric"]["name"]
    done = [_row(spec.dataset.split_seed, found, metric)]
    for number in range(1, asked):
        notify({"kind": "part", "phase": "splits", "done": len(done), "of": asked})
        seed = spec.dataset.split_seed + number
        dataset = spec.dataset.model_copy(update={"split_seed": seed})
        evaluation = spec.evaluation.model_copy(update={"splits": 1, "latency": False})
        again = spec.model_copy(update={"dataset": dataset, "evaluation": evaluation})
        try:
            other = compare(again, place / f"split-{seed}", _quiet(notify, seed))
        except Stopped:
            break
        done.append(_row(seed, other, metric))
    return {"asked": asked, "done": done}


def _row(seed: int, found: dict[str, Any], metric: str) -> dict[str, Any]:
    students = [
        {
            "name": s["name"],
            "gain": s["gain"][metric],
            "verdict": s["verdict"],
            "student": s["metrics"][metric]["mean"],
            "baseline": s["baseline"]["metrics"][metric]["mean"],
            "versus_teacher": s["versus_teacher"].get(metric),
        }
        for s in found["students"]
    ]
    return {"split_seed": seed, "teacher": found["teacher"]["metrics"][metric], "students": students}


def _quiet(notify: Notify, seed: int) -> Notify:
    """Pass on the warnings of a further split; its curves would mix with those of the first."""

    def hear(event: dict[str, Any]) -> None:
        if event["kind"] == "warning":
            notify({**event, "message": f"Split {seed}: {event['message']}"})

    return hear
