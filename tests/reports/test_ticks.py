"""Round values of an axis: one rule for printed and drawn charts."""

import pytest

from kd_core.reports import ticks
from kd_core.reports.drawing import _Scale
from pages.ui.charts import marks


@pytest.mark.parametrize(("low", "high"), [(1, 20), (0.03, 0.4), (1e-6, 2e-5)])
def test_a_printed_and_a_drawn_axis_stand_on_the_same_round_values(low, high):
    drawn = marks.log_axis([low, high], str)["tickvals"]
    printed = _Scale(low, high, 0, 1, log=True).ticks(6)
    assert set(printed) <= set(drawn) and all(low <= v <= high for v in printed)
    for value in ticks.at_powers(low, high):
        assert float(f"{value:.0e}") == pytest.approx(value) and f"{value:.0e}"[0] in "125"


@pytest.mark.parametrize(("span", "step"), [(1, 0.2), (0.6, 0.2), (11, 2.5), (40, 10), (24, 5)])
def test_ticks_of_a_plain_axis_are_round_and_about_so_many(span, step):
    assert ticks.apart(0, span, 5) == pytest.approx(step) and span / step <= 5
