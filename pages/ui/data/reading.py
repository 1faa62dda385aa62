"""How a file is read: separators, sheets, and whether its first row holds names."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.data.files.header import read_names
from kd_core.data.table import Table
from kd_core.specs import ReadSpec
from pages.ui.data import sources
from pages.ui.shared import forms
from pages.ui.shared.text import t

KEY = f"{sources.KEY}.read"
PARTS = ("sheet", "member")  # settings that choose one of several tables in a file
FIRST_ROW = ("header", "names")


def settings(choices: dict[str, Any], table: Table | None) -> None:
    """Draw how the file is read; every empty value means: find out."""
    with st.expander(t("data.reading_settings"), icon=":material/tune:", expanded=table is None):
        st.caption(t("data.reading_note"))
        held = choices.get("read") or {}
        part = "sheet" if table is not None and table.format == "excel" else "member"
        lists = {part: table.members} if table is not None and table.members else {}
        away = [n for n in PARTS if table is not None and n not in lists]  # no sheets in a text file
        values = forms.form(ReadSpec, held, KEY, columns=3, skip=[*away, *FIRST_ROW], lists=lists)
        values |= {n: held.get(n) for n in away}
        own_names = table is not None and table.header is None
        values |= {n: held.get(n) for n in FIRST_ROW} if own_names else first_row(choices, table, "settings")
    keep(choices, values)


def first_row(choices: dict[str, Any], table: Table | None, place: str) -> dict[str, Any]:
    """Draw the switch of the first row and the field for pasted names; return what they hold."""
    held = choices.get("read") or {}
    header = None if table is None else table.header
    asked = held.get("header") or "auto"
    shown = asked if asked != "auto" else header.decided if header is not None and header.sure else None
    answer = st.segmented_control(
        t("data.first_row"),
        ["yes", "no"],
        default=shown,
        key=f"{KEY}.header.{place}.{asked}.{shown}",
        format_func=lambda v: str(t(f"data.first_row_{v}")),
        help=t("data.first_row_help"),
    )
    pasted = st.text_area(
        t("data.names"),
        value="\n".join(held.get("names") or ()),
        height=96,
        key=f"{KEY}.names.{place}.{len(held.get('names') or ())}",
        help=t("data.names_help"),
        placeholder=t("data.names_placeholder"),
    )
    return {"header": asked if answer is None or answer == shown else answer, "names": list(read_names(pasted or ""))}


def keep(choices: dict[str, Any], values: dict[str, Any]) -> None:
    """Take reading settings over where they differ, and read anew."""
    held = {**dict.fromkeys(ReadSpec.model_fields), **(choices.get("read") or {})}
    merged = {n: v for n, v in {**held, **values}.items() if v is not None and v not in ("auto", [], ())}
    if merged != {
        n: list(v) if isinstance(v, tuple) else v
        for n, v in held.items()
        if v is not None and v not in ("auto", [], ())
    }:
        choices["read"] = merged
        st.rerun()
