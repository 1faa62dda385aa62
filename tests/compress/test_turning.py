"""Columns are turned so that fewer of them say the same, and nothing else changes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from kd_core.compress.cutting import cut, weakest
from kd_core.compress.importance import magnitudes
from kd_core.compress.turning import can_turn, narrowed, singular_values, uses_of
from kd_core.compress.unit_search import found_units
from kd_core.data.input_spec import TERM, InputSpec
from tests.compress.students import CASES, inputs_of, made, rows

FIRST = {case.id: case.values[0] for case in CASES}
TURNS = ["bag-tiny", "gru-tiny", "recurrent-tiny", "recurrent-tiny-lstm", "sasrec-tiny", "textcnn-tiny"]


def columns(choice, module):
    """The group of columns of the embedding, and that each row is read alike."""
    group = next(g for g in found_units(module, inputs_of(choice)) if g.kind == "columns")
    return group, np.ones(len(module.state_dict()[group.lanes[0][0].tensor]))


@pytest.mark.slow
def test_columns_turn_where_readers_are_linear_alone():
    for case in CASES:
        choice = case.values[0]
        module = made(choice)
        found = [g.layer for g in found_units(module, inputs_of(choice)) if can_turn(module, g)]
        turns = choice.name in ("bag", "recurrent", "textcnn", "fusion", "gru", "sasrec")
        assert bool(found) is turns, (case.id, found)


@pytest.mark.parametrize("name", TURNS)
def test_all_columns_turned_answer_alike(name):
    choice = FIRST[name]
    module = made(choice)
    group, uses = columns(choice, module)
    found = narrowed(copy.deepcopy(module), group, uses, group.count)
    assert not torch.equal(found.state_dict()[group.lanes[0][0].tensor], module.state_dict()[group.lanes[0][0].tensor])
    torch.testing.assert_close(found(rows(choice)).logits, module(rows(choice)).logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TURNS)
def test_what_has_few_directions_needs_no_more_columns(name):
    """An embedding of rank 3 keeps every answer in 3 columns."""
    choice = FIRST[name]
    module = made(choice)
    group, uses = columns(choice, module)
    source = dict(module.named_parameters())[group.lanes[0][0].tensor]
    with torch.no_grad():
        source.copy_(source[:, :3] @ torch.randn(3, source.shape[1]))
    found = narrowed(copy.deepcopy(module), group, uses, 3)
    assert found.state_dict()[group.lanes[0][0].tensor].shape[1] == 3
    torch.testing.assert_close(found(rows(choice)).logits, module(rows(choice)).logits, rtol=1e-3, atol=1e-4)
    values = singular_values(module, group, uses)
    assert (values[3:] < 1e-4 * values[0]).all() and (np.diff(values) <= 0).all()


@pytest.mark.parametrize("name", TURNS)
def test_what_readers_get_changes_less_than_by_dropping_columns(name):
    choice = FIRST[name]
    module = made(choice)
    group, uses = columns(choice, module)
    kept = group.count // 2
    least = magnitudes(module.state_dict(), frozenset(dict(module.named_parameters())), group)
    dropped = cut(module, [(group, [weakest(least[0], group.count - kept)])])
    turned = narrowed(copy.deepcopy(module), group, uses, kept)

    def read(network):
        state, (source, *readers) = network.state_dict(), group.lanes[0]
        flat = [state[p.tensor].movedim(1, -1).reshape(-1, state[p.tensor].shape[1]) for p in readers]
        return state[source.tensor] @ torch.cat(flat).T

    def lost(network):
        return float((read(network) - read(module)).square().sum())

    assert lost(turned) < 0.9 * lost(dropped)


def test_words_that_are_read_often_keep_most():
    choice = FIRST["bag-tiny"]
    module = made(choice)
    group, uses = columns(choice, module)
    often = uses.copy()
    often[5] = 1e6

    def said(network):
        return (network.bag.vectors[5] @ network.head.weight.T).detach()

    def lost(network):
        return float((said(network) - said(module)).abs().max())

    alike, weighed = (narrowed(copy.deepcopy(module), group, one, 2) for one in (uses, often))
    assert lost(weighed) < 0.01 * lost(alike)


def test_uses_are_counted_by_number_of_the_row():
    tokens = InputSpec("tokens", (4,), "int32", high=6)
    assert uses_of(np.array([[3, 3, 1, 0]]), tokens, 6).tolist() == [1, 2, 1, 3, 1, 1]
    terms = InputSpec("ngrams", (3,), "int32", high=4 * TERM)
    x = np.array([[TERM + 7, 2 * TERM, 9 * TERM], [TERM + 1, 0, 0]])
    assert uses_of(x, terms, 3).tolist() == [1, 3, 2]
    assert uses_of(x, InputSpec("table", (3,)), 3).tolist() == [1, 1, 1]
