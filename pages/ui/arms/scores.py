"""The scores behind a verdict on one axis: teacher, the small model alone, on smoothed labels and as taught, a plain one; drawn by the page's own styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from kd_core.runs.outcome import read_outcome
from pages.ui.charts.spread import bounds
from pages.ui.result import differences
from pages.ui.shared import picture, text
from pages.ui.shared.text import plain, t

Result = Mapping[str, Any]
ROOM = 0.12  # of what is drawn, left free at both ends
STYLE = f"<style>{picture.style('scores')}</style>"


@dataclass(frozen=True)
class Score:
    """One line of the picture: the part played, its score and the ends of its interval, None where it was trained once."""

    arm: str
    value: float
    low: float | None
    high: float | None


def scores(found: Result, index: int) -> list[Score]:
    """Return the scores that are known of teacher, baseline, placebo, student and the plain model to set beside it, in that order."""
    name, student = found["metric"]["name"], found["students"][index]
    best = None if _partly_known(found) else found["teacher"]["metrics"].get(name)
    lines = [] if best is None else [Score("teacher", float(best), None, None)]
    outcome = read_outcome(found)
    rival = outcome.students[index].rival(outcome.metric)
    beside = rival.raw if rival else (student.get("reference") or {}).get("best") or {"metrics": {}}
    placebo = student.get("placebo") or {"metrics": {}}
    arms = {"baseline": student["baseline"], "placebo": placebo, "student": student, "plain": beside}
    if outcome.students[index].untaught:  # it is its own baseline
        del arms["student"]
    for arm, block in arms.items():
        told = block["metrics"].get(name) or {}
        if told.get("mean") is not None:
            lines.append(Score(arm, float(told["mean"]), *bounds(told.get("values") or [], name)))
    return lines


def _partly_known(found: Result) -> bool:
    """Say whether a given teacher answered some of the test rows only: then its score is one of other rows."""
    known = found["teacher"].get("known")
    return bool(known) and known["test"] < found["dataset"]["rows"]["test"]


def show(found: Result, index: int) -> None:
    """Draw the scores; nothing where there are not two that differ."""
    lines = scores(found, index)
    if len({one.value for one in lines}) > 1:
        st.html(STYLE + drawing(found, index, lines))


def drawing(found: Result, index: int, lines: list[Score]) -> str:
    """Write the picture as HTML, better to the right: one picture with its words to a screen reader."""
    name, names = found["metric"]["name"], differences.arm_names()
    lower = differences.lower_is_better(name)
    ends = [v for one in lines for v in (one.value, one.low, one.high) if v is not None]
    room = ROOM * (max(ends) - min(ends))
    first, last = min(ends) - room, max(ends) + room

    def place(value: float) -> float:
        at = 100 * (value - first) / (last - first)
        return 100 - at if lower else at

    rows, said = [], []
    for one in lines:
        interval = ""
        shown = text.score(one.value)
        if one.low is not None and one.high is not None:
            left, right = sorted((place(one.low), place(one.high)))
            interval = f"<i style='left:{left:.1f}%;width:{right - left:.1f}%'></i>"
            shown = f"{shown} [{text.score(one.low)}, {text.score(one.high)}]"
        said.append(f"{plain(names[one.arm])} {shown}")
        rows.append(
            f"<div class='{one.arm}'><span>{escape(plain(names[one.arm]))}</span>"
            f"<div title='{escape(shown)}'>{interval}<b style='left:{place(one.value):.1f}%'></b></div>"
            f"<span>{text.score(one.value)}</span></div>"
        )
    title = t("runs.scores.title", metric=differences.metric_title(name))
    num = len(found["students"][index]["seeds"])
    note = t(f"runs.scores.note{'_lower' if lower else ''}", n=num) if num > 1 else t("runs.scores.note_one")
    words = f"{plain(title)}: {', '.join(said)}. {plain(note)}"
    return (
        f"<div class='kd-scores' role='img' aria-label='{escape(words)}'><div aria-hidden='true'>"
        f"<strong>{escape(plain(title))}</strong>{''.join(rows)}<small>{escape(plain(note))}</small></div></div>"
    )
