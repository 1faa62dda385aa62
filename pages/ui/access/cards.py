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
ROOM = 975  # pixels of a table on a laptop
EDGES, LETTER, CAPITAL = 18, 6.9, 1.5  # pixels of a cell beside its text, of a letter, and what a capital takes more
DRAWN = ("button", "image", "list", "bar_chart", "line_chart", "area_chart")  # kinds of columns a card leaves out

Column = tuple[int, str, str, str | None]  # place, name, title, number format
Told = tuple[str, str, str]  # name, title, value
Link = tuple[str, Mapping[str, str]]  # page, query parameters


def table(frame: pd.DataFrame, *, main: Sequence[str] = (), links: Sequence[Link] = (), key_more: str = "", **how: Any) -> Any:  # fmt: skip
    """Draw a table as `st.dataframe` does and return its event; as cards on a phone, its rows chosen from a list.

    `main`: columns shown at first where there are others, which one switch brings, named by `key_more`; on a card they are folded.
    `links`: where each row leads; a card is such a link then, and nothing is chosen from a list.
    """
    if not aids.is_narrow() or len(frame.columns) <= FITS:
        if main and not st.toggle(t("common.more_columns"), key=key_more, help=t("common.more_columns_help")):
            how["column_order"] = [str(name) for name in frame.columns if name in main]
        return st.dataframe(frame, **how)
    alt, config = str(how.get("alt") or ""), how.get("column_config") or {}
    if links:
        _linked(frame, config, main, links, key_more)
        return None
    event = _choice(frame, config, how) if how.get("on_select") else None
    st.html(written(frame, alt, config, main))
    if len(frame) > MOST:
        st.caption(t("common.more_cards", shown=MOST, rows=text.exact(len(frame))))
    return event


def needed(said: Sequence[Any], most: int = 210) -> int:
    """Return the pixels of a column in which every value, and its title, is read whole; at most `most`."""
    told = [text.plain(str(one)) for one in said if one is not None]
    return min(most, EDGES + round(max(LETTER * len(one) + CAPITAL * sum(c.isupper() for c in one) for one in told)))


def names(told: Sequence[str], others: int, least: int, lines: int = 1) -> tuple[int, list[str]]:
    """Give a column of names the pixels that the `others` leave, `least` at least; names longer than its `lines` are shortened where they are alike, then in the middle. Cards of a phone have room."""
    if aids.is_narrow():
        return least, text.apart(told)
    width = max(least, min(needed(["", *told], ROOM), ROOM - others))
    letters = int((width - EDGES) / LETTER) * lines
    return width, text.shorten_all(text.apart(told, letters), letters)


def fitting(wanted: Mapping[str, int], room: int = ROOM) -> tuple[str, ...]:
    """Name the columns that fit beside each other, the most wanted first; `wanted` gives their widths."""
    found, used = [], 0
    for name, width in wanted.items():
        if used + width <= room:
            found.append(name)
            used += width
    return tuple(found)


def _linked(frame: pd.DataFrame, config: Mapping[str, Any], main: Sequence[str], links: Sequence[Link], key: str) -> None:  # fmt: skip
    """Draw each row as a card that is a link by its first value; those after the first few are folded."""
    columns = _columns(frame, config)
    lines = [_told(row, columns) for row in _rows(frame)]

    def draw(at: int) -> None:
        with st.container(border=True, gap="xxsmall", key=f"opens-{key}-{at}"):
            page, params = links[at]
            st.page_link(page, label=f"**{escape(lines[at][0][2])}**", query_params=dict(params))
            st.html(f'<div class="kd-card">{_card(lines[at][1:], main, first=False)}</div>')

    for at in range(len(lines))[:OPEN]:
        draw(at)
    if len(lines) > OPEN:
        with st.expander(t("common.fold_cards", num=len(lines) - OPEN), key=f"{key}-fold"):
            for at in range(OPEN, len(lines)):
                draw(at)


def chosen(key: str) -> list[int]:
    """Rows chosen in the table that was drawn under this key, or from its cards; read before it is drawn anew."""
    told = (st.session_state.get(key) or {}).get("selection") or {}
    rows = [*told.get("rows", ()), *(row for row, _ in told.get("cells", ()))]
    line = st.session_state.get(f"{key}-line")
    return rows or (list(line) if isinstance(line, list) else [] if line is None else [int(line)])


def _choice(frame: pd.DataFrame, config: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """Let the person choose rows by name, and tell it like the click on a table."""
    named = _columns(frame, config)
    lines = [
        " · ".join([said for at, _, _, form in named if (said := cell(row[at], form))][:2]) for row in _rows(frame)
    ]
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


def written(
    frame: pd.DataFrame, alt: str = "", config: Mapping[str, Any] | None = None, main: Sequence[str] = ()
) -> str:
    """Write the first rows as a list of cards, those after the first few folded; cells without a value are left out."""
    columns = _columns(frame, config or {})
    made = [f"<li>{_card(_told(row, columns), main)}</li>" for row in _rows(frame.head(MOST))]
    named = f'aria-label="{html.escape(alt)}"'
    first = f'<ul class="kd-cards" {named}>{"".join(made[:OPEN])}</ul>'
    if len(made) <= OPEN:
        return first
    more = t("common.fold_cards", num=len(made) - OPEN)
    return f'{first}<details class="kd-more"><summary>{more}</summary><ul class="kd-cards" {named}>{"".join(made[OPEN:])}</ul></details>'


def _told(row: Sequence[Any], columns: Sequence[Column]) -> list[Told]:
    """Name, title and value of the cells of a row that have one."""
    return [(name, title, said) for at, name, title, form in columns if (said := cell(row[at], form))]


def _card(told: Sequence[Told], main: Sequence[str], first: bool = True) -> str:
    """Write one card: its main values, the others folded; of all columns where no main ones are named."""
    shown = [one for one in told if not main or one[0] in main]
    rest = [one for one in told if one not in shown]
    said = f"<dl>{_pairs(shown, first)}</dl>"
    if not rest:
        return said
    return f'{said}<details class="kd-rest"><summary>{t("common.fold_fields", num=len(rest))}</summary><dl>{_pairs(rest)}</dl></details>'


def _pairs(told: Sequence[Told], first: bool = False) -> str:
    """Write titles and values; the first one names the card where `first` says so."""
    return "".join(
        f'<div data-wide="{3 if first and not at else _width(said)}"><dt>{html.escape(title)}</dt><dd>{html.escape(said)}</dd></div>'
        for at, (_, title, said) in enumerate(told)
    )


def _width(said: str) -> int:
    """Thirds of a card that a value takes."""
    return 1 + sum(len(said) > most for most in SHORT)


def _rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def _columns(frame: pd.DataFrame, config: Mapping[str, Any]) -> list[Column]:
    """Place, name, title and number format of the columns that a card shows."""
    found: list[Column] = []
    for at, name in enumerate(frame.columns):
        said = config.get(name)
        how: Mapping[str, Any] = getattr(said, "config", said) or {}  # a column of buttons holds its settings inside
        kind = how.get("type_config") or {}
        if kind.get("type") not in DRAWN and not how.get("hidden"):
            found.append((at, str(name), text.plain(how.get("label") or text.Safe(name)), kind.get("format")))
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
