"""How scores fall as rows get worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.examine import drawn as charts
from pages.ui.result import differences
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, t


def show(folder: RunFolder, result: Mapping[str, Any], index: int, found: Mapping[str, Any]) -> None:
    """Draw one chart for each way in which rows were disturbed."""
    ways = list(dict.fromkeys(one["way"] for one in found["disturbed"]))
    if not ways:
        return
    st.markdown(f"#### {t('examine.disturbed.title')}")
    clean = {arm: v for arm, v in found["undisturbed"].items() if v is not None}
    columns = st.columns(2, gap="large")
    for at, way in enumerate(ways):
        lines = [one for one in found["disturbed"] if one["way"] == way and one["arm"] in clean]
        with columns[at % 2]:
            st.markdown(f"**{t(f'examine.disturbed.{way}')}**")
            fig = charts.disturbed(
                lines,
                clean,
                differences.arm_names(),
                x=t(f"examine.disturbed.x_{way}"),
                y=differences.metric_title(found["metric"]),
                hover=t("examine.disturbed.hover"),
            )
            told = said(lines, clean)
            picture.show(fig, f"disturbed-{way}-{folder.id}-{index}", told)
            st.caption(told)
    st.caption(t("examine.disturbed.note"))


def said(lines: Sequence[Mapping[str, Any]], clean: Mapping[str, float]) -> Safe:
    """Say from where to where each model's score goes at the strongest disturbance."""
    strongest = max(one["strength"] for one in lines)
    names = differences.arm_names()
    arms = [
        t(
            "examine.disturbed.arm",
            arm=names[arm].lower(),
            **{"from": text.score(clean[arm]), "to": text.score(one["score"])},
        )
        for arm in clean
        for one in lines
        if one["arm"] == arm and one["strength"] == strongest
    ]
    return t("examine.disturbed.said", strength=text.percent(strongest, 0), arms=Safe(", ".join(arms)))
