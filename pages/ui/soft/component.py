"""The charts of soft labels in the browser, one component for each kind of answer, and what all of them are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.look import COLOUR, SHIFT_HUES
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import text
from pages.ui.shared.picture import BROWSER, style
from pages.ui.shared.text import catalogue, plain, t
from pages.ui.soft.content import Content

ARMS = ("teacher", "baseline", "student")
WORDS = "soft_labels.live."
FOLDER = BROWSER / "soft_labels"
# In the order in which they need each other; a name ending in / stands for the folder of the kind.
PARTS: dict[str, tuple[str, ...]] = {
    "classes": ("bars_card", "map_drawing", "map_card", "parted_card", "classes/numbers", "classes/board"),
    "labels": ("bars_card", "map_drawing", "map_card", "parted_card", "labels/numbers", "labels/board"),
    "amounts": ("parted_card", "amounts/numbers", "amounts/plane_card", "amounts/line_card", "amounts/board"),
    "lists": ("bars_card", "parted_card", "lists/numbers", "lists/orders_card", "lists/board"),
    "items": ("bars_card", "parted_card", "items/numbers", "items/board"),
}
FIRST, LAST = ("parts", "measures", "temperature", "content", "rows_card", "spread_card"), ("main",)


def script(kind: str) -> str:
    """Join what one kind of answer needs to a module."""
    return "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in (*FIRST, *PARTS[kind], *LAST))


_STYLE = style("component", "soft_labels/soft_labels")
_COMPONENTS = {
    kind: st.components.v2.component(f"kd_soft_{kind}", html="<div class='place'>\n</div>", css=_STYLE, js=script(kind))
    for kind in PARTS
}


def temperatures() -> list[float]:
    """Steps of the slider from 0.5 to 20: about 2 to 4 % each, rounded to what people write."""
    spans = ((50, 100, 2), (100, 200, 5), (200, 500, 10), (500, 1000, 25), (1000, 2001, 50))
    return [value / 100 for first, end, step in spans for value in range(first, end, step)]


def softened(trained: float | None) -> dict[str, Any]:
    """Describe a slider of temperatures: its steps, its sign, and where it begins."""
    asked = float(trained) if trained else None
    return {
        "temperatures": sorted({*temperatures(), *([asked] if asked else [])}),
        "trained": asked,
        "plain": 1.0,
        "start": asked or 2.0,
        "sign": "T",
        "address": "t",
        "measure": "temperature",
    }


def words(kind: str) -> dict[str, str]:
    """What the charts of a kind say, by its last name; values are filled in by the browser."""
    own = f"soft_labels.{kind}."
    shared = {key.removeprefix(WORDS): said for key, said in catalogue().items() if key.startswith(WORDS)}
    return shared | {key.removeprefix(own): said for key, said in catalogue().items() if key.startswith(own)}


def stamp_of(found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> str:
    """Name a student's kept rows, so that what is drawn of them stays as long as they are the same."""
    named = f"{found['run_id']}/{index}/{found['dataset']['target']}/{'/'.join(map(str, stamps))}"
    return hashlib.blake2b(named.encode(), digest_size=12).hexdigest()


def rows_drawn(num_rows: int, width: int, most_shares: int) -> Any:
    """Places of the rows that go to the browser: all, or as many as `most_shares` allows, evenly spread."""
    most = max(1, most_shares // width)
    return np.arange(num_rows) if num_rows <= most else np.linspace(0, num_rows - 1, most).astype(np.int64)


def logits(kept: Kept, rows: Any) -> dict[str, Any]:
    """Lay each model's logits of these rows row after row, float32 as the run kept them."""
    return {arm: np.ascontiguousarray(kept.logits[arm][rows], np.float32).ravel() for arm in ARMS}


def common(kind: str, key: str, cells: Content) -> dict[str, Any]:
    """Gather what the charts of every kind need: key, words of the rows and of the page, names and colours."""
    return {
        "key": key,
        "cells": cells.cells,
        "shape": {
            "texts": list(cells.texts),
            "fields": list(cells.fields),
            "strips": list(cells.strips),
            "thumbs": cells.thumbs,
        },
        "words": words(kind),
        "names": {arm: plain(name) for arm, name in arm_names().items()},
        "colours": {**{arm: COLOUR[arm] for arm in ARMS}, **dict(zip(("lost", "gained"), SHIFT_HUES, strict=True))},
    }


def show(found: Mapping[str, Any], index: int, kind: str, data: Mapping[str, Any]) -> None:
    """Draw a component for a student of a result; nothing in its data may depend on what the slider says, or all of it travels again."""
    _COMPONENTS[kind](key=f"soft-{kind}", data={**data, "seed": found["artifacts"]["students"][index]["seed"]})
    if data["sign"] == "T" and data["trained"] is None:
        st.caption(t("soft_labels.no_temperature"))


def left_out(cells: Content, drawn: int, of: int, width: int) -> None:
    """Say what of the kept rows the browser did not get."""
    said = []
    if drawn < of:
        said.append(t("soft_labels.sampled", num=text.exact(drawn), of=text.exact(of), classes=text.exact(width)))
    if cells.cut_at:
        said.append(t("soft_labels.cut", num=text.exact(cells.cut_at)))
    if cells.fields_left:
        said.append(t("soft_labels.fields_left", num=cells.fields_left))
    if cells.thumbs and cells.thumbs["reduced"]:
        said.append(t("soft_labels.reduced", side=cells.thumbs["side"]))
    if said:
        st.caption(" ".join(said))
