"""Export: a student of a run as a file that answers elsewhere, each kind with its proof."""

from __future__ import annotations

import streamlit as st

from pages.ui.export import choosing, offers
from pages.ui.shared import engine
from pages.ui.shared.text import t

st.title(t("export.title"), anchor=False)
st.caption(t("export.lead"))
store = engine.store()
if row := choosing.run(store):
    offers.show(store.folder(row.id), choosing.student(row))
