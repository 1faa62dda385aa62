"""Networks on weighted terms: what they add up, and what they leave out."""

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import TERM, InputSpec
from kd_core.models.building import build
from kd_core.models.weighted_terms import WeightedTerms
from kd_core.specs import Choice

INPUTS = InputSpec("ngrams", (6,), "int32", high=11 * TERM)


def rows(*texts):
    x = np.zeros((len(texts), 6), np.int32)
    for i, text in enumerate(texts):
        x[i, : len(text)] = [number * TERM + weight for number, weight in text]
    return torch.from_numpy(x)


def test_the_sum_of_vectors_by_weights_of_length_one():
    layer = WeightedTerms(INPUTS, 10, 3, 1.0)
    found = layer(rows([(1, 30), (7, 40)], [], [(2, 5)]))
    v = layer.vectors
    torch.testing.assert_close(found, torch.stack([0.6 * v[1] + 0.8 * v[7], torch.zeros(3), v[2]]))


def test_terms_beyond_those_that_are_asked_for_count_for_nothing():
    layer = WeightedTerms(INPUTS, 5, 3, 1.0)
    assert layer.vectors.shape == (6, 3)
    torch.testing.assert_close(layer(rows([(1, 30), (7, 40)])), layer.vectors[1:2])
    assert WeightedTerms(INPUTS, 1000, 3, 1.0).terms == 10  # no more than there are


@pytest.mark.parametrize("arch", ["bag", "terms"])
def test_a_network_says_how_many_terms_its_file_must_hold(arch):
    assert build(Choice(name=arch, settings={"size": None, "terms": 4}), INPUTS, 2).reads() == 4
    assert build(Choice(name=arch, settings={"size": "tiny"}), INPUTS, 2).reads() == 10
