"""A running prediction service asked about the row of the form, at an address that is allowed here, when a person presses the button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.data.types.base import ColumnType
from kd_core.errors import KDError
from kd_core.export.purpose import Purpose
from pages.ui.shared import text
from pages.ui.shared.text import t
from pages.ui.try_it.models import Reply


def asked(
    row: Mapping[str, Any], types: Mapping[str, ColumnType], purpose: Purpose, key: str
) -> tuple[str, Reply] | None:
    """Return which service was asked and what it says to a row; None where none was told to, or with the reason on the page.

    Nothing is drawn where no address is allowed.
    """
    from kd_core.serving import calling
    from kd_core.teachers import posting

    try:
        known = calling.services()
        if not known:
            return None
        st.caption(f":material/upload: {t('try_it.service_sends')}")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            host = next(iter(known))
            if len(known) > 1:
                host = str(st.selectbox(t("try_it.service_at"), list(known), format_func=text.option, key=f"{key}.at"))
            token = None
            if names := posting.tokens():
                token = st.selectbox(
                    t("try_it.service_token"),
                    names,
                    index=None,
                    placeholder=t("try_it.service_no_token"),
                    key=f"{key}.token",
                )
            if not st.button(t("try_it.service_send", host=host), key=f"{key}.send", icon=":material/send:"):
                return None
        with st.spinner(t("try_it.service_asking")):
            said = calling.ask(known[host], row, types, purpose, token)
    except KDError as error:
        text.show_error(error)
        return None
    return host, Reply(said.answer, said.shares, said.seconds, said.said)
