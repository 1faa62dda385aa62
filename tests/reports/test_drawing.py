"""Charts put values where they belong, tell them in words, and bear odd numbers."""

from __future__ import annotations

import re

import pytest

from kd_core.reports.drawing import Mark, Place, diagonal, lines, scatter, shortened


def places(picture, name="translate"):
    return [float(x) for x in re.findall(rf"{name}\(([\d.-]+) ", str(picture))]


def test_a_larger_value_lies_further_right_and_zero_has_a_line():
    found = lines([Mark("low", "student", -1.0, -2.0, 0.5), Mark("high", "teacher", 3.0)], "t", "axis", str, zero=True)
    low, high = places(found)
    zero = float(re.search(r'x1="([\d.]+)"[^>]*class="zero"', found)[1])
    assert zero == pytest.approx(low + (high - low) / 4, abs=0.1)  # of -1 to 3
    assert 'aria-label="t. low: -1.0 (-2.0 to 0.5); high: 3.0"' in found


def test_a_logarithmic_axis_puts_tenfold_at_the_same_distance():
    found = lines([Mark(str(v), "student", v) for v in (1.0, 10.0, 100.0)], "t", "a", str, log=True)
    first, second, third = places(found)
    assert second - first == pytest.approx(third - second, abs=0.2)


@pytest.mark.parametrize("values", [(0.0,), (5.0, 5.0), (1e-300, 1e300), (-1e9, 1e9), (float("inf"), 1.0)])
@pytest.mark.parametrize("log", [False, True])
def test_odd_numbers_are_drawn_without_an_error(values, log):
    known = [v for v in values if v > 0 or not log]
    marks = [Mark("x", "student", v) for v in known if abs(v) != float("inf")]
    assert "nan" not in str(lines(marks, "t", "a", str, log=log))


def test_points_rise_with_their_value_and_are_told(tmp_path):
    found = scatter(
        [Place("a", "teacher", 100.0, 0.9), Place("b", "student", 10.0, 0.8, 0.7, 0.85)], "t", ("x", "y"), (str, str)
    )
    (ax, ay), (bx, by) = re.findall(r"translate\(([\d.]+) ([\d.]+)\)\"[^>]*>", found)[:2]
    assert float(ax) > float(bx) and float(ay) < float(by)
    assert "b: 10.0, 0.8 (0.7 to 0.85)" in found


def test_a_curve_on_the_line_lies_on_the_line():
    found = diagonal([("student", [(0.5, 0.5), (0.9, 0.9)])], "t", ("x", "y"), str)
    x1, y1, x2, y2 = map(
        float, re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="zero"', found).groups()
    )
    for x, y in re.findall(r"translate\(([\d.]+) ([\d.]+)\)", found)[:2]:
        assert (float(y) - y1) * (x2 - x1) == pytest.approx((float(x) - x1) * (y2 - y1), abs=60)


def test_names_are_shortened_in_the_middle_and_kept_whole_for_who_points_at_them():
    name = "a very long name of a student, 12"
    assert shortened(name) == "a very long…ent, 12"[:20] or len(shortened(name)) <= 20
    assert f"<title>{name}</title>" in lines([Mark(name, "student", 1.0)], "t", "a", str)
