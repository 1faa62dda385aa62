"""Labels that stand alone, in the browser: shares of each label at any temperature, without the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.evaluate import class_map
from pages.ui.result.kept_rows import Kept
from pages.ui.soft import component, content
from pages.ui.soft.live import mapped

SHARES = 100_000  # logits a model: a label takes an exponential and a logarithm each


def shares(z: Any, temperature: float) -> Any:
    """Turn log odds into probabilities at a temperature. Shape: (N, K)."""
    return 1 / (1 + np.exp(-np.clip(np.asarray(z, np.float64) / temperature, -500, 500)))


def payload(
    kept: Kept, stamp: str, classes: Sequence[str], trained: float | None
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once. The row to begin with: of those with labels the one on which the models are widest apart."""
    rows = component.rows_drawn(len(kept.labels), len(classes), SHARES)
    slider = component.softened(trained)
    has = np.asarray(kept.labels)[rows] > 0
    p = {arm: shares(kept.logits[arm][rows], slider["start"]) for arm in component.ARMS}
    apart = np.abs(p["student"] - p["teacher"]).mean(axis=1) + 2 * has.any(axis=1)
    cells = content.content(f"{stamp}-{len(rows)}", kept, rows)
    data = {
        **component.common("labels", f"{stamp}-{len(rows)}", cells),
        **slider,
        **mapped(class_map.label_lift(p["teacher"], has), slider["start"]),
        **component.logits(kept, rows),
        "labels": has.astype(np.int32).ravel(),
        "ids": (np.asarray(kept.row_ids)[rows] + 1).astype(np.int32),
        "classes": [str(name) for name in classes],
        "opening": int(apart.argmax()),
    }
    return data, cells


def show(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> None:
    """Draw everything that follows the temperature, and say what of the kept rows is drawn."""
    classes, student = found["dataset"]["classes"], found["students"][index]
    data, cells = payload(kept, component.stamp_of(found, index, stamps), classes, student.get("temperature"))
    component.show(found, index, "labels", data)
    component.left_out(cells, len(data["ids"]), len(kept.labels), len(classes))
