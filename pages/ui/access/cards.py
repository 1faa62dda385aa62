"""A table of data: on a phone, where it would be wider than the screen, each row is a card with the names of its columns."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.access import aids
from pages.ui.shared import text
from pages.ui.shared.text import escape, t

FITS = 3  # columns that fit beside each other on a phone
MOST, OPEN = 50, 5  # cards: more are not scrolled through; what comes after the first ones is folded
SHORT = (14, 30)  # letters of a value that takes a third of a card, and two thirds
DRAWN = ("button", "image", "list", "bar_chart", "line_chart", "area_chart")  # kinds of columns a card leaves out


def table(frame: pd.DataFrame, **how: Any) -> Any:
    """Draw a table as `st.dataframe` does and return its event; as cards on a phone, its rows chosen from a list."""
    if not aids.is_narrow() or len(frame.columns) <= FITS:
        return st.dataframe(frame, **how)
    alt, config = str(how.get("alt") or ""), how.get("column_config") or {}
    event = _choice(frame, config, how) if how.get("on_select") else None
    st.html(written(frame, alt, config))
    if len(frame) > MOST:
        st.caption(t("common.more_cards", shown=MOST, rows=text.exact(len(frame))))
    return event


def chosen(key: str) -> list[int]:
    """Rows chosen in the table that was drawn under this key, or from its cards; read before it is drawn anew."""
    told = (st.session_state.get(key) or {}).get("selection") or {}
    rows = [*told.get("rows", ()), *(row for row, _ in told.get("cells", ()))]
    line = st.session_state.get(f"{key}-line")
    return rows or (list(line) if isinstance(line, list) else [] if line is None else [int(line)])


def _choice(frame: pd.DataFrame, config: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """Let the person choose rows by name, and tell it like the click on a table."""
    named = _columns(frame, config)
    lines = [" · ".join([said for at, _, form in named if (said := cell(row[at], form))][:2]) for row in _rows(frame)]
    shown: dict[str, Any] = {
        "options": range(len(frame)),
        "key": f"{how['key']}-line",
        "format_func": lambda row: escape(lines[row]),
        "placeholder": t("common.choose_line_hint"),
    }
    if how.get("selection_mode") == "multi-row":
        given = (how.get("selection_default") or {}).get("selection", {}).get("rows", [])
        rows = st.multiselect(t("common.choose_lines"), default=given, help=t("common.choose_line_help"), **shown)
    else:
        one = st.selectbox(t("common.choose_line"), index=None, help=t("common.choose_line_help"), **shown)
        rows = [] if one is None else [one]
    return {"selection": {"rows": rows, "columns": [], "cells": [(row, str(frame.columns[0])) for row in rows]}}


def written(frame: pd.DataFrame, alt: str = "", config: Mapping[str, Any] | None = None) -> str:
    """Write the first rows as a list of cards, those after the first few folded; cells without a value are left out."""
    columns = _columns(frame, config or {})
    made = [_card([(title, said) for at, title, form in columns if (said := cell(row[at], form))]) for row in _rows(frame.head(MOST))]  # fmt: skip
    named = f'aria-label="{html.escape(alt)}"'
    first = f'<ul class="kd-cards" {named}>{"".join(made[:OPEN])}</ul>'
    if len(made) <= OPEN:
        return first
    more = t("common.fold_cards", num=len(made) - OPEN)
    return f'{first}<details class="kd-more"><summary>{more}</summary><ul class="kd-cards" {named}>{"".join(made[OPEN:])}</ul></details>'


def _card(told: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<div data-wide="{3 if not at else _width(said)}"><dt>{html.escape(title)}</dt><dd>{html.escape(said)}</dd></div>'
        for at, (title, said) in enumerate(told)
    )
    return f"<li><dl>{lines}</dl></li>"


def _width(said: str) -> int:
    """Thirds of a card that a value takes."""
    return 1 + sum(len(said) > most for most in SHORT)


def _rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def _columns(frame: pd.DataFrame, config: Mapping[str, Any]) -> list[tuple[int, str, str | None]]:
    """Place, title and number format of the columns that a card shows."""
    found = []
    for at, name in enumerate(frame.columns):
        said = config.get(name)
        how: Mapping[str, Any] = getattr(said, "config", said) or {}  # a column of buttons holds its settings inside
        kind = how.get("type_config") or {}
        if kind.get("type") not in DRAWN and not how.get("hidden"):
            found.append((at, text.plain(how.get("label") or text.Safe(name)), kind.get("format")))
    return found


def cell(value: Any, form: str | None) -> str:
    """Write a value as the table does; empty for a missing one."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if form == "percent":
        return str(text.percent(float(value)))
    if form == "localized":
        return str(text.exact(value))
    if form and form.startswith("%"):
        return str(form % value)
    return f"{value:g}" if isinstance(value, float) else text.plain(value)
