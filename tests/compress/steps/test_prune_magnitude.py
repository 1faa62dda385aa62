"""Small weights are set to nothing: as many as asked, where asked, and they stay so."""

from __future__ import annotations

import copy

import pytest
import torch

from kd_core.compress.base import STEPS
from kd_core.compress.steps.prune_magnitude import PruneMagnitudeSpec, masks, share_at, step
from kd_core.specs import Choice
from tests.compress.students import CASES, begun, rows

MLP = Choice(name="mlp", settings={"width": 12, "depth": 2})
PIECEWISE = next(case.values[0] for case in CASES if case.id == "piecewise-tiny")


def matrices(module):
    return {n: w.detach() for n, w in module.named_parameters() if w.dim() > 1}


def test_the_smallest_of_all_layers_go_or_the_same_share_of_each():
    stage, work = begun(MLP)
    with torch.no_grad():
        stage.module.head.weight.mul_(100)  # its weights are the largest by far
    everywhere = step(PruneMagnitudeSpec(share=0.5, epochs=0), stage, work)
    assert int((everywhere.module.head.weight == 0).sum()) == 0
    each = step(PruneMagnitudeSpec(share=0.5, epochs=0, scope="layer"), stage, work)
    for name, weight in matrices(each.module).items():
        before = matrices(stage.module)[name].abs()
        gone = weight == 0
        assert int(gone.sum()) == round(0.5 * weight.numel())
        assert before[gone].max() <= before[~gone].min()
    told = everywhere.told[-1]
    total = sum(w.numel() for w in matrices(stage.module).values())
    assert told["weights"] == total and told["zeros"] == round(0.5 * total)
    assert told["packed"]["after"] < told["packed"]["before"] and told["file_is_smaller"] is False
    assert torch.equal(everywhere.module.head.bias, stage.module.head.bias)


def test_weights_that_are_folded_into_others_do_not_come_back():
    """A piecewise network is folded when it is exported: zeros must be zeros of what is exported."""
    stage, work = begun(PIECEWISE)
    found = step(PruneMagnitudeSpec(share=0.8, epochs=0), stage, work).module
    settled = copy.deepcopy(found)
    settled.settle()
    assert all(torch.equal(w, matrices(settled)[n]) for n, w in matrices(found).items())
    torch.testing.assert_close(settled(rows(PIECEWISE)).logits, found(rows(PIECEWISE)).logits)


def test_more_go_early_than_late():
    found = [share_at(epoch, 10, 0.8) for epoch in range(1, 15)]
    assert found == sorted(found) and found[9] == pytest.approx(0.8) and found[-1] == pytest.approx(0.8)
    assert found[0] > 0.2 and found[1] - found[0] > found[8] - found[7]


@pytest.mark.parametrize("epochs", [1.0, 4.0])
def test_a_network_that_learns_in_between_ends_with_all_that_was_asked(epochs):
    stage, work = begun(MLP)
    before = copy.deepcopy(stage.module)
    found = step(PruneMagnitudeSpec(share=0.6, epochs=epochs), stage, work)
    total = sum(w.numel() for w in matrices(before).values())
    assert sum(int((w == 0).sum()) for w in matrices(found.module).values()) == round(0.6 * total)
    left = matrices(found.module)["body.0.weight"] != 0
    assert not torch.equal(matrices(found.module)["body.0.weight"][left], matrices(before)["body.0.weight"][left])
    assert all(torch.equal(w, matrices(before)[n]) for n, w in matrices(stage.module).items())


def test_what_is_nothing_stays_nothing_while_the_student_learns_again():
    stage, work = begun(MLP)
    pruned = step(PruneMagnitudeSpec(share=0.6, epochs=0), stage, work)
    entry = STEPS.get("distill")
    again = entry.make(entry.spec.parse({"epochs": 1.0}), pruned, work)
    for name, weight in matrices(again.module).items():
        assert torch.equal(weight == 0, matrices(pruned.module)[name] == 0)


def test_of_equal_weights_the_first_are_marked():
    module = torch.nn.Linear(4, 1)
    with torch.no_grad():
        module.weight.fill_(0.5)
    assert masks(module, 0.5, "global")["weight"].tolist() == [[True, True, False, False]]
