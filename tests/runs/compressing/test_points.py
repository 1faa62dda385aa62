"""Points lost are above 0 where it got worse, in hundredths of a share or percent of an error."""

from __future__ import annotations

import pytest

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.compressing.points import in_points, lost, won

WORSE = Gain(-0.02, -0.03, -0.01, 0.008, 0.006, 3)


def test_what_was_lost_is_the_gain_turned_round():
    found = lost(WORSE, 100.0)
    assert found["mean"] == pytest.approx(2.0) and found["ci95"] == pytest.approx([1.0, 3.0])
    assert (found["seeds_half"], found["rows_half"], found["n"]) == (pytest.approx(0.8), pytest.approx(0.6), 3)
    wide = lost(WORSE, 100.0, 4)["ci_family"]
    assert wide[0] < 1.0 and wide[1] > 3.0
    assert won(WORSE, 100.0)["ci95"] == pytest.approx([-3.0, -1.0])
    assert lost(Gain(-0.02, None, None, None, 0.006, 1), 100.0)["ci95"] == [None, None]


def test_errors_are_told_in_percent_of_the_student_as_it_was():
    assert in_points("accuracy", [0.9]) == 100.0
    assert in_points("rmse", [4.0, 6.0]) == 20.0 and in_points("rmse", [None, 0.0]) == 100.0
