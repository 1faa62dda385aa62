"""Every stage as a line of a table: what the boxes and the chart show, in numbers to read, sort and copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import verdict
from pages.ui.access import cards
from pages.ui.compress.typeset import typeset
from pages.ui.shared import text
from pages.ui.shared.text import plain, t


@st.fragment
def show(block: Mapping[str, Any]) -> None:
    """Draw it, apart from the rest of the page: its switch changes nothing else."""
    cards.table(
        frame(block),
        main=[_title(block, name) for name in MAIN],
        key_more="compress-more",
        hide_index=True,
        height="content",
        alt=t("compress.table.title"),
        placeholder="–",
    )


def frame(block: Mapping[str, Any]) -> pd.DataFrame:
    """Lay the stages out as text, in the order in which they were made."""
    return pd.DataFrame([_line(block, one) for one in block["stages"]]).astype("object")


def _line(block: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, str]:
    names = {"stage": str(one["name"])}
    if one["step"] is not None:
        names |= {"from": str(compress_words.before(block, one)["name"])}
        names |= {"step": plain(typeset(compress_words.step(one["step"])))}
    said = {} if one.get("reason") else _numbers(block, one)
    known = {**dict.fromkeys(COLUMNS, "–"), **names, **said}
    return {_title(block, name): known[name] for name in COLUMNS}


def _title(block: Mapping[str, Any], name: str) -> str:
    return str(t(f"compress.table.{name}", metric=str(block["metric"]["title"])))


COLUMNS = (
    "stage",
    "from",
    "step",
    "goals",
    "size",
    "packed",
    "time",
    "time_1000",
    "score",
    "lost",
    "agreement",
    "parameters",
    "nonzero",
    "flops",
    "seconds",
)
MAIN = ("stage", "step", "goals", "size", "time", "score", "lost")


def _numbers(block: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, str]:
    whole = (one.get("latency") or {}).get("whole") or {}
    found = {
        "size": text.size(one["bytes"]),
        "packed": text.size(one.get("compact")),
        "time": text.milliseconds(compress_words.milliseconds(one)),
        "time_1000": text.milliseconds((whole.get("1000") or {}).get("p50")),
        "score": compress_words.score(one),
        "agreement": text.percent(one.get("agreement")),
        "parameters": text.number(one.get("parameters")),
        "nonzero": text.number(one.get("nonzero")),
        "flops": text.number(one.get("flops")),
        "seconds": text.seconds(one.get("seconds")),
    }
    if one["step"] is not None:
        found["lost"] = plain(typeset(compress_words.lost_briefly(block, one)))
        if whole := one.get("beside"):
            same = t("compress.beside", num=len(whole["seeds"]), value=compress_words.score(whole))
            found["lost"] += f"; {plain(same)}"
        found["goals"] = str(t(f"compress.table.{verdict.standing(block, one)}"))
    return found
