"""Which columns the models lean on, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.examine import drawn as charts
from pages.ui.result import differences
from pages.ui.shared import picture
from pages.ui.shared.text import Safe, t, term

FIRST = 10  # columns that are drawn
MUCH, PARTLY = 0.8, 0.4  # rank correlations from which on two models lean alike
ARMS = ("teacher", "student")  # drawn side by side; the baseline where no teacher could be asked


def show(folder: RunFolder, result: Mapping[str, Any], index: int, found: Mapping[str, Any]) -> None:
    """Draw the columns that the student leans on most, with what its teacher makes of them."""
    st.markdown(f"#### {t('examine.lean.title')}", help=term("permutation_importance"))
    told = found["importance"]
    if not told.get("student"):
        st.markdown(t("examine.lean.none"))
        return
    columns = [one["column"] for one in told["student"][:FIRST]]
    arms = [arm for arm in ARMS if arm in told] if "teacher" in told else ["baseline", "student"]
    fig = charts.leaning(
        columns,
        {arm: {one["column"]: one["lost"] for one in told[arm]} for arm in arms if arm in told},
        differences.arm_names(),
        x=t("examine.lean.x", metric=differences.metric_title(found["metric"])),
        hover=t("examine.lean.hover"),
        spreads={arm: {one["column"]: one["spread"] for one in told[arm]} for arm in arms if arm in told},
    )
    line = said(columns[0], found["alike"].get("teacher"))
    picture.show(fig, f"leaning-{folder.id}-{index}", line)
    st.markdown(line)
    st.caption(t("examine.lean.note"))


def said(first: str, alike: float | None) -> Safe:
    """Name the column that counts most, and say whether student and teacher rank the columns alike."""
    if alike is None:
        return t("examine.lean.said", first=first, alike="")
    word = "much" if alike >= MUCH else "partly" if alike >= PARTLY else "other"
    told = t("examine.lean.alike", word=t(f"examine.lean.{word}"), value=f"{alike:.2f}".replace("-", "−"))
    return t("examine.lean.said", first=first, alike=told)
