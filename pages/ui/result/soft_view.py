"""The parts of the soft-label screen that don't follow the temperature: how faithful the models are, and numbers in place of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.charts import soft_labels as charts
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import picture, text
from pages.ui.shared.text import escape, t

ARMS = ("teacher", "baseline", "student")
BARS = 10  # classes drawn for one row
PICTURE = 160  # pixels on the screen
LISTED = 200  # rows in the table of disagreements


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


def faithful(found: Mapping[str, Any], index: int) -> None:
    """Say how faithfully student and baseline follow the teacher over all seeds and test rows at T = 1, as the result does."""
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
    told = t(
        "soft_labels.faithful_result", num=len(student["seeds"]), rows=text.exact(found["dataset"]["rows"]["test"])
    )
    st.caption(f"{told} {t('soft_labels.faithful_here', seed=entry['seed'])}")


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
