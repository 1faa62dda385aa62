"""Rows with several labels on the screens: how often each stands in a file, what was learned of each, and what a row's answers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.data.table import Profile
from kd_core.runs.settings.untaught import own_baseline
from kd_core.task import task_of
from pages.ui.access import cards
from pages.ui.charts import confusion as charts
from pages.ui.charts import data as data_charts
from pages.ui.charts import soft_labels as bar_charts
from pages.ui.result import differences
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import picture, text
from pages.ui.shared.text import escape, t
from pages.ui.soft import labels as live
from pages.ui.soft.labels import shares

Result = Mapping[str, Any]
ARMS = ("teacher", "baseline", "student")
AVERAGE_PRECISION = "pr_auc"  # a share; the registry knows it by this name
DRAWN = 40  # labels in a chart
LISTED = 20  # labels whose table stands whole; more of them scroll
BARS = 12  # labels drawn of one row


def are_labels(task: str | None) -> bool:
    """Say whether a row may have several labels."""
    return task is not None and task_of(task).each_alone


def frequencies(found: Profile) -> None:
    """Draw how often each label stands in the rows of a file, commonest first; nothing for other targets."""
    if not are_labels(found.task) or not found.classes:
        return
    order = sorted(range(len(found.classes)), key=lambda k: -found.class_counts[k])
    names, counts = [found.classes[k] for k in order], [found.class_counts[k] for k in order]
    told = {"most": names[0], "least": names[-1], "count": text.exact(counts[0]), "fewest": text.exact(counts[-1])}
    st.markdown(f"**{t('labels.frequencies')}**")
    figure = data_charts.distribution(names[:DRAWN], counts[:DRAWN], str(found.target), str(t("labels.rows_axis")))
    picture.show(figure, "data-labels", t("labels.frequencies_alt", num=text.exact(len(names)), **told))
    if len(names) > DRAWN:
        st.caption(t("labels.frequencies_more", num=text.exact(len(names) - DRAWN)))


def overview(found: Result, index: int) -> None:
    """List every label with its F1 and average precision by arm, and what distilling gained; nothing for other targets."""
    told = found["students"][index].get("labels")
    if not told:
        return
    st.markdown(f"**{t('labels.title')}**")
    frame = table(told, [str(c) for c in found["dataset"]["classes"]])
    if own_baseline(found["students"][index]):  # nothing to compare
        frame = frame.drop(columns=str(t("labels.gain")))
    if len(frame) <= LISTED:
        with st.container(key="labels-table"):
            names = pd.Index([escape(name) for name in frame.iloc[:, 0]], name=frame.columns[0])
            st.table(frame.iloc[:, 1:].set_index(names), border="horizontal")
    else:
        cards.table(frame, hide_index=True, height=420, alt=t("labels.title"))
    st.caption(t("labels.note"))


def table(told: Any, classes: list[str]) -> pd.DataFrame:
    """Lay labels out, those of most rows first."""
    arms = arm_names()
    lines = []
    for k in sorted(range(len(told)), key=lambda k: -told[k]["rows"]):
        one = told[k]
        known = [arm for arm in ARMS if arm in one["f1"]]
        lines.append(
            {
                str(t("labels.label")): classes[k],
                str(t("labels.positive")): one["rows"],
                **{str(t("labels.f1", arm=arms[a])): text.score(one["f1"][a], 3) for a in known},
                **{str(t("labels.precision", arm=arms[a])): text.score(one["average_precision"][a], 3) for a in known},
                str(t("labels.gain")): gained(one["gain"]),
            }
        )
    return pd.DataFrame(lines)


def gained(gain: Mapping[str, Any] | None) -> str:
    """Write a label's gain in average precision with its interval. Example: `+1.2 points [−0.3, +2.7]`."""
    if gain is None:
        return str(t("labels.gain_none"))
    low, high = gain["ci_family"]
    return differences.told(AVERAGE_PRECISION, gain["mean"], low, high)


def mistakes(found: Result, index: int) -> None:
    """Draw for every label the rows in which it was found, missed, and called though it is not right."""
    told, classes = found["students"][index].get("labels"), [str(c) for c in found["dataset"]["classes"]]
    if not told:
        st.markdown(t("labels.mistakes_none"))
        return
    known = [arm for arm in ("student", "baseline", "teacher") if arm in told[0]["counts"]]
    arm = st.segmented_control(
        t("labels.of"),
        known,
        default=known[0],
        format_func=lambda a: arm_names()[a],
        key="labels-mistakes-of",
        help=t("labels.of_help"),
        required=True,
    )
    arm = str(arm or known[0])
    counts = np.array([one["counts"][arm] for one in told])
    st.markdown(summary(counts, classes, arm))
    order = np.argsort(-(counts[:, 1] + counts[:, 2]), kind="stable")[:DRAWN]
    figure = charts.found_and_missed(
        counts[order],
        [classes[k] for k in order],
        words=[str(t(f"labels.{word}")) for word in ("found", "missed", "wrong")],
        x_title=str(t("labels.mistakes_axis")),
    )
    alts = [
        t(
            "labels.mistakes_alt",
            label=classes[k],
            found=text.exact(round(counts[k, 0])),
            missed=text.exact(round(counts[k, 1])),
            wrong=text.exact(round(counts[k, 2])),
        )
        for k in order[:6]
    ]
    picture.show(figure, f"labels-mistakes-{arm}", text.Safe("; ".join(alts)))
    st.caption(t("labels.mistakes_note"))
    if len(classes) > DRAWN:
        st.caption(t("labels.mistakes_more", num=text.exact(len(classes) - DRAWN)))


def summary(counts: Any, classes: list[str], arm: str) -> text.Safe:
    """Say what share of the right labels is found, and which one is missed most."""
    found, missed, wrong = counts.sum(axis=0)
    name = arm_names()[arm].lower()
    if not missed:
        return t("labels.mistakes_perfect", arm=name)
    worst = int(np.argmax(counts[:, 1]))
    return t(
        "labels.mistakes",
        arm=name,
        share=text.percent(found / (found + missed)),
        called=text.percent(found / (found + wrong) if found + wrong else None),
        label=classes[worst],
        missed=text.exact(round(counts[worst, 1])),
        rows=text.exact(round(counts[worst, 0] + counts[worst, 1])),
    )


def soft(kept: Kept, found: Result, index: int, stamps: Sequence[int]) -> None:
    """Draw labels as each model answers them at any temperature, and say how far student and baseline follow the teacher."""
    live.show(kept, found, index, stamps)
    st.caption(t("labels.soft_note"))
    said = {arm: kept.logits[arm] >= 0 for arm in ARMS}
    for place, arm in zip(st.columns(2), ("student", "baseline"), strict=True):
        same = float((said[arm] == said["teacher"]).mean())
        place.metric(t("labels.agreement", arm=arm_names()[arm]), text.percent(same), help=t("labels.agreement_help"))


def cell(arrays: Mapping[str, Any], z_teacher: Any, z_cell: Any, classes: Any, temperature: float) -> None:
    """Draw a kept validation row as the teacher and one cell of a what-if answer it."""
    p = {"teacher": shares(z_teacher, temperature), "student": shares(z_cell, temperature)}
    apart = np.abs(p["student"] - p["teacher"]).mean(axis=1)
    order = np.argsort(-apart, kind="stable")
    ids = [int(arrays["row_ids"][i]) + 1 for i in order]
    chosen = st.selectbox(t("labels.row"), ids, key="whatif-labels-row", help=t("labels.row_help"))
    at = int(order[ids.index(chosen)]) if chosen in ids else int(order[0])
    bars(p, arrays["labels"][at] > 0, [str(c) for c in classes], at, int(arrays["row_ids"][at]) + 1)
    st.caption(t("labels.cell_note", t=f"{temperature:g}"))


def drawn_labels(p: Mapping[str, Any], has: Any, at: int) -> list[int]:
    """Choose the labels to draw of a row: those it has, then those of which a model is surest, in the teacher's order."""
    surest = np.max([p[arm][at] for arm in p], axis=0)
    ranked = sorted(range(len(has)), key=lambda k: (not has[k], -surest[k]))[:BARS]
    return sorted(ranked, key=lambda k: -p["teacher"][at][k])


def bars(p: Mapping[str, Any], has: Any, classes: list[str], at: int, row: int) -> None:
    """Draw a row's labels, each model beside the others, and say which are right."""
    shown = drawn_labels(p, has, at)
    names = [classes[k] for k in np.flatnonzero(has)]
    st.markdown(t("labels.right", labels=", ".join(names)) if names else t("labels.right_none"))
    figure = bar_charts.bars(
        {arm: [float(values[at][k]) for k in shown] for arm, values in p.items()},
        [f"✓ {classes[k]}" if has[k] else classes[k] for k in shown],
        names=arm_names(),
        x_title=str(t("labels.axis")),
    )
    told = [
        t(
            "labels.bars_one",
            label=classes[k],
            teacher=text.percent(p["teacher"][at][k]),
            student=text.percent(p["student"][at][k]),
        )
        for k in shown[:5]
    ]
    picture.show(figure, "labels-soft-bars", t("labels.bars_alt", row=text.exact(row), told=text.Safe("; ".join(told))))
    if len(classes) > len(shown):
        st.caption(t("labels.bars_more", num=len(shown), of=text.exact(len(classes))))
