"""Networks on weighted terms: what they add up, and what they leave out."""

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import TERM, InputSpec
from kd_core.models.building import build
from kd_core.models.short_numbers import from_bytes, in_bytes
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


def test_rarer_terms_count_for_less_where_they_are_to_learn_slowly():
    layer = WeightedTerms(INPUTS, 10, 3, 1.0, slowed=2)
    found = layer(rows([(6, 30)], [(2, 30)]))
    torch.testing.assert_close(found, torch.stack([layer.vectors[6] / 2, layer.vectors[2] / 2**0.5]))


def test_terms_are_silenced_in_training_alone():
    layer = WeightedTerms(INPUTS, 10, 3, 1.0, 0.5)
    x = rows(*[[(n, 30) for n in range(1, 7)]] * 200)
    told = layer.eval()(x)
    torch.manual_seed(0)
    found = layer.train()(x)
    assert len(found.unique(dim=0)) > 20 and torch.equal(layer.eval()(x), told)
    torch.testing.assert_close(found.mean(0), told[0], rtol=0, atol=0.3)  # the others weigh more


@pytest.mark.parametrize(("arch", "outputs"), [("bag", 3), ("terms", 12), ("terms", 2)])
def test_what_is_deployed_takes_one_byte_a_number_where_vectors_are_wide(arch, outputs):
    torch.manual_seed(0)
    network = build(Choice(name=arch, settings={"size": None, "terms": 9}), INPUTS, outputs).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape))
    x = rows([(1, 30), (7, 40)], [(3, 9)], [])
    before = network(x).logits.detach()
    network.shorten(x.numpy())
    assert (network(x).logits - before).abs().max() < 0.015 * before.abs().max() + 0.1
    kept = {name: t.clone() for name, t in network.state_dict().items()}
    wide = kept.pop("bag.vectors" if arch == "bag" else "added.vectors").numpy()
    if outputs == 2:
        kept["vectors"] = torch.from_numpy(wide)
    else:
        assert all(len(np.unique(np.rint(127 * row / np.abs(row).max()))) <= 255 for row in wide)
        assert np.array_equal(from_bytes(*in_bytes(wide)), wide)
    assert all(torch.equal(t, t.half().float()) for t in kept.values())
    network.shorten(x.numpy())
    assert np.array_equal(network.state_dict()["bag.vectors" if arch == "bag" else "added.vectors"].numpy(), wide)
