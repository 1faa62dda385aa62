"""The run being set up as a file: saved, loaded, or put back to the defaults."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.specs import DatasetSpec, RunSpec
from pages.ui.runs import draft
from pages.ui.shared import text, uploader
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import t

RECIPE_MB = 1  # a recipe has a few kilobytes


def show(dataset_id: str, spec: RunSpec | None, dataset: DatasetSpec, facts: Facts) -> None:
    """Save the settings as a file, take them from one, or begin again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if spec is not None:
            st.download_button(
                t("distill.save"),
                spec.to_json,
                "recipe.json",
                "application/json",
                on_click="ignore",
                icon=":material/download:",
                key="distill-save",
                help=t("distill.save_help"),
            )
        with st.popover(t("distill.load"), icon=":material/upload:"):
            turn = st.session_state.setdefault("distill_recipe_turn", 0)
            file = uploader.drop(t("distill.load_label"), ["json"], f"distill-recipe-{turn}", RECIPE_MB)
            if file is not None:
                try:
                    loaded = RunSpec.from_json(file.getvalue().decode("utf-8", "replace"))
                    draft.put(dataset_id, draft.of_spec(draft.with_checked_parts(loaded)))
                except KDError as error:
                    text.show_error(error)
                else:
                    st.session_state["distill_recipe_turn"] = turn + 1
                    st.session_state.pop("distill_cloned", None)
                    st.rerun()
        if st.button(
            t("distill.reset"), key="distill-reset", icon=":material/restart_alt:", help=t("distill.reset_help")
        ):
            draft.put(dataset_id, draft.defaults(dataset, facts.task))
            st.session_state.pop("distill_cloned", None)
            st.rerun()
