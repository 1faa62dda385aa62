"""The parts of the soft-label screen that don't follow the temperature: how faithful the models are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.result.differences import arm_names
from pages.ui.shared import text
from pages.ui.shared.text import t

ARMS = ("teacher", "baseline", "student")
BARS = 10  # classes drawn for one row


def drawn_classes(p: Mapping[str, Any], label: int) -> list[int]:
    """Choose the classes to draw: likeliest for teacher and student, and the label, in the teacher's order."""
    ranked = [int(c) for c in np.argsort(-p["teacher"], kind="stable")]
    if len(ranked) <= BARS:
        return ranked
    kept = {*ranked[: BARS - 3], *(int(c) for c in np.argsort(-p["student"], kind="stable")[:2]), label}
    return [c for c in ranked if c in kept]


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
