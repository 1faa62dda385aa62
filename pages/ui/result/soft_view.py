"""The parts of the soft-label screen: one row, all rows, classes alike, and where the models part ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.evaluate import soft_labels
from pages.ui.charts import soft_labels as charts
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import picture, text
from pages.ui.shared.text import escape, t

ARMS = ("teacher", "baseline", "student")
LEAD = 0.2  # from here on the first class of a row is told from the second at a glance
BARS = 10  # classes drawn for one row
PICTURE = 160  # pixels on the screen
LISTED = 200  # rows in the table of disagreements


def order(kept: Kept) -> Any:
    """Positions where student and teacher disagree, the widest apart first; else the most undecided row."""
    found = soft_labels.disagreements(kept.logits["teacher"], kept.logits["student"])
    if len(found):
        return found
    return np.argsort(-soft_labels.entropy(soft_labels.soften(kept.logits["teacher"])))[:1]


def opening_row(kept: Kept) -> int:
    """Position of the row to begin with: the teacher is clearly right and has the strongest runner-up.

    Where it is clearly right on no row, any lead will do; where it is right on none, the first of `order`.
    """
    p = soft_labels.soften(kept.logits["teacher"])
    second, top = np.sort(p, axis=1)[:, -2:].T
    right = p.argmax(axis=1) == kept.labels
    for rows in (np.flatnonzero(right & (top - second >= LEAD)), np.flatnonzero(right)):
        if len(rows):
            return int(rows[int(second[rows].argmax())])
    return int(order(kept)[0])


def one_row(kept: Kept, at: int, classes: Sequence[str], temperature: float) -> None:
    """Draw the shares of one row, with the runner-up named."""
    p = {arm: soft_labels.soften(kept.logits[arm][at], temperature) for arm in ARMS}
    label = int(kept.labels[at])
    shown = drawn_classes(p, label)
    st.markdown(
        f"**{t('soft_labels.bars', t=f'{temperature:g}')}** · {t('soft_labels.is_label', label=str(classes[label]))}"
    )
    fig = charts.bars(
        {arm: [float(p[arm][c]) for c in shown] for arm in ARMS},
        [classes[c] for c in shown],
        names=arm_names(),
        x_title=t("soft_labels.bars_axis"),
        label=shown.index(label),
        label_mark=t("soft_labels.bars_label"),
    )
    note = row_sentence(p, label, classes)
    picture.show(fig, "soft-bars", note)
    if len(shown) < len(classes):
        st.caption(t("soft_labels.bars_cut", shown=len(shown), of=len(classes)))
    st.caption(note)


def row_sentence(p: Mapping[str, Any], label: int, classes: Sequence[str]) -> text.Safe:
    """Say what the label leaves out: the runner-up where the teacher is right, the label's share where it is wrong."""
    ranked = [int(c) for c in np.argsort(-p["teacher"], kind="stable")]
    top = ranked[0]
    other = label if top != label else ranked[1]
    key = "bars_right" if top == label else "bars_wrong"
    return t(
        f"soft_labels.{key}",
        top=str(classes[top]),
        other=str(classes[other]),
        p_top=text.percent(p["teacher"][top]),
        p_other=text.percent(p["teacher"][other]),
        s_top=text.percent(p["student"][top]),
        s_other=text.percent(p["student"][other]),
    )


def drawn_classes(p: Mapping[str, Any], label: int) -> list[int]:
    """Choose the classes to draw: likeliest for teacher and student, and the label, in the teacher's order."""
    ranked = [int(c) for c in np.argsort(-p["teacher"], kind="stable")]
    if len(ranked) <= BARS:
        return ranked
    kept = {*ranked[: BARS - 3], *(int(c) for c in np.argsort(-p["student"], kind="stable")[:2]), label}
    return [c for c in ranked if c in kept]


def row_values(kept: Kept, at: int) -> None:
    """Draw a row as the student's view shows it; a data frame shows its cells literally."""
    shown = kept.shown(at)
    for file in shown.pictures.values():
        st.image(file, width=PICTURE, alt=t("soft_labels.picture"))
    for name, words in shown.texts.items():
        st.markdown(f"**{escape(name)}**")
        st.text(words)
    if not shown.fields:
        return
    columns = (str(t("soft_labels.value_column")), str(t("soft_labels.value_value")))
    frame = pd.DataFrame(list(shown.fields.items()), columns=columns)
    st.markdown(f"**{t('soft_labels.values')}**")
    st.dataframe(frame, hide_index=True, height=min(38 * (len(frame) + 1), 320), alt=t("soft_labels.values"))


def faithful(kept: Kept, found: Mapping[str, Any], index: int, temperature: float) -> None:
    """Say how faithfully student and baseline follow the teacher: the result's numbers, then those of what is drawn.

    The result speaks of all seeds and all test rows at T = 1; this page draws one seed on the kept rows at the chosen T.
    """
    student, entry = found["students"][index], found["artifacts"]["students"][index]
    for place, (arm, block) in zip(
        st.columns(2), (("student", student), ("baseline", student["baseline"])), strict=True
    ):
        told = block.get("fidelity") or {}
        far = text.score((told.get("kl") or {}).get("mean"))
        place.metric(
            t("soft_labels.agreement", arm=arm_names()[arm]),
            text.percent((told.get("agreement") or {}).get("mean")),
            help=t("soft_labels.agreement_help"),
            delta=t("soft_labels.kl_line", value=far),
            delta_color="off",
            delta_arrow="off",
        )
    teacher = kept.logits["teacher"]
    here = {
        arm: (soft_labels.agreement(teacher, kept.logits[arm]), soft_labels.kl(teacher, kept.logits[arm], temperature))
        for arm in ("student", "baseline")
    }
    st.caption(
        t("soft_labels.faithful_result", num=len(student["seeds"]), rows=text.exact(found["dataset"]["rows"]["test"]))
        + " "
        + t(
            "soft_labels.faithful_here",
            seed=entry["seed"],
            rows=text.exact(len(kept.labels)),
            t=f"{temperature:g}",
            student=text.percent(here["student"][0]),
            baseline=text.percent(here["baseline"][0]),
            kl=text.score(here["student"][1]),
            kl_baseline=text.score(here["baseline"][1]),
        )
    )


def all_rows(kept: Kept, temperature: float) -> None:
    """Draw how sure and how undecided the models are over all kept rows."""
    p = {arm: soft_labels.soften(kept.logits[arm], temperature) for arm in ARMS}
    num = kept.logits["teacher"].shape[1]
    largest = {arm: p[arm].max(axis=1) for arm in ARMS}
    st.markdown(f"**{t('soft_labels.max_title')}**")
    fig = charts.distribution(
        largest,
        names=arm_names(),
        x_title=t("soft_labels.max_axis"),
        y_title=t("soft_labels.rows_axis"),
        low=1 / num,
        high=1.0,
    )
    at_one = soft_labels.soften(kept.logits["teacher"]).max(axis=1).mean()
    note = t(
        "soft_labels.max_note",
        t=f"{temperature:g}",
        mean=text.percent(largest["teacher"].mean()),
        at_one=text.percent(at_one),
    )
    picture.show(fig, "soft-max", note)
    st.caption(note)
    nats = {arm: soft_labels.entropy(p[arm]) for arm in ARMS}
    st.markdown(f"**{t('soft_labels.entropy_title')}**")
    fig = charts.distribution(
        nats,
        names=arm_names(),
        x_title=t("soft_labels.entropy_axis"),
        y_title=t("soft_labels.rows_axis"),
        low=0.0,
        high=float(np.log(num)),
    )
    means = {arm: text.score(float(nats[arm].mean()), 2) for arm in ARMS}
    note = t("soft_labels.entropy_note", t=f"{temperature:g}", most=f"{np.log(num):.2f}", **means)
    picture.show(fig, "soft-entropy", note)
    st.caption(note)


def alike(kept: Kept, classes: Sequence[str], temperature: float) -> None:
    """Draw the mean soft label per true class, and name the pair that looks most alike."""
    p = soft_labels.soften(kept.logits["teacher"], temperature)
    mean = soft_labels.class_similarity(p, kept.labels, len(classes))
    st.markdown(f"**{t('soft_labels.similarity')}**")
    fig = charts.similarity(
        mean,
        classes,
        x_title=t("soft_labels.similarity_x"),
        y_title=t("soft_labels.similarity_y"),
        dark=bool(st.context.theme.type == "dark"),
    )
    a, b = most_alike(mean)
    note = t("soft_labels.similarity_note", a=str(classes[a]), b=str(classes[b]), share=text.percent(mean[a, b]))
    picture.show(fig, "soft-similarity", note)
    st.caption(note)


def most_alike(mean_CC: Any) -> tuple[int, int]:
    """Position of the largest cell off the diagonal."""
    beside = np.array(mean_CC, dtype=float)
    np.fill_diagonal(beside, -1.0)
    a, b = np.unravel_index(int(beside.argmax()), beside.shape)
    return int(a), int(b)


def parted(kept: Kept, classes: Sequence[str], temperature: float, found: Any) -> None:
    """List the rows where student and teacher part ways; `found` are their positions, the widest apart first."""
    st.markdown(f"**{t('soft_labels.apart')}**")
    if not len(found):
        st.caption(t("soft_labels.apart_none"))
        return
    shown = found[:LISTED]
    p = {arm: soft_labels.soften(kept.logits[arm][shown], temperature) for arm in ("teacher", "student")}
    far = 0.5 * np.abs(p["teacher"] - p["student"]).sum(axis=1)

    def said(arm: str) -> list[str]:
        return [
            f"{classes[int(c)]} · {text.percent(float(row[c]))}"
            for row, c in zip(p[arm], p[arm].argmax(axis=1), strict=True)
        ]

    frame = pd.DataFrame(
        {
            str(t("soft_labels.apart_row")): kept.row_ids[shown] + 1,
            str(t("soft_labels.apart_label")): [str(classes[int(c)]) for c in kept.labels[shown]],
            str(t("soft_labels.apart_teacher")): said("teacher"),
            str(t("soft_labels.apart_student")): said("student"),
            str(t("soft_labels.apart_distance")): far.round(3),
        }
    )
    clickable(
        frame,
        "soft-apart",
        {
            str(t("soft_labels.apart_distance")): st.column_config.NumberColumn(
                help=t("soft_labels.apart_distance_help"), format="%.3f"
            )
        },
    )
    st.caption(t("soft_labels.apart_note", num=text.exact(len(found)), of=text.exact(len(kept.labels))))


def clickable(frame: pd.DataFrame, key: str, config: dict[str, Any]) -> None:
    """Show a table whose rows can be clicked; the next run reads the click by `take_click`."""
    turn = st.session_state.get(f"{key}-turn", 0)
    st.dataframe(
        frame,
        hide_index=True,
        height=320,
        key=f"{key}-{turn}",
        on_select="rerun",
        selection_mode="single-cell",
        alt=t("soft_labels.apart"),
        column_config=config,
    )


def take_click(key: str) -> int | None:
    """Return the row that was clicked just now, once; read before the table is drawn again."""
    turn = st.session_state.get(f"{key}-turn", 0)
    cells = (st.session_state.get(f"{key}-{turn}") or {}).get("selection", {}).get("cells")
    if not cells:
        return None
    st.session_state[f"{key}-turn"] = turn + 1
    return int(cells[0][0])


def regression(kept: Kept, found: Mapping[str, Any]) -> None:
    """Draw predictions in the target's unit, and list where student and teacher differ most."""
    mean, std = found["artifacts"]["target_mean"], found["artifacts"]["target_std"]
    values = {arm: kept.logits[arm][:, 0].astype(float) * std + mean for arm in ARMS}
    target = str(found["dataset"]["target"])
    st.markdown(f"**{t('soft_labels.regression.scatter')}**")
    fig = charts.predictions(
        kept.labels,
        values,
        names=arm_names(),
        x_title=t("soft_labels.regression.x", target=target),
        y_title=t("soft_labels.regression.y", target=target),
        diagonal=t("soft_labels.regression.diagonal"),
        row_ids=kept.row_ids + 1,
        row_title=t("soft_labels.row_choice"),
    )
    away = {arm: float(np.abs(values[arm] - values["teacher"]).mean()) for arm in ("student", "baseline")}
    note = t(
        "soft_labels.regression.scatter_note",
        student=text.score(away["student"], 2),
        baseline=text.score(away["baseline"], 2),
    )
    picture.show(fig, "soft-scatter", note)
    st.caption(note)
    apart = values["student"] - values["teacher"]
    shown = np.argsort(-np.abs(apart), kind="stable")[:LISTED]
    st.markdown(f"**{t('soft_labels.apart')}**")
    r = "soft_labels.regression."
    frame = pd.DataFrame(
        {
            str(t("soft_labels.apart_row")): kept.row_ids[shown] + 1,
            str(t(f"{r}true")): kept.labels[shown].astype(float).round(2),
            **{str(t(f"{r}{arm}")): values[arm][shown].round(2) for arm in ("teacher", "baseline", "student")},
            str(t(f"{r}difference")): apart[shown].round(2),
        }
    )
    clickable(frame, "soft-far", {})
    st.caption(t("soft_labels.regression.apart_note", num=len(shown)))
    at = take_click("soft-far")
    if at is not None:
        st.session_state["soft-row"] = int(shown[at])
    chosen = st.session_state.get("soft-row")
    if chosen is not None and chosen < len(kept.labels):
        st.markdown(f"**{escape(t('soft_labels.row', row=text.exact(int(kept.row_ids[chosen]) + 1)).capitalize())}**")
        row_values(kept, chosen)
