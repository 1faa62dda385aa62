"""The cells of a what-if as aligned text."""

from __future__ import annotations

from kd_core.runs.view.heat_map import answered, heat_map
from tests.runs.results import SQUARE, cell, result, student


def test_the_map_is_aligned_and_marks_the_best_and_its_like():
    lines = heat_map(result(SQUARE, [student("tiny", 3)], 3))
    assert lines[:4] == [
        "tiny: gain on validation in points of accuracy",
        "  alpha    T 1     T 4 ",
        "      0  +0.00*  +0.00*",
        "   0.75  +1.23*  +3.11#",
    ]


def test_cells_that_lack_something_are_marked():
    cells = [cell(0, 1.0, 0.0, None), cell(1, 1.0, 0.75, -0.0123, stopped=True, like_best=True), cell(2, 4.0, 0.0, 0.0)]
    lines = heat_map(result(cells, [student("tiny", 2)], 2))
    assert lines[2].split() == ["0", "-", "+0.00#"] and lines[3].split() == ["0.75", "-1.23~", "-"]


def test_one_table_per_student_and_further_setting():
    cells = [
        cell(i, t, a, 0.0, s, r)
        for i, (s, t, a, r) in enumerate(
            (s, t, a, r) for s in ("tiny", "base") for t in (1.0, 4.0) for a in (0.0, 0.75) for r in (0.001, 0.002)
        )
    ]
    heads = [
        line
        for line in heat_map(result(cells, [student("tiny", 0)], 0, learning_rate=[0.001, 0.002]))
        if "gain on" in line
    ]
    assert [h.split(":")[0] for h in heads] == [
        "tiny, learning rate 0.001",
        "tiny, learning rate 0.002",
        "base, learning rate 0.001",
        "base, learning rate 0.002",
    ]


def test_a_loss_without_temperature_is_drawn_with_what_varies():
    cells = [
        cell(i, None, a, g, rate=r)
        for i, (a, g, r) in enumerate([(0.0, 0.0, 0.1), (0.0, 0.0, 0.2), (0.5, 1.5, 0.1), (0.5, -2.25, 0.2)])
    ]
    found = heat_map(
        result(cells, [student("tiny", 2)], 2, "target", temperature=[], alpha=[0.0, 0.5], learning_rate=[0.1, 0.2])
    )
    assert found[0] == "tiny: gain on validation in accuracy"
    assert found[1].split() == ["learning", "rate", "alpha", "0", "alpha", "0.5"]
    assert found[2].split() == ["0.1", "+0.0000", "+1.5000#"] and len({len(line) for line in found[1:4]}) == 1


def test_the_answers_are_told_before_the_map():
    found = result(SQUARE, [student("tiny", 3)], 3)
    assert answered(found) == [] and answered({}) == []
    found["sweep"] |= {"answer": {"line": "T 1 or 4 will do."}, "shuffled": {"line": "Nothing is left."}}
    assert answered(found) == ["T 1 or 4 will do.", "Nothing is left."]
