"""Whether a model keeps to what a person asked for, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core import written
from kd_core.runs.outcome import StudentOutcome, read_outcome
from pages.ui.goals import kept
from pages.ui.goals.candidates import WRITTEN, Candidate, Goals, written_score
from pages.ui.result import comparison, verdict
from pages.ui.result.differences import Written
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t


def show(found: Mapping[str, Any], index: int, data: str) -> None:
    """Draw the line below a verdict; nothing where no goals were asked for."""
    if said := line(found, index, kept.kept(data, found)):
        st.markdown(said)


def line(found: Mapping[str, Any], index: int, asked: Goals) -> Safe | None:
    """Say what the model to take home uses up of each goal, and whether a loss within the goal is proven; None without goals of its metric."""
    read = read_outcome(found).students[index]
    block = read.raw["baseline"] if read.alone else read.raw
    costs = {"size": read.bytes or read.raw.get("size_bytes"), "latency": comparison.cost(block, "latency")}
    own = Candidate(read.name, read.name, read.own.mean(asked.metric) if asked.metric else None, costs)
    said = [_cost(own.costs[name], name, most) for name, most in asked.most.items() if name in costs]
    missed = [name for name in asked.missed(own) if name in costs]
    if asked.lost is not None:
        loss, kept_to = _loss(read, asked.metric, asked.lost, own=asked.metric == found["metric"]["name"])
        said, missed = said + loss, missed if kept_to else [*missed, "lost"]
    elif asked.worst is not None and own.value is not None:
        missed = asked.missed(own)
        value, worst = text.score(own.value), text.score(asked.worst)
        if "metric" in missed:
            value, worst = written.apart(written_score, own.value, asked.worst)
        said.append(t("compare.goal.budget_score", metric=verdict.metric_title(asked.metric), own=value, asked=worst))
    if not said:
        return None
    icon = ":orange[:material/warning:]" if missed else ":material/check_circle:"
    words = Safe("; ".join(said))
    return Safe(f"{icon} {t('compare.goal.budget_missed' if missed else 'compare.goal.budget', said=words)}")


def _cost(own: float | None, name: str, most: float) -> Safe:
    if own is None:
        return t("compare.goal.budget_unknown", what=t(f"compare.cost.{name}"), asked=WRITTEN[name](most))
    write = WRITTEN[name]
    value, limit = written.apart(write, own, most) if own > most else (write(own), write(most))
    return t("compare.goal.budget_cost", own=value, asked=limit)


def _loss(read: StudentOutcome, metric: str, lost: float, *, own: bool) -> tuple[list[Safe], bool]:
    """Say whether no more than asked was lost against the teacher, with the interval; and whether that may be.

    `own`: the metric is that of the run, whose score stands beside the line; of another it is named.
    """
    gain = read.own_versus_teacher.get(metric)
    if gain is None:
        return [], True
    write = Written.of(metric, gain)
    shown = f"{100 * lost if write.share else lost:.4g}"
    most = t("runs.verdict.point" if shown == "1" else "runs.verdict.points", value=shown) if write.share else shown
    most = most if own else t("compare.goal.budget_of", most=most, metric=verdict.metric_title(metric))
    if gain.low is None or gain.high is None:
        return [t("compare.goal.budget_lost_mean", most=most, gap=escape(Written.of(metric, gain).cell(gain)))], True
    word = "proven" if gain.low >= -lost else "more" if gain.high < -lost else "open"
    ends = {"low": write.bound(gain.low, -lost), "high": write.bound(gain.high, -lost)}
    return [t(f"compare.goal.budget_lost_{word}", most=most, **ends)], word != "more"
