import numpy as np
import pytest

from kd_core.evaluate import METRICS, calibration, confusion
from kd_core.evaluate.answers import from_logits


def answers(seed=0, rows=500, classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    return from_logits("multiclass", y, rng.normal(size=(rows, classes)) + np.eye(classes)[y])


def plain_ece(a, bins=15):
    confidence, right = a.p.max(1), a.predicted == a.y
    total = 0.0
    for low in range(bins):
        inside = (confidence > low / bins) & (confidence <= (low + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def test_ece_equals_a_plain_loop_over_15_bins():
    assert METRICS.get("ece").make(answers()) == pytest.approx(plain_ece(answers()), abs=1e-12)


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not():
    y = np.array([0, 1, 0, 1])
    certain = from_logits("binary", y, 1000 * np.eye(2)[y])
    assert METRICS.get("ece").make(certain) == 0
    assert METRICS.get("ece").make(from_logits("binary", 1 - y, 1000 * np.eye(2)[y])) == 1


def test_bins_hold_every_row_once_within_their_bounds():
    found = calibration.bins(answers())
    assert sum(b["count"] for b in found) == 500
    for b in found:
        assert b["low"] < b["confidence"] <= b["low"] + 1 / 15 + 1e-12


def test_pooled_seeds_weigh_by_rows_and_keep_the_mean_count():
    a, b = calibration.bins(answers(0)), calibration.bins(answers(1))
    pooled = calibration.pool([a, b])
    assert sum(p["count"] for p in pooled) == pytest.approx(500)
    assert calibration.pool([a, a]) == [pytest.approx(x) for x in a]
    one = next(p for p in pooled if p["low"] == a[0]["low"])
    assert (
        min(a[0]["confidence"], b[0]["confidence"]) <= one["confidence"] <= max(a[0]["confidence"], b[0]["confidence"])
    )


def test_confusion_counts_true_by_predicted():
    found = confusion.matrix(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0]), 4)
    assert found.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_answers_were_drawn_with_is_found(true):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(20_000, 4)) * 3
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    y = (p.cumsum(1) < rng.random((len(p), 1))).sum(1)
    found = calibration.fitted_temperature(z * true + 5, y)  # a shift of all logits changes nothing
    assert found == pytest.approx(true, rel=0.05)


def test_where_every_row_is_right_nothing_says_how_sure_is_too_sure():
    y = np.arange(60) % 3
    z = np.eye(3)[y] * 2.0
    assert calibration.fitted_temperature(z, y) == 1.0
    y[0] = 1
    assert calibration.fitted_temperature(z, y) != 1.0
