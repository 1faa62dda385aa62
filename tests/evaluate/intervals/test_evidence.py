"""Differences between sides that answered the same rows."""

import numpy as np
import pytest

from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.evaluate.intervals.row_spread import units_of


def made(units=None, rows=400):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)

    def model(skill):
        z = np.zeros((rows, 2))
        z[:, 1] = skill * (2 * y - 1) + rng.normal(size=rows)
        return from_logits("binary", y, z)

    sides = {
        "teacher": [model(2.0)],
        "baseline": [model(s) for s in (0.5, 0.6, 0.5)],
        "student": [model(s) for s in (1.0, 1.1, 1.0)],
        "placebo": [],
    }
    return Evidence(sides, units)


def test_the_better_side_is_above_zero_whichever_way_the_metric_goes():
    found = made()
    for metric in ("roc_auc", "log_loss"):
        assert found.gain(metric, "student", "baseline").mean > 0 > found.gain(metric, "student", "teacher").mean
        assert found.gain(metric, "student", "baseline").n == found.gain(metric, "student", "teacher").n == 3


def test_sides_without_models_are_left_out_and_gap_closed_is_a_share_of_the_way():
    found = made()
    assert "placebo" not in found.sides
    gap = found.gap_closed("roc_auc")
    way = found.gain("roc_auc", "teacher", "baseline").mean
    assert gap.mean == pytest.approx(found.gain("roc_auc", "student", "baseline").mean / way)


def test_rows_that_belong_together_widen_the_interval():
    """Every row four times: the old rule would take 1,600 rows for 1,600 pieces of evidence."""
    rng = np.random.default_rng(1)
    y = np.repeat(rng.integers(0, 2, 100), 4)
    z = [np.repeat(rng.normal(size=(100, 2)), 4, axis=0) for _ in range(4)]
    sides = {
        "baseline": [from_logits("binary", y, a) for a in z[:2]],
        "student": [from_logits("binary", y, a) for a in z[2:]],
    }
    alone, together = Evidence(sides, None), Evidence(sides, units_of(np.repeat(np.arange(100), 4)))
    wide, narrow = (e.gain("accuracy", "student", "baseline").rows_half for e in (together, alone))
    assert wide == pytest.approx(2 * narrow, rel=0.02)
    assert (alone.num_units, together.num_units) == (400, 100)
