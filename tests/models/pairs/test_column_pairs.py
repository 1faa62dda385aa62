"""Which pairs of columns are found: those that say something together, in rows that did not choose them."""

import numpy as np
import pytest
import torch

from kd_core.data.views.columns import columns_inputs
from kd_core.models.pairs import chosen
from kd_core.models.pairs.chosen import strongest
from kd_core.models.pairs.fitting import fit_curves, left_over
from kd_core.models.piecewise_front import CELLS, PAST_ALL


def rows(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    x[:, 1] = x[:, 1] > 0
    x[:, 4] = rng.integers(0, 24, n)
    return x, rng.normal(size=n)


def flat(x, y):
    """What is left where there are no curves."""
    return strongest(x, (y - y.mean())[:, None], np.ones((len(y), 1)), 4)


def test_what_two_say_only_together_is_found_strongest_first():
    x, noise = rows()
    y = x[:, 1] * np.sin(x[:, 4] / 3) * 2 + x[:, 0] * x[:, 3] * 0.5 + noise
    assert flat(x, y) == [(1, 4), (0, 3)]


@pytest.mark.parametrize("seed", range(4))
def test_chance_and_what_columns_say_alone_are_no_pairs(seed):
    x, noise = rows(seed=seed)
    assert flat(x, noise) == []
    assert flat(x, np.exp(x[:, 0]) + 3 * x[:, 1] + 0.2 * x[:, 4] + noise) == []


def test_what_one_pair_explains_is_not_looked_for_again():
    x, noise = rows()
    x[:, 5] = x[:, 3] + 0.05 * x[:, 5]  # nearly the same column twice
    assert len(flat(x, 2 * x[:, 0] * x[:, 3] + noise)) == 1


def test_of_probabilities_the_curves_are_those_of_a_logistic_regression():
    x, _ = rows(20_000)
    z = 2 * x[:, 0] + 1.5 * x[:, 1] - 1  # adds up in log odds, not in probabilities
    gradient, weight = left_over(x[:, :2].astype(float), (1 / (1 + np.exp(-z)))[:, None])
    assert np.abs(gradient).max() < 0.02 and weight.min() > 0
    assert strongest(x, gradient, weight, 4) == []


def test_many_columns_are_looked_at_by_how_much_they_move_what_is_left(monkeypatch):
    monkeypatch.setattr(chosen, "MOST_FEATURES", 3)
    x, noise = rows()
    y = 2 * x[:, 1] * (x[:, 4] > 11) + x[:, 1] + 0.1 * x[:, 4] + x[:, 0] + noise
    assert flat(x, y) == [(1, 4)]


def test_a_pair_has_as_many_pieces_of_each_side_as_its_products_allow():
    x, noise = rows()
    y = x[:, 1] * np.sin(x[:, 4] / 3) * 2 + x[:, 0] * x[:, 3] + 0.1 * noise
    inputs = columns_inputs([256, 2, 256, 256, 24, 256])
    state = fit_curves((16, 3), inputs, x, y[:, None])
    source, low = (state[f"front.pair_{n}"].view(2, 3, CELLS) for n in ("source", "low"))
    there = low[0] < PAST_ALL
    assert there.sum(1).tolist() == [64, 23, 0] or there.sum(1).tolist() == [23, 64, 0]
    found = {tuple(source[:, k, 0].tolist()): [len(low[s, k][there[k]].unique()) for s in (0, 1)] for k in (0, 1)}
    assert found == {(0, 3): [8, 8], (1, 4): [1, 23]}
    again = fit_curves((16, 3), inputs, x, y[:, None])
    assert all(torch.equal(state[n], again[n]) for n in state)
    assert not any("pair" in n for n in fit_curves((16, 0), inputs, x, y[:, None]))
