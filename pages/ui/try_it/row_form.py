"""One raw row as a form: a widget per column that the models read, filled in with a row that the run kept."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from pages.ui.shared.text import escape, t
from pages.ui.tasks import next_item

WIDGETS = 60  # columns with a widget; the rest of a wide table keeps the values of the row
SEEN = 12  # of these unfolded, so that the answers are not screens below
OPTIONS = 200  # different labels that a list offers; others can be typed
ACROSS = 3


def fields(types: Mapping[str, ColumnType], row: Mapping[str, Any], rows: pd.DataFrame, key: str) -> dict[str, Any]:
    """Draw the widgets and return what they hold, one raw value per column; None for an empty one."""
    found = {name: _plain(row.get(name)) for name in types}
    wide = [n for n, column in types.items() if column.kind in ("text", "picture", "items")]
    narrow = [n for n in types if n not in wide]
    for name in wide:
        found[name] = _widget(name, types[name], found[name], rows, f"{key}.{name}")

    def draw(names: Sequence[str]) -> None:
        # row by row: below each other, on a phone, they keep the file's order
        for start in range(0, len(names), ACROSS):
            for place, name in zip(st.columns(ACROSS), names[start : start + ACROSS], strict=False):
                with place:
                    found[name] = _widget(name, types[name], found[name], rows, f"{key}.{name}")

    unfolded = SEEN if len(narrow) > SEEN + ACROSS else len(narrow)
    draw(narrow[:unfolded])
    if folded := narrow[unfolded:WIDGETS]:
        with st.expander(t("try_it.folded_columns", n=len(folded))):
            draw(folded)
    if len(narrow) > WIDGETS:
        st.caption(t("try_it.more_columns", n=len(narrow) - WIDGETS))
    return found


def _widget(name: str, column: ColumnType, value: Any, rows: pd.DataFrame, key: str) -> Any:
    label = escape(name)
    if column.kind == "picture":
        if isinstance(value, bytes):
            st.image(io.BytesIO(value), width=160, caption=label)
        given = st.file_uploader(t("try_it.picture"), type=["png", "jpg", "jpeg", "webp", "bmp"], key=key)
        return value if given is None else given.getvalue()
    if column.kind == "items":
        return next_item.field(name, column, value, key)
    if column.kind == "text":
        return st.text_area(label, value="" if value is None else str(value), key=key) or None
    if column.kind == "number":
        return st.number_input(label, value=None if value is None else float(value), format="%g", step=None, key=key)
    if column.kind == "datetime":
        return st.text_input(label, value="" if value is None else str(value), key=key) or None
    labels = [str(v) for v in rows[name].dropna().value_counts().index[:OPTIONS]] if name in rows else []
    if value is not None and str(value) not in labels:
        labels.append(str(value))
    at = None if value is None else labels.index(str(value))
    return st.selectbox(label, labels, index=at, accept_new_options=True, placeholder=t("try_it.empty"), key=key)


def _plain(value: Any) -> Any:
    return None if not isinstance(value, bytes) and pd.isna(value) else value


def filled(types: Mapping[str, ColumnType], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kept row as its file has it: times are texts in the column's own format, which alone is read again."""
    return {name: _written(row.get(name), column) for name, column in types.items()}


def _written(value: Any, column: ColumnType) -> Any:
    if column.kind != "datetime" or not isinstance(value, pd.Timestamp) or pd.isna(value):
        return value
    return dates.write_date(value.to_pydatetime(), column.date_format or dates.ISO)
