"""Which units every architecture has: none is lost because the graph, or a layer that was cut, did not follow."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.compress.base import STEPS, Stage
from kd_core.compress.cutting import cut
from kd_core.compress.unit_search import found_units
from kd_core.errors import KDError
from kd_core.models.base import Outputs
from kd_core.specs import Choice
from tests.compress.students import CASES, inputs_of, made

FACTOR = STEPS.get("factor_embedding").facts["suits"]
WANTED = {
    "additive": {},
    "linear": {},
    "linear_pixels-tiny": {},
    "terms-tiny": {},
    "trees-tiny": {},
    "bag-tiny": {"bag": 16},
    "cnn-tiny": {"stages.0": 8, "stages.4": 16, "stages.8": 32},
    "fusion-tiny": {
        "branches.ngrams.bag": 16,
        "branches.pixels.head": 16,
        "branches.pixels.stages.0": 8,
        "branches.pixels.stages.4": 16,
        "branches.pixels.stages.8": 32,
        "branches.table.body.0": 8,
    },
    "gru-tiny": {"layer": 16, "table.compared": 8, "table.vectors": 8},
    "mlp-tiny": {"body.0": 8},
    "mlp-9-3-0.2": {"body.0": 9, "body.3": 9, "body.6": 9},
    "mobilenet-tiny": {
        "layers.0": 8,
        "layers.3.learned.3": 32,
        "layers.4.learned.3": 32,
        "layers.4.learned.6": 16,
        "layers.5.learned.3": 64,
        "layers.5.learned.6": 32,
        "layers.6": 64,
    },
    "piecewise-tiny": {"first": 8},
    "piecewise-tiny-3": {"first": 8, "body.1": 8, "body.3": 8},
    "recurrent-tiny": {"embedding": 8, "layer": 16},
    "recurrent-tiny-lstm": {"embedding": 8, "layer": 16},
    "recurrent-tiny-1": {"embedding": 8, "layer": 16},
    "resmlp-tiny": {"blocks.0.inner.1": 16, "first": 8},
    "resnet-tiny": {
        "layers.0": 8,
        "layers.3.learned.0": 8,
        "layers.4.kept.0": 16,
        "layers.4.learned.0": 16,
        "layers.5.kept.0": 32,
        "layers.5.learned.0": 32,
    },
    "sasrec-tiny": {"blocks.0.inner.0": 16, "blocks.0.inner.2": 16, "table.vectors": 8},
    "tabm-tiny": {"layers.0": 16},
    "tabm-tiny-2": {"layers.0": 16, "layers.1": 16},
    "text_transformer-tiny": {"blocks.0.asked": 4, "blocks.0.inner.0": 32, "blocks.0.inner.2": 16},
    "text_transformer-tiny-2": {
        "blocks.0.asked": 4,
        "blocks.0.inner.0": 32,
        "blocks.1.asked": 4,
        "blocks.1.inner.0": 32,
        "blocks.1.inner.2": 16,
    },
    "textcnn-tiny": {"embedding": 8, "filters.0": 16, "filters.1": 16, "filters.2": 16},
}


@pytest.mark.parametrize("choice", CASES)
def test_all_units_are_found(choice):
    name = "-".join([choice.name, *map(str, choice.settings.values())])
    found = {g.layer: g.count for g in found_units(made(choice), inputs_of(choice))}
    assert found == WANTED[name]


def test_every_tensor_of_a_unit_is_there_and_every_position_once():
    for case in CASES:
        choice = case.values[0]
        module = made(choice)
        state = module.state_dict()
        for group in found_units(module, inputs_of(choice)):
            seen: dict[tuple[str, int], list[int]] = {}
            for place in group.places():
                assert len(place.at) == group.count
                seen.setdefault((place.tensor, place.axis), []).extend(place.at.ravel().tolist())
            for (tensor, axis), positions in seen.items():
                assert len(set(positions)) == len(positions) <= state[tensor].shape[axis]
                assert min(positions) >= 0 and max(positions) < state[tensor].shape[axis]


SHAPES = {"size": "tiny"}, {"size": None, "embedding": 8, "width": 8}, {"size": None, "embedding": 8, "width": 12}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["gru", "sasrec"])
@pytest.mark.parametrize("own", [False, True], ids=["one_table", "own_table"])
def test_networks_over_items_lose_their_last_unit_of_each_group(name, shape, own):
    """What is compared with states may be the vectors that are looked up: both lose the same numbers, or neither any."""
    choice = Choice(name=name, settings=shape)
    inputs = inputs_of(choice)
    module = made(choice, outputs=3 if own else inputs.high - 1)
    found = found_units(module, inputs)
    assert found and (name == "sasrec" or "table.vectors" in {g.layer for g in found})
    x = torch.from_numpy(inputs.example(9, seed=1))
    for group in found:
        silent, last = copy.deepcopy(module), np.arange(group.count) == group.count - 1
        less = cut(module, [(group, [last])])
        assert less(x).logits.shape == module(x).logits.shape
        if (
            name == "gru"
        ):  # a unit without weights is one that is not there: its gates are half open, and what it holds is 0
            with torch.no_grad():
                for place in group.places():
                    silent.state_dict()[place.tensor].index_fill_(
                        place.axis, torch.from_numpy(place.at[last].ravel()), 0
                    )
            torch.testing.assert_close(less(x).logits, silent(x).logits, rtol=1e-5, atol=1e-6)
    if not own:
        assert FACTOR(Stage(choice, module), inputs).startswith("compares what it knows")


class Odd(nn.Module):
    """A network with a weight outside any layer that the graph knows, read in two ways."""

    def __init__(self, width):
        super().__init__()
        self.first, self.head = nn.Linear(width, 6), nn.Linear(3, 2)

    def forward(self, x):
        return Outputs(self.head(self.first(x).view(len(x), 2, 3).sum(1)))


def test_units_that_can_not_go_one_by_one_are_left_alone():
    """Six numbers are read as two times three: with one less nothing fits, so none of them is offered."""
    choice = next(case.values[0] for case in CASES if case.values[0].name == "mlp")
    inputs = inputs_of(choice)
    assert found_units(Odd(inputs.width).eval(), inputs) == ()


class Lost(nn.Module):
    """A network that the library can't follow: its recurrent layer has two directions."""

    def __init__(self, words):
        super().__init__()
        self.embedding, self.layer = nn.Embedding(words, 4), nn.GRU(4, 4, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return Outputs(self.head(self.layer(self.embedding(x))[0].mean(1)))


def test_a_graph_that_can_not_be_followed_is_said_in_words():
    inputs = inputs_of(next(case.values[0] for case in CASES if case.values[0].name == "recurrent"))
    with pytest.raises(KDError) as caught:
        found_units(Lost(inputs.high).eval(), inputs)
    assert caught.value.code == "unknown_units" and "KnowsUnits" in caught.value.hint
