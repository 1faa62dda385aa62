"""In which groups of rows the student is better or worse, and where it answers otherwise than its teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core import written
from kd_core.evaluate.examination.slices import FEWEST
from kd_core.runs.store.folder import RunFolder
from kd_core.task import task_of
from pages.ui.access import cards
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import escape, plain, t

FIRST = 12  # groups that are listed
Slice = Mapping[str, Any]


def show(folder: RunFolder, result: Mapping[str, Any], index: int, found: Mapping[str, Any]) -> None:
    """Draw the table of groups, and the rows of disagreement."""
    st.markdown(f"#### {t('examine.groups.title')}")
    shares = task_of(result["task"]).has_classes
    others = [other for other in ("baseline", "teacher") if f"versus_{other}" in found]
    if not others:
        st.markdown(t("examine.groups.nobody"))
        return
    arms = differences.arm_names()
    other = st.segmented_control(
        t("examine.groups.against"),
        others,
        default=others[0],
        format_func=lambda a: arms[a],
        key=f"examine-against-{folder.id}-{index}",
        required=True,
    )
    slices = found[f"versus_{other or others[0]}"]
    if not slices:
        st.markdown(t("examine.groups.none", fewest=FEWEST))
    else:
        st.markdown(said(slices, str(other or others[0]), shares))
        cards.table(
            pd.DataFrame([_line(one, shares) for one in slices[:FIRST]]),
            hide_index=True,
            height="content",
            alt=t("examine.groups.title"),
        )
        st.caption(t("examine.groups.note_share" if shares else "examine.groups.note_error"))
    if "disagreements" in found:
        _disagreements(result, found)


def said(slices: list[Slice], other: str, shares: bool) -> text.Safe:
    """Say in how many groups the student is surely better or worse, and name the clearest."""
    sure = [one for one in slices if one["sure"]]
    better = sum(one["gain"] > 0 for one in sure)
    most = t("examine.groups.most", group=title(sure[0]), difference=difference(sure[0], shares)) if sure else ""
    counts = {"better": better, "worse": len(sure) - better, "all": len(slices)}
    return t("examine.groups.said", **counts, other=differences.arm_names()[other].lower(), most=most)


def title(one: Slice) -> str:
    """Name a group of rows."""
    column, value = one["column"], one["value"]
    if column is None:
        return t("examine.class", value=str(value))
    if one["low"] is not None:
        return t(
            "examine.between", column=str(column), low=written.number(one["low"]), high=written.number(one["high"])
        )
    return (
        t("examine.missing", column=str(column))
        if value is None
        else t("examine.value", column=str(column), value=str(value))
    )


def difference(one: Slice, shares: bool) -> str:
    """Write by how much the student is better in a group, with half of the interval."""
    factor = 100 if shares else 1
    half = one["half"]
    digits = 1 if shares else 3
    shown = round(factor * one["gain"], digits)
    sign = "+" if shown > 0 else differences.MINUS if shown < 0 else ""
    beside = f" ± {factor * half:.{digits}f}" if half is not None else ""
    return f"{sign}{abs(shown):.{digits}f}{beside}"


def sure(one: Slice) -> str:
    """Tell how sure a difference is: "yes" with all groups counted, "alone" by its own interval only, or "no"."""
    beside = one["half"] is not None and abs(one["gain"]) > one["half"]
    return "yes" if one["sure"] else "alone" if beside else "no"


def _line(one: Slice, shares: bool) -> dict[str, Any]:
    arms = differences.arm_names()
    scores = {arms[a]: text.percent(v) if shares else text.score(v) for a, v in one["scores"].items()}
    return {
        t("examine.groups.group"): plain(title(one)),
        t("examine.groups.rows"): one["rows"],
        **scores,
        t("examine.groups.difference"): difference(one, shares),
        t("examine.groups.sure"): t(f"examine.groups.{sure(one)}"),
    }


def _disagreements(result: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    st.markdown(f"**{t('examine.disagree.title')}**")
    if not found["disagreements"]:
        st.markdown(t("examine.disagree.none"))
        return
    st.markdown(t("examine.disagree.said", share=text.percent(found["disagree"])))
    classes = [str(c) for c in result["dataset"]["classes"]]

    def answer(row: Mapping[str, Any], arm: str) -> str:
        told = t("examine.disagree.answer", label=classes[row[arm]], share=text.percent(row[f"{arm}_p"], 0))
        return plain(told)

    lines = [
        {
            t("examine.disagree.row"): row["row"],
            t("examine.disagree.truth"): classes[row["label"]],
            t("examine.disagree.teacher"): answer(row, "teacher"),
            t("examine.disagree.student"): answer(row, "student"),
        }
        for row in found["disagreements"]
    ]
    cards.table(pd.DataFrame(lines), hide_index=True, height=240, alt=escape(t("examine.disagree.title")))
