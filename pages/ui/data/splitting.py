"""How rows are split: by a column that gives the parts, or by shares."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.specs import DatasetSpec
from pages.ui.data import listed, sources
from pages.ui.shared import forms, text
from pages.ui.shared.text import t, term

SPLIT = ("validation_share", "test_share", "copies", "split_seed")


def popover(choices: dict[str, Any], columns: list[Any]) -> None:
    """A column that gives the parts, or their shares, and whether copies of a row stay together."""
    held = {**{n: DatasetSpec.model_fields[n].default for n in SPLIT}, **choices}
    rest = 1 - held["validation_share"] - held["test_share"]
    given = choices.get("part")
    label = (
        t("data.split_given", column=text.escape(text.shorten(given, 16)))
        if given
        else t(
            "data.split",
            train=f"{100 * rest:.0f}",
            validation=f"{100 * held['validation_share']:.0f}",
            test=f"{100 * held['test_share']:.0f}",
        )
    )
    with st.popover(label, help=term("split"), width="stretch", key="data-split"):
        listed.choice(
            "part",
            t("data.part"),
            columns,
            choices,
            term("part"),
            format_func=lambda n: t("data.part_none") if n is None else n,
        )
        values = forms.form(DatasetSpec, choices, f"{sources.KEY}.split", only=SPLIT, fold=False)
    if any(values[n] != held[n] for n in values):
        choices.update(values)
        st.rerun()
