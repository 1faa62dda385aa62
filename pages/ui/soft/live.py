"""The charts of the soft labels, in the browser: logits go there once, and follow the temperature without the server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from kd_core.evaluate import class_map, soft_labels
from pages.ui.charts.marks import COLOUR, SHIFT_HUES
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import text
from pages.ui.shared.picture import BROWSER
from pages.ui.shared.text import catalogue, plain, t
from pages.ui.soft import content

SHARES = 300_000  # logits a model: 2,000 rows of 150 classes; of more classes fewer rows are drawn
LEAD = 0.2  # from here on the first class of a row is told from the second at a glance
WORDS = "soft_labels.live."
# In the order in which they need each other.
PARTS = (
    "parts",
    "numbers",
    "temperature",
    "content",
    "row_card",
    "spread_card",
    "map_drawing",
    "map_card",
    "lists",
    "main",
)
FOLDER = BROWSER / "soft_labels"
SCRIPT = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in PARTS)
_charts = st.components.v2.component(
    "kd_soft_labels", html="<div class='place'>\n</div>", css=(FOLDER / "soft_labels.css").read_text("utf-8"), js=SCRIPT
)


def temperatures() -> list[float]:
    """Steps of the slider from 0.5 to 20: about 2 to 4 % each, rounded to what people write."""
    spans = ((50, 100, 2), (100, 200, 5), (200, 500, 10), (500, 1000, 25), (1000, 2001, 50))
    return [value / 100 for first, end, step in spans for value in range(first, end, step)]


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


def rows_drawn(num_rows: int, num_classes: int) -> Any:
    """Places of the rows that go to the browser: all, or as many as `SHARES` allows, evenly spread."""
    most = max(1, SHARES // num_classes)
    return np.arange(num_rows) if num_rows <= most else np.linspace(0, num_rows - 1, most).astype(np.int64)


def words() -> dict[str, str]:
    """What the charts say, by its last name; values are filled in by the browser."""
    return {key.removeprefix(WORDS): said for key, said in catalogue().items() if key.startswith(WORDS)}


def payload(
    kept: Kept, stamp: str, classes: Sequence[str], trained: float | None
) -> tuple[dict[str, Any], content.Content]:
    """Gather what the browser needs, once: nothing in it depends on the temperature in sight.

    Arrays of (row, class) lie row after row, float32 as the run kept them.
    """
    rows = rows_drawn(len(kept.labels), len(classes))
    ordered_at = float(trained or 2.0)
    y = np.asarray(kept.labels)[rows].astype(np.int64)
    teacher = kept.logits["teacher"][rows]
    alike = class_map.likeness(class_map.log_lift(soft_labels.soften(teacher, ordered_at), y, len(classes)))
    tree = class_map.tree(alike)
    cells = content.content(f"{stamp}-{len(rows)}", kept, rows)
    steps = sorted({*temperatures(), *([float(trained)] if trained else [])})
    logits = {arm: np.ascontiguousarray(kept.logits[arm][rows], np.float32).ravel() for arm in arm_order()}
    data = {
        **logits,
        "key": f"{stamp}-{len(rows)}",
        "labels": y.astype(np.int32),
        "ids": (np.asarray(kept.row_ids)[rows] + 1).astype(np.int32),
        "cells": cells.cells,
        "shape": {"texts": list(cells.texts), "fields": list(cells.fields), "thumbs": cells.thumbs},
        "classes": [str(name) for name in classes],
        "temperatures": steps,
        "trained": float(trained) if trained else None,
        "opening": opening_row(kept, rows),
        "order": tree.order.tolist(),
        "joined": tree.joined.tolist(),
        "heights": tree.heights.tolist(),
        "ordered_at": f"{ordered_at:g}",
        "words": words(),
        "names": {arm: plain(name) for arm, name in arm_names().items()},
        "colours": {
            **{arm: COLOUR[arm] for arm in arm_order()},
            **dict(zip(("lost", "gained"), SHIFT_HUES, strict=True)),
        },
    }
    return data, cells


def arm_order() -> tuple[str, str, str]:
    """The three models that are drawn."""
    return ("teacher", "baseline", "student")


def show(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> None:
    """Draw everything that follows the temperature, and say what of the kept rows is drawn."""
    classes, student = found["dataset"]["classes"], found["students"][index]
    named = f"{found['run_id']}/{index}/{found['dataset']['target']}/{'/'.join(map(str, stamps))}"
    stamp = hashlib.blake2b(named.encode(), digest_size=12).hexdigest()
    data, cells = payload(kept, stamp, classes, student.get("temperature"))
    _charts(key="soft-live", data=data)
    said = []
    if len(data["labels"]) < len(kept.labels):
        said.append(
            t(
                "soft_labels.sampled",
                num=text.exact(len(data["labels"])),
                of=text.exact(len(kept.labels)),
                classes=len(classes),
            )
        )
    if cells.cut_at:
        said.append(t("soft_labels.cut", num=text.exact(cells.cut_at)))
    if cells.fields_left:
        said.append(t("soft_labels.fields_left", num=cells.fields_left))
    if cells.thumbs and cells.thumbs["reduced"]:
        said.append(t("soft_labels.reduced", side=cells.thumbs["side"]))
    if said:
        st.caption(" ".join(said))
