"""Ranges: all values, without the outermost, and where the least is lost of what the distribution says."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.compress.whole_numbers.calibration import ranges_of
from kd_core.compress.whole_numbers.network import Network
from kd_core.compress.whole_numbers.rounding import INT4, INT8, Range, rounded, steps_of
from kd_core.data.input_spec import InputSpec
from kd_core.evaluate.latency import onnx_bytes
from tests.compress.whole_numbers.small import drawn


def ranges(x, method, **more):
    stage, _ = drawn("mlp", InputSpec("table", (5,)), 2)
    return ranges_of(Network(onnx_bytes(stage.module, InputSpec("table", (5,)))), ["x"], x, method, **more)["x"]


def rows(outlier=0.0):
    x = np.random.default_rng(0).normal(size=(4000, 5)).astype(np.float32)
    x[0, 0] = outlier or x[0, 0]
    return x


def test_all_values_lie_inside_a_range_of_all_values():
    x = rows(70.0)
    found = ranges(x, "min_max")
    assert (found.low, found.high) == (x.min(), x.max())


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_one_outlier_is_left_out_and_hardly_anything_else(method):
    found, x = ranges(rows(70.0), method), rows()
    assert 2 < found.high < 10 and ((x >= found.low) & (x <= found.high)).mean() > 0.95


def test_what_is_exactly_nothing_does_not_move_the_threshold_of_entropy():
    """Behind a `Relu` most values are 0, which any threshold writes as 0."""
    said = np.abs(rows(40.0))
    alone = ranges(said, "entropy")
    mixed = ranges(np.concatenate([said, np.zeros((60_000, 5), np.float32)]), "entropy")
    assert (mixed.low, mixed.high) == (alone.low, alone.high) and 2 < alone.high < 10


def test_a_percentile_keeps_its_share():
    x = rows()
    for kept in (0.9, 0.99):
        found = ranges(x, "percentile", kept=kept)
        assert abs(((x >= found.low) & (x <= found.high)).mean() - kept) < 0.01


@pytest.mark.parametrize("method", ["min_max", "percentile", "entropy"])
def test_what_is_always_nothing_has_a_step(method):
    found = ranges(np.zeros((50, 5), np.float32), method)
    assert found.step == 1.0 and found.zero == 0


@pytest.mark.parametrize(("low", "high"), [(0.0, 3.0), (-2.0, 5.0), (-4.0, 0.0), (1.0, 2.0)])
def test_a_range_holds_0_and_its_ends(low, high):
    found = Range(low, high)
    ends = np.array([min(low, 0), 0, max(high, 0)])
    whole = np.rint(ends / found.step) + found.zero
    assert whole.min() >= -0.51 and whole.max() <= 255.51 and 0 <= found.zero <= 255


@pytest.mark.parametrize("most", [INT8, INT4])
def test_rounding_twice_is_rounding_once(most):
    weights = (
        np.random.default_rng(1).normal(size=(9, 40)).astype(np.float32)
        * np.logspace(-6, 3, 9, dtype=np.float32)[:, None]
    )
    steps = steps_of(weights, (0,), most)
    numbers = rounded(weights, steps, most)
    again = steps_of(numbers * steps, (0,), most)
    large = steps.reshape(-1) > 2.0**-13  # smaller steps do not get finer
    assert np.array_equal(steps, steps.astype(np.float16)) and np.array_equal(again[large], steps[large])
    assert np.array_equal(rounded(numbers * steps, again, most)[large], numbers[large])
    assert np.abs(numbers * steps - weights).max(axis=1)[large].max() <= 0.51 * steps.max()
