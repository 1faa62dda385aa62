"""Networks over histories: what fills up is never read, later items are not looked at, and one table serves twice."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from kd_core.data.input_spec import InputSpec
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models import ARCHS
from kd_core.models.building import build
from kd_core.models.sizes import sizes
from kd_core.specs import Choice

ITEMS, LENGTH = 40, 8
INPUTS = InputSpec("sequence", (LENGTH,), "int32", high=ITEMS + 1)
OVER_ITEMS = [e.name for e in ARCHS.entries() if e.facts["takes"] == ("sequence",)]


def made(name, size="base", outputs=ITEMS, inputs=INPUTS, **settings):
    torch.manual_seed(0)
    return build(Choice(name=name, settings={"size": size, **settings}), inputs, outputs).eval()


def histories(*rows, length=LENGTH):
    return torch.tensor([[0] * (length - len(row)) + list(row) for row in rows], dtype=torch.int32)


def test_there_are_networks_over_items():
    assert {"gru", "sasrec"} <= set(OVER_ITEMS)


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_what_fills_up_is_never_read(name):
    module, x = made(name), histories([3, 7], [], [1], [9] * LENGTH)
    before = module(x).logits
    with torch.no_grad():
        module.table.vectors.weight[0] = 100.0
    assert torch.equal(module(x).logits, before)


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_a_longer_row_of_the_same_history_is_answered_alike(name):
    wide = InputSpec("sequence", (LENGTH + 5,), "int32", high=ITEMS + 1)
    short, long = made(name), made(name, inputs=wide)
    with torch.no_grad():
        for one, other in zip(long.parameters(), short.parameters(), strict=True):
            one.copy_(torch.cat([torch.full((5, other.shape[1]), 9.0), other]) if one.shape != other.shape else other)
    rows = [3, 7], [1], [4, 4, 2, 9, 11]
    torch.testing.assert_close(long(histories(*rows, length=LENGTH + 5)).logits, short(histories(*rows)).logits)


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_the_order_and_the_newest_item_count(name):
    module = made(name)
    one, turned, newer = module(histories([3, 7, 5], [7, 3, 5], [3, 7, 6])).logits
    assert (one - turned).abs().max() > 1e-4 and (one - newer).abs().max() > 1e-3


def test_no_place_reads_a_later_item():
    module = made("sasrec")
    x = histories(range(1, LENGTH + 1))
    other = x.clone()
    other[0, 5:] = 30
    one, two = module.states(x, LENGTH), module.states(other, LENGTH)
    torch.testing.assert_close(one[:, :5], two[:, :5])
    assert (one[:, 5:] - two[:, 5:]).abs().max() > 1e-3
    torch.testing.assert_close(module.states(x, 1), one[:, -1:])


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_items_that_are_the_classes_have_one_table(name):
    shared, apart = (sizes(Choice(name=name), INPUTS, n).parameters for n in (ITEMS, ITEMS + 1))
    assert apart - shared == 16 * (ITEMS + 1) + 1  # vectors of 16 numbers, and one more item


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_both_uses_of_the_table_teach_it(name):
    module = made(name)
    torch.nn.functional.cross_entropy(module(histories([3, 7])).logits, torch.tensor([20])).backward()
    told = module.table.vectors.weight.grad.abs().sum(dim=1)
    assert (
        told[0] == 0 and told[8] > 0 and told[21] > 0 and told[3] > told[30]
    )  # numbers are those of the classes plus 1


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_a_file_holds_the_table_once(name):
    model = onnx.load_from_string(onnx_bytes(made(name), INPUTS))
    tables = [
        one for one in model.graph.initializer if ITEMS <= max(one.dims, default=0) <= ITEMS + 1 and len(one.dims) == 2
    ]
    assert len(tables) == 1


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_a_shortened_network_answers_nearly_alike(name):
    module, x = made(name), histories([3, 7, 5], [1], [4, 4, 2, 9, 11])
    before = module(x).logits.detach()
    module.shorten(x.numpy())
    after = module(x).logits.detach()
    assert 0 < (after - before).abs().max() < 0.02 * before.std()
    weight = module.table.vectors.weight.detach().numpy()
    steps = np.abs(weight).max(axis=1)[1:, None] / 127
    assert np.abs(weight[1:] / steps - np.rint(weight[1:] / steps)).max() < 0.1


@pytest.mark.parametrize("name", OVER_ITEMS)
def test_it_learns_which_item_follows_which(name):
    module = made(name, size="small", dropout=0.0).train()
    starts = torch.arange(1, ITEMS)
    x = torch.zeros(len(starts), LENGTH, dtype=torch.int32)
    x[:, -1] = starts
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(module(x).logits, starts)  # the class of the next number
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (module.eval()(x).logits.argmax(1) == starts).float().mean() > 0.9
