"""Why this student was chosen, in one paragraph, with all candidates in a fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core import written
from kd_core.runs.choosing.rule import Candidate, Model
from kd_core.runs.choosing.told import ToldChoice, read_choice
from kd_core.runs.outcome import read_outcome
from pages.ui.result import differences
from pages.ui.shared import session, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import decision

Result = Mapping[str, Any]
NEAREST = ("nearest_score", "nearest_limits")  # rules of a choice that does not meet the goals


def show(found: Result, run_id: str) -> None:
    """Draw the paragraph, the way to a network that may yet fit, and the table; nothing for a run whose students were named."""
    told = read_choice(found, read_outcome(found))
    if told is None:
        return
    name = found["metric"]["name"]
    metric, word = differences.metric_title(name), differences.metric_word(name)
    instead = decision.instead(found, 0)
    with st.container(border=True, key="choice"):
        if instead:
            st.markdown(instead)
        said = " ".join(sentences(told, word, instead))
        st.markdown(f"**{t('runs.choice.title')}** {said}", help=t("runs.choice.help"))
        if near := told.may_fit:
            where = session.link(clone=run_id, student=near.name)
            name = t("runs.choice.set_up", name=near.name)
            st.page_link("distill.py", label=name, icon=":material/school:", query_params=where)
        with st.expander(t("runs.choice.fold", num=len(told.candidates)), icon=":material/checklist:"):
            with st.container(key="choice-table"):
                st.table(table(told, metric), border="horizontal")
            st.caption(t("runs.choice.note"))


def sentences(told: ToldChoice, metric: str, instead: str | None = None) -> list[Safe]:
    """Say who was chosen and why, who was left out, and what may be the better thing to take home, where that was not said `instead`."""
    one, best, goals = told.chosen, told.best, told.goals
    limits = _limits(told)
    first = told.rule == "smallest_like_best" and best == one
    alike = sum(any(m.score == one.score for m in c.models()) for c in told.candidates) if first else 1
    score, goal = _score(one.score), _score(told.least)
    if told.least is not None and "score" in told.missed:
        score, goal = written.apart(_with_more, one.score, told.least)
    said = [
        t(
            f"runs.choice.why_{'smallest_of_equal' if alike > 1 else 'best_and_smallest' if first else told.rule}",
            alike=alike,
            name=_named(one, told),
            tried=_tried(told),
            metric=metric,
            score=score,
            size=_bytes(told.chosen_bytes),
            limits=limits,
            within=t("runs.choice.within", limits=limits) if limits else Safe(""),
            goal=goal,
            margin="–" if told.margin is None else written.number(told.margin, 3),
            best=_named(best, told),
            best_score=_score(best.score),
            best_size=_bytes(told.chosen_bytes if best == one else best.bytes),
        )
    ]
    if told.rule in NEAREST:
        said[0] = Safe(f":orange[:material/warning:] {said[0]}")
    changed = next((c.changed for c in told.candidates if c.name == one.name), None) or {}
    if "width" in changed:
        said.append(t("runs.choice.was_narrower", width=text.exact(changed["width"])))
    if told.why_alone:
        scores = {"alone": _score(one.score), "taught": _score(told.taught)}
        said.append(t(f"runs.choice.alone_{told.why_alone}", name=one.name, **scores))
    if (settled := told.settled) and settled.arm != one.arm:
        means = {"taught": _score(settled.taught), "alone": _score(settled.alone)}
        said.append(t(f"runs.choice.settled_{settled.arm}", seeds=settled.seeds, **means))
    if told.against:
        said += _lost(told, goal)
    elif "score" in told.missed and told.rule == "nearest_limits":
        said.append(t("runs.choice.missed_score", metric=metric, goal=goal))
    said += [
        t(f"runs.choice.left_{code}", num=len(some), names=", ".join(c.name for c in some))
        for code, some in told.left_out.items()
    ]
    if told.unspent:
        said.append(t("runs.choice.unspent", own=_bytes(told.chosen_bytes), limit=text.size(goals.bytes)))
    if (near := told.may_fit) and near.left_out:
        said.append(t("runs.choice.may_fit", name=near.name, size=text.size(near.left_out["bytes"])))
    if told.first_took_longer:
        said.append(t("runs.choice.longer", minutes=f"{goals.minutes:g}"))
    said.append(t("runs.choice.rows", seconds=text.seconds(told.seconds), minutes=f"{goals.minutes:g}"))
    if told.too_large is not None:
        own, limit = written.apart(text.size, told.too_large, goals.bytes or 0)
        said.append(t("runs.choice.too_large", size=own, limit=limit))
    if told.plain and not (instead and escape(told.plain.title) in instead):
        sizes = {"size": text.size(told.plain.bytes), "own": text.size(told.plain.own_bytes)}
        said.append(t(f"runs.choice.plain_{told.plain.why}", title=told.plain.title, **sizes))
        said += [t("runs.choice.plain_kept")] if told.plain.kept_as else []
    return said


def _named(one: Model, told: ToldChoice) -> Safe:
    """Name a model by its candidate, and where no teacher taught it."""
    return t("runs.choice.named_alone", name=one.name) if one.arm == "baseline" else escape(one.name)


def _limits(told: ToldChoice) -> str:
    goals = told.goals
    asked = [text.size(goals.bytes)] if goals.bytes is not None else []
    asked += [text.milliseconds(goals.microseconds / 1000)] if goals.microseconds is not None else []
    return str(t("runs.choice.and")).join(asked)


def _lost(told: ToldChoice, goal: str) -> list[Safe]:
    """Say what may be lost, what was to be reached for that, and which score of the teacher that was measured by."""
    by, lost = told.against, told.goals.lost
    assert by is not None and lost is not None
    state = "missed" if "score" in told.missed else "kept"
    way = "least" if told.better == "higher" else "most"
    most = t(f"runs.choice.{'percent' if by.percent else 'point' if lost == 1 else 'points'}", value=f"{lost:.4g}")
    asked = {"most": most, "teacher": _score(by.score), "goal": goal}
    seen = "unseen" if by.unseen else "maybe_seen"
    return [t(f"runs.choice.lost_{state}_{way}", **asked), t(f"runs.choice.teacher_{seen}")]


def _with_more(value: float, more: int) -> str:
    return text.score(value, 4, more=more)


def _score(value: float | None) -> str:
    return "–" if value is None else text.score(value, 4)


def _bytes(size: int | None) -> str:
    return str(t("runs.choice.no_file")) if size is None else text.size(size)


def _tried(told: ToldChoice) -> Safe:
    """Count all candidates, and those of them that could not be chosen."""
    num, out = len(told.candidates), len(told.candidates) - told.compared
    return t("runs.choice.tried_out", num=num, out=out) if out else t("runs.choice.tried", num=num)


def table(told: ToldChoice, metric: str) -> pd.DataFrame:
    """Lay the candidates out as text."""
    columns = ("name", "score", "alone", "size", "row", "seconds", "said")
    titles = [str(t(f"runs.choice.column_{c}", metric=metric)) for c in columns]
    rows = []
    for one in told.candidates:
        bold = "**" if one.name == told.chosen.name else ""
        out = one.left_out
        rows.append(
            [
                f"{bold}{escape(told.titled(one.name))}{bold}",
                _score(one.score),
                _score(one.alone),
                "–" if out else _bytes(told.chosen_bytes if bold else one.bytes),
                "–" if one.microseconds is None else text.milliseconds(one.microseconds / 1000),
                text.seconds(one.seconds) if one.seconds else "–",
                _said(out) if out else _chosen(one, told) if bold else _beyond(one, told),
            ]
        )
    return pd.DataFrame(rows, columns=titles).set_index(titles[0]).astype("object")


def _chosen(one: Candidate, told: ToldChoice) -> str:
    return ", ".join([str(t(f"runs.choice.is_chosen_{told.chosen.arm}")), *_fewer(one)])


def _beyond(one: Candidate, told: ToldChoice) -> str:
    keeps = any(m.keeps(told.goals.limits) for m in one.models())
    said = [] if keeps else [str(t("runs.choice.beyond"))]
    return ", ".join(said + _fewer(one))


def _fewer(one: Candidate) -> list[str]:
    """Say what made it fit: how wide it became, and how many names it knows."""
    width = (one.changed or {}).get("width")
    said = [] if width is None else [str(t("runs.choice.narrower", width=text.exact(width)))]
    if one.names is None:
        return said
    sizes = {"size": text.size(one.names["bytes"]), "whole": text.size(one.names["of_bytes"])}
    return [*said, str(t("runs.choice.fewer_names", **sizes))]


def _said(out: Mapping[str, Any]) -> Safe:
    values = {"bytes": text.size(out.get("bytes")), "reason": str(out.get("reason") or "")}
    return t(f"runs.choice.out_{out['code']}", **values)
