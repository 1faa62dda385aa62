"""Numbers of any size are written without powers of ten, as long as people read them so."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from kd_core import written
from kd_core.data.view import Shown


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0.0, 4, "0"),
        (0.81234, 4, "0.8123"),
        (-3.5, 4, "-3.5"),
        (9999.4, 4, "9999"),
        (9999.6, 4, "10,000"),
        (53412.3, 4, "53,412"),
        (1000.0, 3, "1,000"),
        (999.4, 3, "999"),
        (-1e6, 4, "-1,000,000"),
        (123456.7, 6, "123457"),
        (1e18, 4, "1e+18"),
    ],
)
def test_large_numbers_are_whole(value, digits, said):
    assert written.number(value, digits) == said


@pytest.mark.parametrize(
    ("value", "limit", "said"),
    [
        (2.04, 2.0, ("2.04", "2.00")),
        (2.0, 1.0, ("2.0", "1.0")),
        (2.0000001, 2.0, ("2.0000001", "2.0000000")),
        (2.0, 2.0, ("2.0", "2.0")),
    ],
)
def test_a_value_that_misses_its_limit_is_not_written_like_it(value, limit, said):
    assert written.apart(lambda v, more: f"{v:.{1 + more}f}", value, limit) == said


def test_a_day_without_a_clock_is_told_alone():
    assert (
        written.moment(datetime(2024, 3, 9)) == "2024-03-09"
        and written.moment(datetime(2024, 3, 9, 0, 1)) == "2024-03-09 00:01:00"
    )
    assert written.moment(pd.Timestamp("2024-03-09 12:30")) == "2024-03-09 12:30:00"
    shown = Shown.of({"when": pd.Timestamp("2024-03-09"), "no": pd.NaT}, {})
    assert shown.fields == {"when": "2024-03-09", "no": "–"}
