"""The form of a raw row: what is folded is still part of the row."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


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
