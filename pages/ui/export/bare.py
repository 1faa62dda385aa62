"""The model's own file, as the run keeps it and packed: nothing has to be made, and its size is exact."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.export import making
from pages.ui.shared import text
from pages.ui.shared.text import t


def show(folder: RunFolder, taking: Any) -> None:
    """Draw its row: what it needs, how it is opened, and the two forms to download."""
    from kd_core.export import compact
    from kd_core.export.raw_model import DRAWN

    taken = taking.taken
    way = "alone" if taken.facts["schema"] == DRAWN and not taken.facts["texts"] else "reader"
    name = f"{folder.id}-{re.sub(r'[^a-z0-9]+', '-', taken.name.lower()).strip('-')[:40]}.onnx"
    short = making.packed(taken.model)
    with st.container(border=True, key="export-file"):
        st.markdown(f"##### {t('export.file.title')}")
        st.markdown(f"**{t('export.needs')}** {t(f'export.file.needs_{way}')}")
        st.caption(t("export.file.note"))
        usage = t(f"export.file.usage_{way}", file=name)
        st.code(str(usage), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for data, ending in ((taken.model, ""), (short, compact.SUFFIX.removeprefix(".onnx"))):
                st.download_button(
                    t(f"export.file.{'packed' if ending else 'plain'}", size=text.size(len(data))),
                    data,
                    f"{name}{ending}",
                    "application/octet-stream",
                    key=f"export-download-file{ending}",
                    on_click="ignore",
                    icon=":material/download:",
                )
