"""What the rows of a run are, for a list in the browser: texts, fields, and one sheet of small pictures."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from kd_core.data.plain.history import items_of
from kd_core.data.view import Shown
from pages.ui.result.kept_rows import Kept

TEXT_CHARACTERS = 1_500_000  # of all texts together
SHEET_PIXELS = 4_000_000  # of all pictures together
FIELDS = 40
ITEMS = 50  # newest ones of a history


@dataclass(frozen=True)
class Content:
    """`cells`: one column of words for each text, then for each field, then for each history, its items one a line.

    `cut_at`: characters, where a text was cut.
    """

    cells: pd.DataFrame
    texts: tuple[str, ...]
    fields: tuple[str, ...]
    strips: tuple[str, ...]
    thumbs: dict[str, Any] | None
    cut_at: int | None
    fields_left: int


@st.cache_resource(max_entries=4, show_spinner=False)
def content(stamp: str, _kept: Kept, _rows: Any, _only: tuple[str, ...] | None = None) -> Content:
    """Read the content of some rows, all their columns or some; `stamp` names the run's files, the rows and columns."""
    shown = [_kept.shown(int(at)) for at in _rows]
    if _only is not None:
        shown = [
            Shown(*({n: v for n, v in side.items() if n in _only} for side in (o.fields, o.texts, o.pictures)))
            for o in shown
        ]
    texts = list(dict.fromkeys(name for one in shown for name in one.texts))
    strips = [name for name, column in (_kept.view.types if _kept.view else {}).items() if column.kind == "items"]
    names = [n for n in dict.fromkeys(name for one in shown for name in one.fields) if n not in strips]
    fields = names[:FIELDS]
    most = max(200, TEXT_CHARACTERS // max(1, len(shown) * max(1, len(texts))))
    longest = max((len(words) for one in shown for words in one.texts.values()), default=0)
    columns = [[_shortened(one.texts.get(name, ""), most) for one in shown] for name in texts]
    columns += [[str(one.fields.get(name, "")) for one in shown] for name in fields]
    columns += [_histories(_kept, name, _rows) for name in strips]
    cells = pd.DataFrame({str(at): column for at, column in enumerate(columns)}, dtype=object)
    pictures = [next(iter(one.pictures.values()), None) for one in shown]
    thumbs = _sheet(pictures) if any(isinstance(p, bytes) for p in pictures) else None
    return Content(
        cells,
        tuple(texts),
        tuple(fields),
        tuple(strips),
        thumbs,
        most if longest > most else None,
        len(names) - len(fields),
    )


def _histories(kept: Kept, name: str, rows: Any) -> list[str]:
    assert kept.view is not None
    between = kept.view.types[name].separator
    cells = kept.rows[name].iloc[rows]
    return ["\n".join(items_of(cell, between)[-ITEMS:]) if isinstance(cell, str) else "" for cell in cells]


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[:most] + "…"


def _sheet(files: Sequence[bytes | None]) -> dict[str, Any]:
    """Lay small pictures side by side, so that one file holds all; larger ones are made smaller."""
    opened = [Image.open(io.BytesIO(f)) if isinstance(f, bytes) else None for f in files]
    largest = max(max(p.size) for p in opened if p is not None)
    side = min(largest, int(math.sqrt(SHEET_PIXELS / len(files))))
    across = math.ceil(math.sqrt(len(files)))
    grey = all(p is None or p.mode == "L" for p in opened)
    sheet = np.zeros((side * math.ceil(len(files) / across), side * across, 1 if grey else 3), np.uint8)
    for at, one in enumerate(opened):
        if one is None:
            continue
        small = one.convert("L" if grey else "RGB")
        small.thumbnail((side, side))
        pixels = np.asarray(small).reshape(small.height, small.width, -1)
        top, left = side * (at // across), side * (at % across)
        sheet[top : top + small.height, left : left + small.width] = pixels
    held = io.BytesIO()
    kind = "png" if grey else "jpeg"
    Image.fromarray(sheet[:, :, 0] if grey else sheet).save(held, kind, quality=88)
    url = f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode()}"
    return {"url": url, "columns": across, "side": side, "reduced": largest > side}
