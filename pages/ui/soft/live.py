"""Classes of which one is right, in the browser: logits go there once, and follow the temperature without the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.evaluate import class_map, soft_labels
from pages.ui.result.kept_rows import Kept
from pages.ui.soft import component, content

SHARES = 300_000  # logits a model: 2,000 rows of 150 classes; of more classes fewer rows are drawn
LEAD = 0.2  # from here on the first class of a row is told from the second at a glance


def opening_row(kept: Kept, rows: Any) -> int:
    """Place of the row to begin with: the teacher is clearly right and has the strongest runner-up.

    Where it is clearly right on no row, any lead will do; where it is right on none, the row where the models are widest apart.
    """
    z = {arm: kept.logits[arm][rows] for arm in ("teacher", "student")}
    p = soft_labels.soften(z["teacher"])
    second, top = np.sort(p, axis=1)[:, -2:].T
    right = p.argmax(axis=1) == kept.labels[rows]
    for found in (np.flatnonzero(right & (top - second >= LEAD)), np.flatnonzero(right)):
        if len(found):
            return int(found[int(second[found].argmax())])
    apart = soft_labels.disagreements(z["teacher"], z["student"])
    return int(apart[0]) if len(apart) else int(soft_labels.entropy(p).argmax())


def mapped(lift_CC: Any, ordered_at: float) -> dict[str, Any]:
    """Describe the order and the tree of a class map."""
    tree = class_map.tree(class_map.likeness(lift_CC))
    return {
        "order": tree.order.tolist(),
        "joined": tree.joined.tolist(),
        "heights": tree.heights.tolist(),
        "ordered_at": f"{ordered_at:g}",
        "floor": class_map.floor(len(lift_CC)),
    }


def payload(
    kept: Kept, stamp: str, classes: Sequence[str], trained: float | None
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once: nothing in it depends on the temperature in sight."""
    rows = component.rows_drawn(len(kept.labels), len(classes), SHARES)
    slider = component.softened(trained)
    y = np.asarray(kept.labels)[rows].astype(np.int64)
    teacher = soft_labels.soften(kept.logits["teacher"][rows], slider["start"])
    cells = content.content(f"{stamp}-{len(rows)}", kept, rows)
    data = {
        **component.common("classes", f"{stamp}-{len(rows)}", cells),
        **slider,
        **mapped(class_map.log_lift(teacher, y, len(classes)), slider["start"]),
        **component.logits(kept, rows),
        "labels": y.astype(np.int32),
        "ids": (np.asarray(kept.row_ids)[rows] + 1).astype(np.int32),
        "classes": [str(name) for name in classes],
        "opening": opening_row(kept, rows),
    }
    return data, cells


def show(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> None:
    """Draw everything that follows the temperature, and say what of the kept rows is drawn."""
    classes, student = found["dataset"]["classes"], found["students"][index]
    data, cells = payload(kept, component.stamp_of(found, index, stamps), classes, student.get("temperature"))
    component.show(found, index, "classes", data)
    component.left_out(cells, len(data["labels"]), len(kept.labels), len(classes))
