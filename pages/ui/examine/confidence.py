"""How sure the student is, and what temperature scaling would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.charts import soft_labels
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, t, term

LITTLE = 0.05  # a temperature so near to 1 changes little


def show(folder: RunFolder, result: Mapping[str, Any], index: int, found: Mapping[str, Any]) -> None:
    """Say what the temperature is, and draw calibration before and after it; nothing where a number is predicted."""
    told = found.get("confidence")
    if told is None:
        return
    st.markdown(f"#### {t('examine.confidence.title')}", help=term("temperature_scaling"))
    if "reason" in told:
        st.markdown(t("examine.confidence.reason", why=told["reason"]))
        return
    line = said(told)
    st.markdown(line)
    names = {"baseline": t("examine.confidence.before"), "student": t("examine.confidence.after")}
    arms = {"baseline": _bins(told["before"]["bins"]), "student": _bins(told["after"]["bins"])}
    fig = soft_labels.reliability(
        arms,
        names=names,
        x_title=t("runs.calibration.x"),
        y_title=t("runs.calibration.y"),
        perfect=t("runs.calibration.perfect"),
        rows_word=t("runs.calibration.rows"),
    )
    picture.show(fig, f"confidence-{folder.id}-{index}", line)
    st.caption(t("examine.confidence.how"))


def said(told: Mapping[str, Any]) -> Safe:
    """Say whether the student is too sure or too modest, and what scaling does on test rows."""
    temperature, before, after = told["temperature"], told["before"], told["after"]
    if abs(temperature - 1) < LITTLE:
        return t("examine.confidence.said_fine", temperature=f"{temperature:.2f}")
    line = t(
        f"examine.confidence.said_{'sure' if temperature > 1 else 'modest'}",
        temperature=f"{temperature:.2f}",
        before=text.score(before["ece"]),
        after=text.score(after["ece"]),
        loss_before=text.score(before["log_loss"]),
        loss_after=text.score(after["log_loss"]),
    )
    helps = after["log_loss"] < before["log_loss"], after["ece"] < before["ece"]
    return (
        line
        if all(helps)
        else Safe(f"{line} {t('examine.confidence.mixed' if any(helps) else 'examine.confidence.worse')}")
    )


def _bins(rows: list[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in ("confidence", "accuracy", "count")}
