"""Answers that choose among a whole catalogue, in the browser: the first items with their names and the others' mass at any temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pages.ui.result.kept_rows import Kept
from pages.ui.soft import component, content

SHARES = 300_000  # numbers a model: about 1,500 rows of 100 items


def payload(
    kept: Kept, stamp: str, classes: Sequence[str], trained: float | None
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once: of the catalogue the names that a list or a row has.

    The row to begin with: the right item is the teacher's second or third, else among its first ten, else any.
    """
    width = kept.logits["teacher"].shape[1]
    known = np.flatnonzero(~np.isnan(kept.logits["teacher"]).any(axis=1))
    rows = known[component.rows_drawn(len(known), width, SHARES)]
    count = width // 2
    truth = np.asarray(kept.labels)[rows].astype(np.int64)
    listed = kept.logits["teacher"][rows, :count].astype(np.int64)
    right = listed == truth[:, None]
    place = np.where(right.any(axis=1), right.argmax(axis=1), count)
    best = np.select([(place == 1) | (place == 2), place < 10], [0, 1], 2)
    named = np.unique(np.concatenate([truth[truth >= 0], *(kept.logits[arm][rows, :count].astype(np.int64).ravel() for arm in component.ARMS)]))  # fmt: skip
    cells = content.content(f"{stamp}-{len(rows)}", kept, rows)
    data = {
        **component.common("items", f"{stamp}-{len(rows)}", cells),
        **component.softened(trained),
        **component.logits(kept, rows),
        "labels": truth.astype(np.int32),
        "ids": (np.asarray(kept.row_ids)[rows] + 1).astype(np.int32),
        "items": [str(classes[at]) for at in named],
        "at": {str(item): at for at, item in enumerate(named.tolist())},
        "catalogue": len(classes),
        "kept_items": count,
        "opening": int(best.argmin()),
    }
    return data, cells


def show(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> None:
    """Draw everything that follows the temperature, and say what of the kept rows is drawn."""
    classes, student = found["dataset"]["classes"], found["students"][index]
    data, cells = payload(kept, component.stamp_of(found, index, stamps), classes, student.get("temperature"))
    component.show(found, index, "items", data)
    component.left_out(cells, len(data["ids"]), len(kept.labels), kept.logits["teacher"].shape[1])
