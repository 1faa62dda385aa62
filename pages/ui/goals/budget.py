"""Whether a model keeps to what a person asked for, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core import written
from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.choosing.against import in_percent
from kd_core.runs.outcome import read_outcome
from pages.ui.goals import kept
from pages.ui.goals.candidates import WRITTEN, Candidate, Goals, written_score
from pages.ui.result import comparison, differences
from pages.ui.result.differences import Written
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import decision

WORDS = ("missed", "kept", "open")  # what became of a goal, in the order in which it is told where one was missed
STATES = {"proven": "kept", "more": "missed", "more_mean": "missed", "open": "open"}


def show(found: Mapping[str, Any], index: int, data: str) -> None:
    """Draw the line below a verdict; nothing where no goals were asked for."""
    if said := line(found, index, kept.kept(data, found)):
        st.markdown(said)


def line(found: Mapping[str, Any], index: int, asked: Goals) -> Safe | None:
    """Say what the model that the verdict's line tells of uses up of each goal, and whether a loss within the goal is proven; None without goals of its metric."""
    outcome = read_outcome(found)
    read = outcome.students[index]
    taken = decision.about(outcome, index)
    size = read.bytes if taken.block is read.raw else None
    costs = {"size": size or taken.block.get("size_bytes"), "latency": comparison.cost(taken.block, "latency")}
    own = Candidate(read.name, read.name, taken.arm.mean(asked.metric) if asked.metric else None, costs)
    missed = asked.missed(own)
    said = [_cost(own.costs[name], name, most) for name, most in asked.most.items() if name in costs]
    if asked.lost is not None:
        theirs = (found["teacher"].get("metrics") or {}).get(asked.metric)
        said += _loss(taken.gains, asked.metric, asked.lost, theirs, own=asked.metric == found["metric"]["name"])
    elif asked.worst is not None and own.value is not None:
        value, worst = text.score(own.value), text.score(asked.worst)
        if "metric" in missed:
            value, worst = written.apart(written_score, own.value, asked.worst)
        score = t("compare.goal.budget_score", metric=differences.metric_title(asked.metric), own=value, asked=worst)
        said.append(("missed" if "metric" in missed else "kept", score))
    if not said:
        return None
    parts = {word: Safe("; ".join(own for state, own in said if state == word)) for word in WORDS}
    if not parts["missed"]:
        words = Safe("; ".join(own for _, own in said))
        icon = "info" if parts["open"] else "check_circle"  # a tick is for what is sure
        return Safe(f":material/{icon}: {t('compare.goal.budget', said=words)}")
    told = [str(t(f"compare.goal.budget_{word}", said=own)) for word, own in parts.items() if own]
    return Safe(f":orange[:material/warning:] {' '.join(told)}")


def _cost(own: float | None, name: str, most: float) -> tuple[str, Safe]:
    """Pair what is used up of a limit with whether that is kept."""
    if own is None:
        return "open", t("compare.goal.budget_unknown", what=t(f"compare.cost.{name}"), asked=WRITTEN[name](most))
    write, over = WRITTEN[name], own > most
    value, limit = written.apart(write, own, most) if over else (write(own), write(most))
    said = t("compare.goal.budget_cost", own=value, asked=limit)
    return ("missed", t(f"compare.goal.budget_over.{name}", said=said)) if over else ("kept", said)


def _loss(
    gains: Mapping[str, Gain], metric: str, lost: float, theirs: float | None, *, own: bool
) -> list[tuple[str, Safe]]:
    """Say whether no more than asked was lost against the teacher, with the interval.

    `theirs`: the teacher's score, of which the loss of an error is told in percent, as it was asked for; `own`: the metric is that of the run, whose score stands beside the line; of another it is named.
    """
    gain = gains.get(metric)
    if gain is None:
        return []
    write = Written.of(metric, gain)
    shown = f"{100 * lost if write.share else lost:.4g}"
    most = t("runs.verdict.point" if shown == "1" else "runs.verdict.points", value=shown) if write.share else shown
    if in_percent(metric) and theirs:
        most = t("compare.goal.budget_percent", most=most, percent=f"{100 * lost / abs(theirs):.3g}")
    most = most if own else t("compare.goal.budget_of", most=most, metric=differences.metric_title(metric))
    if gain.low is None or gain.high is None:
        gap = escape(Written.of(metric, gain).cell(gain))
        return [("open", t("compare.goal.budget_lost_mean", most=most, gap=gap))]
    beyond = "more" if gain.high < -lost else "more_mean"
    word = "proven" if gain.low >= -lost else beyond if gain.mean < -lost else "open"
    ends = {"low": write.bound(gain.low, -lost), "high": write.bound(gain.high, -lost)}
    return [(STATES[word], t(f"compare.goal.budget_lost_{word}", most=most, **ends))]
