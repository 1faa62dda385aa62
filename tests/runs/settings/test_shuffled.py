"""The sentence of a shuffled teacher: which setting it is about, and why not another."""

from __future__ import annotations

import pytest

from kd_core.runs.cells.cell_scores import Judge, Score, gather
from kd_core.runs.cells.grid import Cell
from kd_core.runs.settings.sentence import Unit
from kd_core.runs.settings.shuffled import WHY_ANOTHER, told

SEEDS = (0, 1, 2)


def scores(*values):
    return [Score(v) for v in values]


@pytest.mark.parametrize(("whole", "why"), [(0.90, True), (0.80, False)])
def test_why_it_is_not_about_the_best_setting_is_said_where_that_hears_no_label(whole, why):
    alone = scores(0.80, 0.81, 0.82)
    cells = [Cell(0, 0, 4.0, 0.75, 0.01, 0.0, 0.0), Cell(1, 0, 1.0, 1.0, 0.01, 0.0, 0.0)]
    own = [scores(0.85, 0.86, 0.87), scores(whole, whole + 0.01, whole + 0.02)]
    found = [gather(c, SEEDS, s, alone) for c, s in zip(cells, own, strict=True)]
    line = told(found, {0: alone, 1: alone}, SEEDS, Judge("higher", 0.005, False), Unit.of("share", "Accuracy"))["line"]
    assert "0.75" in line.split(" a student gains ")[0]
    assert line.endswith(f". {WHY_ANOTHER}") == why and (WHY_ANOTHER in line) == why
