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

from pages.ui.result.kept_rows import Kept

TEXT_CHARACTERS = 1_500_000  # of all texts together
SHEET_PIXELS = 4_000_000  # of all pictures together
FIELDS = 40


@dataclass(frozen=True)
class Content:
    """`cells`: one column of words for each text, then one for each field. `cut_at`: characters, where a text was cut."""

    cells: pd.DataFrame
    texts: tuple[str, ...]
    fields: tuple[str, ...]
    thumbs: dict[str, Any] | None
    cut_at: int | None
    fields_left: int


@st.cache_resource(max_entries=4, show_spinner=False)
def content(stamp: str, _kept: Kept, _rows: Any) -> Content:
    """Read the content of some rows; `stamp` names the run's files and the rows."""
    shown = [_kept.shown(int(at)) for at in _rows]
    texts = list(dict.fromkeys(name for one in shown for name in one.texts))
    names = list(dict.fromkeys(name for one in shown for name in one.fields))
    fields = names[:FIELDS]
    most = max(200, TEXT_CHARACTERS // max(1, len(shown) * max(1, len(texts))))
    longest = max((len(words) for one in shown for words in one.texts.values()), default=0)
    columns = [[_shortened(one.texts.get(name, ""), most) for one in shown] for name in texts]
    columns += [[str(one.fields.get(name, "")) for one in shown] for name in fields]
    cells = pd.DataFrame({str(at): column for at, column in enumerate(columns)}, dtype=object)
    pictures = [next(iter(one.pictures.values()), None) for one in shown]
    thumbs = _sheet(pictures) if any(isinstance(p, bytes) for p in pictures) else None
    return Content(
        cells, tuple(texts), tuple(fields), thumbs, most if longest > most else None, len(names) - len(fields)
    )


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
