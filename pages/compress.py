"""Compress: a finished run's student made smaller, by chains of steps whose every stage is judged."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from pages.ui.compress import form, runs_offered
from pages.ui.export import choosing
from pages.ui.shared import engine, session, text
from pages.ui.shared.text import t


def without_weights(folder: RunFolder) -> bool:
    """Say calmly that an ordinary run keeps no weights to begin with, and offer to run its recipe again; False where it keeps them."""
    spec = folder.spec()
    if any((spec.sweep, spec.compress, spec.continues)) or runs_offered.kept(folder.id):
        return False
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="compress-clone-note"):
        st.markdown(f":material/lightbulb: {t('compress.no_weights')}", width="stretch")
        if st.button(
            t("compress.clone"), key="compress-clone", icon=":material/content_copy:", help=t("compress.clone_run_help")
        ):
            session.go("distill.py", clone=folder.id)
    return True


st.title(t("compress.title"), anchor=False)
st.caption(t("compress.lead"))
store = engine.store()
row = choosing.run(store, "compress", ":material/compress:", among=runs_offered.able, instead=runs_offered.first)
if row:
    runs_offered.left_out(row.id)
    try:
        names = runs_offered.students(store.folder(row.id))
        if without_weights(store.folder(row.id)):
            st.stop()
    except KDError as error:
        text.show_error(error)
        st.stop()
    names = [name for name in names if name in engine.models_of_run(row.id)]
    if not names:
        st.info(t("compress.no_start"), icon=":material/block:")
        st.stop()
    try:
        able = runs_offered.networks(row.id, names)
    except KDError:  # which the form tells of the student that is chosen
        able = names
    student = choosing.student(row, "compress", names, rather=able)
    if student in able and len(able) < len(names):
        trees = ", ".join(name for name in names if name not in able)
        st.caption(f":material/block: {t('compress.trees', names=trees)}")
    form.show(store.folder(row.id), student)
