"""Share a run's soft labels as a package without labels: what of the rows goes along, and what it tells anyway."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import RunSpec
from pages.ui.shared import text
from pages.ui.shared.text import t

WAYS = ("columns", "encoded", "made")


def show(folder: RunFolder, found: Mapping[str, Any] | None) -> None:
    """Draw the form of a package; it is made when asked for, of answers that are kept."""
    if not found or not (found.get("artifacts") or {}).get("rows"):
        return
    key, made_for = f"package.{folder.id}", f"package.{folder.id}.made_for"
    with st.expander(t("runs.package.title"), icon=":material/inventory_2:"):
        st.markdown(t("runs.package.note"))
        try:
            spec = folder.spec()
            names = _names(folder, spec, found)
        except (KDError, OSError) as error:
            text.show_error(error)
            return
        way = st.radio(t("runs.package.what"), WAYS, key=f"{key}.way", format_func=lambda w: t(f"runs.package.{w}"))
        chosen: list[str] = ["encoded"]
        if way != "encoded":
            chosen = st.multiselect(
                t("runs.package.names"), names, key=f"{key}.names", help=t("runs.package.names_help")
            )
        asked = way, tuple(chosen)
        pressed = st.button(
            t("runs.package.make"), key=f"{key}.make", icon=":material/inventory_2:", disabled=not chosen
        )
        if pressed:
            st.session_state.pop(made_for, None)
            try:
                with st.spinner(t("runs.package.making")):
                    st.session_state[made_for] = (asked, *_made(folder, spec, found, chosen, made=way == "made"))
            except KDError as error:
                text.show_error(error)
        if st.session_state.get(made_for, (None,))[0] == asked:
            _, told, data = st.session_state[made_for]
            if told is None:
                st.warning(t("runs.package.not_kept", run=folder.id))
                return
            shown = {"rows": text.exact(told.rows), "columns": len(told.kinds), "left": text.exact(told.left_out)}
            st.markdown(t("runs.package.done", **shown))
            for leak in told.leaks:
                st.caption(t("runs.package.leak", leak=leak))
            st.download_button(
                t("runs.package.download"),
                data,
                f"{folder.id}.soft-labels.zip",
                "application/zip",
                key=f"{key}.download",
                on_click="ignore",
                icon=":material/download:",
            )


def _names(folder: RunFolder, spec: RunSpec, found: Mapping[str, Any]) -> list[str]:
    """Name the columns that students of the run could read."""
    from kd_core.teachers.base import own_columns

    data = spec.dataset
    known = pq.read_schema(folder.path / found["artifacts"]["rows"]).names
    hidden = {data.target, data.part, *data.drop, *data.answer_columns, *own_columns(spec.teacher)}
    return [name for name in known if name not in hidden]


def _made(
    folder: RunFolder, spec: RunSpec, found: Mapping[str, Any], columns: list[str], *, made: bool
) -> tuple[Any, bytes]:
    """Make the package if the teacher's answers are kept; (None, nothing) where a teacher would have to be trained."""
    from kd_core.distill import hears_features, hears_maps, hears_network
    from kd_core.export import label_package
    from kd_core.runs import plan
    from kd_core.teachers.answer_cache.cache import TeacherCache
    from kd_core.workspace import workspace

    folds, times = plan.folds_of(spec, found["dataset"]["rows"]["train"]), spec.training.made_rows or int(made)
    about = (
        hears_features(spec.objective),
        spec.evaluation.metric,
        times,
        hears_maps(spec.objective),
        hears_network(spec),
    )
    cache = TeacherCache(workspace() / "teachers")
    if not cache.holds(spec.dataset, spec.teacher, folds, spec.training.first_seed, *about):
        return None, b""
    with tempfile.TemporaryDirectory(prefix="kd-") as place:
        out = Path(place) / "package.zip"
        told = label_package.write(
            spec, folds, out, columns, made=made, notify=lambda event: None, should_stop=lambda: False
        )
        return told, out.read_bytes()
