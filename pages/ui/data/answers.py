"""A table without true labels: the columns that hold a model's answers, of which the target is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from kd_core.data.types.answered import MADE_TARGET
from pages.ui.data import sources, target_question
from pages.ui.shared import forms
from pages.ui.shared.text import t

HELD = "answer_columns"


def choose(choices: dict[str, Any], names: Sequence[str]) -> None:
    """Offer to take a model's answers for the target; they are kept from the students."""
    held = [n for n in choices.get(HELD) or () if n in names]
    with st.expander(t("data.answers"), icon=":material/school:", expanded=bool(held)):
        chosen = st.multiselect(
            t("data.answers_columns"),
            list(names),
            key=forms.seed(f"{sources.KEY}.{HELD}", held),
            help=t("data.answers_help"),
            placeholder=t("data.answers_none"),
        )
        if chosen:
            st.caption(t("data.answers_note"))
    if chosen != held:
        take(choices, chosen, held)
        st.rerun()


def with_target(choices: dict[str, Any], names: list[str]) -> list[str]:
    """Return the columns' names and, where it is made from answers in columns that are still there, the target's."""
    choices[HELD] = [n for n in choices.get(HELD) or () if n in names]
    return [*names, MADE_TARGET] if choices[HELD] else names


def take(choices: dict[str, Any], chosen: list[str], held: list[str]) -> None:
    """Change what the target is made of; without a column it is chosen among the table's again."""
    left = [n for n in choices.get("drop") or () if n not in held]
    choices.update({HELD: chosen, "drop": [*left, *chosen], "target": MADE_TARGET if chosen else None})
    target_question.forget(choices)
    forms.forget(f"{sources.KEY}.target")
