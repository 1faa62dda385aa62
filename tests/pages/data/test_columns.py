"""A column's bars: values by name, and what has no bar of its own told in words."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from kd_core.data.table import ColumnProfile
from pages.ui.data import columns, row_card
from pages.ui.shared.text import t

MANY = ColumnProfile("shop", "category", 0, 50, histogram=(("a long name", "b", "other"), (9, 5, 400)))


def test_rare_values_together_are_no_bar():
    assert columns.drawn(MANY) == (("a long name", "b"), (9, 5), 400)
    few = ColumnProfile("shop", "category", 0, 3, histogram=(("a", "b", "other"), (9, 5, 4)))
    assert columns.drawn(few) == (("a", "b", "other"), (9, 5, 4), 0)  # a value that is called so
    number = ColumnProfile("price", "number", 0, 900, histogram=(("1", "2"), (9, 5)))
    assert columns.drawn(number) == (("1", "2"), (9, 5), 0)


def _detail(above):
    from types import SimpleNamespace

    from pages.ui.data import columns
    from tests.pages.data.test_columns import MANY

    columns.detail(MANY, SimpleNamespace(target="shop", candidates=()), {}, above)


def test_a_chart_says_what_it_leaves_out():
    app = AppTest.from_function(_detail, args=(False,)).run()
    (chart,) = app.get("plotly_chart")
    assert 400 not in json.loads(chart.proto.spec)["data"][0]["y"]
    assert t("data.most_frequent", num=2, of="50", rows="400") in [c.value for c in app.caption]


def test_a_target_that_is_drawn_above_is_not_drawn_twice():
    app = AppTest.from_function(_detail, args=(True,)).run()
    assert not app.get("plotly_chart") and t("data.drawn_above") in [c.value for c in app.caption]


def test_one_is_said_in_the_singular():
    assert row_card._counted("data.row.items", 1) == "1 item"
    assert row_card._counted("data.row.items", 2).startswith("2 items")
