"""What moved a student: the shares of labels and terms in a sentence and a small chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.specs import LABELS
from pages.ui.charts import lesson as charts
from pages.ui.shared import engine, picture
from pages.ui.shared.text import Safe, escape, percent, t, term


def part_name(name: str) -> str:
    """Name a part of the lesson as the form does."""
    return str(t("runs.moved.labels")) if name == LABELS else str(engine.part_title("loss", name))


def sentence(student: Mapping[str, Any]) -> Safe | None:
    """Say what weight was set for the teacher, where one was, and how much labels and terms then moved a student; None where it was not measured."""
    shares = student.get("shares") or {}
    if not shares:
        return None
    parts = [t("runs.moved.part", share=percent(share), name=part_name(name)) for name, share in shares.items()]
    said, alpha = Safe(", ".join(parts)), student.get("alpha")
    if alpha is None or len(shares) != len((LABELS, "teacher")):
        return t("runs.moved.sentence", parts=said)
    return t("runs.moved.sentence_alpha", parts=said, alpha=f"{alpha:g}", weight=percent(alpha, 0))


def show(student: Mapping[str, Any]) -> None:
    """Draw the shares over the epochs of the seed that is kept, where they were measured."""
    said, curve = sentence(student), student.get("share_curve")
    if said is None or not curve:
        return
    st.markdown(f"**{t('runs.moved.title')}**", help=term("effective_share"))
    drawn = {escape(part_name(n)): values for n, values in curve.items() if n != "epoch"}
    fig = charts.shares(curve["epoch"], drawn, epoch_title=t("runs.overview.epoch"), y=t("runs.moved.axis"))
    picture.show(fig, "lesson-shares", said)
    st.caption(f"{said} {t('runs.moved.note')}")
