"""The form of a raw row: what is folded is still part of the row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from pages.ui.try_it import row_form


def form(columns: int) -> None:
    import pandas as pd
    import streamlit as st

    from kd_core.data.types.base import ColumnType
    from pages.ui.try_it import row_form

    row = {f"c{i}": float(i) for i in range(columns)}
    types = {name: ColumnType(kind="number") for name in row}
    st.session_state["row"] = row_form.fields(types, row, pd.DataFrame([row]), "row")


@pytest.mark.parametrize(("columns", "folded"), [(12, 0), (15, 0), (16, 4), (64, 48)])
def test_columns_after_the_first_are_folded_and_stay_part_of_the_row(columns, folded):
    at = AppTest.from_function(form, args=(columns,)).run()
    assert not at.exception
    within = [box.label for fold in at.expander for box in fold.number_input]
    assert within == [f"c{i}" for i in range(12, 12 + folded)]
    assert len(at.number_input) == min(columns, 60)
    assert at.session_state["row"] == {f"c{i}": float(i) for i in range(columns)}
    if folded:
        next(box for box in at.number_input if box.label == "c13").set_value(99.0).run()
        assert at.session_state["row"]["c13"] == 99.0


@pytest.mark.parametrize("form", ["%d.%m.%Y", dates.ISO, dates.UNIX_SECONDS])
def test_a_kept_time_stands_in_the_form_as_its_file_writes_it(form):
    column = ColumnType("datetime", date_format=form)
    row = row_form.filled({"at": column, "gone": column}, {"at": pd.Timestamp("2026-03-09"), "gone": pd.NaT})
    assert row["at"] == {"%d.%m.%Y": "09.03.2026", dates.ISO: "2026-03-09 00:00:00"}.get(form, "1773014400")
    assert dates.read_dates([row["at"]], form)[0] == np.datetime64("2026-03-09") and pd.isna(row["gone"])
