import numpy as np
from scipy.special import ndtri

from kd_core.data.encoding.quantiles import KNOTS, bent, curve


def test_a_straight_line_between_few_knots_follows_the_normal_quantile_of_the_rank():
    values = np.random.default_rng(0).lognormal(0, 2, 20_000).astype(np.float32)
    knots, heights = curve(values)
    assert len(knots) <= KNOTS and (np.diff(knots) > 0).all() and (np.diff(heights) > 0).all()
    ranks = (np.argsort(np.argsort(values)) + 0.5) / len(values)
    apart = np.abs(bent(values, knots, heights) - np.clip(ndtri(ranks), -3.3, 3.3))
    assert apart.mean() < 0.01 and apart.max() < 0.35  # the largest lies in the last piece of the tail


def test_equal_values_share_the_middle_of_their_ranks():
    knots, heights = curve(np.array([0] * 600 + [1] * 300 + [50] * 100, np.float32))
    assert knots.tolist() == [0, 1, 50]
    assert np.allclose(heights, ndtri([0.3, 0.75, 0.95]), atol=1e-6)


def test_one_value_alone_has_a_place():
    knots, heights = curve(np.array([7.0, 7.0], np.float32))
    assert (
        knots.tolist() == [7]
        and heights.tolist() == [0]
        and bent(np.array([1.0, 9.0]), knots, heights).tolist() == [0, 0]
    )
