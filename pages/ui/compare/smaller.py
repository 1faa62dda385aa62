"""A student that was made smaller stands among the others: with its own size, score and times, as a student is written."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds
from pages.ui.compress import naming

Json = Mapping[str, Any]
OF_ANOTHER = ("gain", "versus_teacher")  # differences of the student as it was


def position(found: Json) -> int | None:
    """Return which student of a result was made smaller; None where none was."""
    block = found.get("compressed") or {}
    names = [one["name"] for one in found["students"]]
    return names.index(block["student"]) if block.get("student") in names else None


def taken(found: Json) -> Json | None:
    """Write the chosen smaller student as students are written; None where none was chosen.

    Differences that were measured for the student as it was are left out, as nobody measured them for this one.
    """
    at = position(found)
    one = None if at is None else compress_words.chosen(found["compressed"])
    if at is None or one is None:
        return None
    block, whole = found["compressed"], found["students"][at]
    return {
        **whole,
        **{name: {} for name in OF_ANOTHER},
        "name": f"{whole['name']} · {naming.said(one['name'])}{f' ({share})' if (share := same_seeds.share(block, one)) else ''}",
        "metrics": {name: _spread(block, one, name) for name in one["metrics"]},
        "size_bytes": one["bytes"],
        "flops": one.get("flops"),
        "latency_ms": one.get("latency") or {},
        "selection": {"student": [{"score_selected": one.get("validation")}]},
        "deployed": None,
        "placebo": None,
        "reference": None,
        "advice": None,
    }


def _spread(block: Json, one: Json, metric: str) -> dict[str, Any]:
    values = (one.get("values") or {}).get(metric) or (one["scores"] if metric == block["metric"]["name"] else [])
    known = [v for v in values if v is not None]
    std = statistics.stdev(known) if len(known) > 1 else None
    return {"mean": one["metrics"][metric], "std": std, "values": values}
