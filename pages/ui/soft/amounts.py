"""Answers that are numbers, in the browser: errors of teacher and student, and where a bound on the teacher acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.specs import RunSpec
from pages.ui.result.kept_rows import Kept
from pages.ui.soft import component, content

BOUNDED = "bounded_mse"  # the loss whose margin the slider is


def margins() -> list[float]:
    """Steps of the slider: squared errors of a target scaled to deviation 1."""
    return [
        0.0,
        *(round(value / 1000, 3) for value in (*range(5, 100, 5), *range(100, 500, 25), *range(500, 2001, 100))),
    ]


def margin_of(spec: RunSpec, index: int) -> float | None:
    """Read the margin that a student learned with; None where its loss has no bound."""
    own = spec.students[index].objective
    name, settings = (own, {}) if own else (spec.objective.name, spec.objective.settings)
    return float(settings.get("margin", 0.0)) if name == BOUNDED else None


def payload(
    kept: Kept, stamp: str, found: Mapping[str, Any], margin: float | None
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once. The row to begin with: the one where student and teacher are widest apart."""
    rows = np.arange(len(kept.labels))
    centre, unit = (float(np.ravel(found["artifacts"][side])[0]) for side in ("target_mean", "target_std"))
    apart = np.abs(kept.logits["student"][:, 0] - kept.logits["teacher"][:, 0])
    cells = content.content(f"{stamp}-{len(rows)}", kept, rows)
    data = {
        **component.common("amounts", f"{stamp}-{len(rows)}", cells),
        **component.logits(kept, rows),
        "temperatures": sorted({*margins(), *([margin] if margin is not None else [])}),
        "trained": margin,
        "plain": 0.0,
        "start": margin or 0.0,
        "sign": "m",
        "address": "m",
        "measure": "margin",
        "truth": np.asarray(kept.labels, np.float64),
        "ids": (np.asarray(kept.row_ids) + 1).astype(np.int32),
        "centre": centre,
        "unit": unit,
        "target": str(found["dataset"]["target"]),
        "bounded": margin is not None,
        "opening": int(apart.argmax()),
    }
    return data, cells


def show(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int], spec: RunSpec) -> None:
    """Draw everything, and say what of the kept rows is drawn."""
    data, cells = payload(kept, component.stamp_of(found, index, stamps), found, margin_of(spec, index))
    component.show(found, index, "amounts", data)
    component.left_out(cells, len(data["ids"]), len(kept.labels), 1)
