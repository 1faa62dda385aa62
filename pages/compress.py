"""Compress: a finished run's student made smaller, by chains of steps whose every stage is judged."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from pages.ui.compress import form, runs_offered
from pages.ui.export import choosing
from pages.ui.shared import engine, text
from pages.ui.shared.text import t

st.title(t("compress.title"), anchor=False)
st.caption(t("compress.lead"))
store = engine.store()
row = choosing.run(store, "compress", ":material/compress:", among=runs_offered.kept)
if row:
    try:
        names = runs_offered.students(store.folder(row.id))
    except KDError as error:
        text.show_error(error)
        st.stop()
    if not set(names) & set(engine.models_of_run(row.id)):
        st.info(t("compress.no_start"), icon=":material/block:")
        st.stop()
    form.show(store.folder(row.id), choosing.student(row, "compress", names))
