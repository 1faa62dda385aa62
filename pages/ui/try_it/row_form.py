"""One raw row as a form: a widget per column that the models read, filled in with a row that the run kept."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.data.plain.number_text import text_reader
from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from pages.ui.shared import session
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
    label, empty = escape(name), str(t("try_it.empty"))
    if column.kind == "picture":
        if isinstance(value, bytes):
            st.image(io.BytesIO(value), width=160, caption=label)
        given = st.file_uploader(t("try_it.picture"), type=["png", "jpg", "jpeg", "webp", "bmp"], key=key)
        if st.checkbox(t("try_it.no_picture"), key=f"{key}.none"):
            return None
        return value if given is None else given.getvalue()
    if column.kind == "items":
        return next_item.field(name, column, value, key)
    if column.kind == "text":
        return st.text_area(label, value="" if value is None else str(value), placeholder=empty, key=key) or None
    if column.kind == "number" and column.number.decimal == ",":
        return _with_comma(label, column, value, key)
    if column.kind == "number":
        if value is not None:
            session.seed(
                key, float(value)
            )  # a first value of the widget's own would come back into a field that is emptied
        return st.number_input(label, value=None, format="%g", step=None, placeholder=empty, key=key)
    if column.kind == "datetime":
        like = t("try_it.time_like", time=dates.example(column.date_format or dates.ISO))
        written = "" if value is None else str(value)
        return st.text_input(label, value=written, placeholder=empty, help=like, key=key) or None
    labels = [str(v) for v in rows[name].dropna().value_counts().index[:OPTIONS]] if name in rows else []
    if value is not None and str(value) not in labels:
        labels.append(str(value))
    offered, none = (
        [None, *labels],
        f"({empty})" if empty in labels else empty,
    )  # a list tells its options by their words
    session.seed(key, None if value is None else str(value))
    return st.selectbox(
        label,
        offered,
        index=None,
        accept_new_options=True,
        format_func=lambda one: none if one is None else str(one),
        placeholder=empty,
        key=key,
    )


def _with_comma(label: str, column: ColumnType, value: float | None, key: str) -> Any:
    """Ask for a number as its file writes it; what is none stays as it is, for the model says so."""
    written = "" if value is None else f"{float(value):.15g}".replace(".", ",")
    given = st.text_input(label, value=written, placeholder=t("try_it.empty"), key=key).strip()
    read = text_reader(column.number)(given)
    return (given or None) if read is None else read


def _plain(value: Any) -> Any:
    return None if not isinstance(value, bytes) and pd.isna(value) else value


def filled(types: Mapping[str, ColumnType], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kept row as its file has it: times are texts in the column's own format, which alone is read again."""
    return {name: _written(row.get(name), column) for name, column in types.items()}


def _written(value: Any, column: ColumnType) -> Any:
    if column.kind != "datetime" or not isinstance(value, pd.Timestamp) or pd.isna(value):
        return value
    return dates.write_date(value.to_pydatetime(), column.date_format or dates.ISO)
