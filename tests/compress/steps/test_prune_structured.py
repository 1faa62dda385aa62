"""Taking units out: what is left is smaller, still answers, and is made again of its file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from kd_core.compress.base import STEPS
from kd_core.compress.cutting import reshaped
from kd_core.compress.steps.prune_structured import PruneStructuredSpec, step, suits
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.building import cpu_state
from tests.compress.file_operations import operations_in
from tests.compress.students import CASES, begun, inputs_of, made, rows, same

WITHOUT = {"linear", "linear_pixels", "additive", "terms", "trees"}  # no inner units
CUT = [case for case in CASES if case.values[0].name not in WITHOUT]
FIRST = {case.id: case.values[0] for case in CASES}


def weights_in(file):
    """Numbers that an ONNX file holds."""
    return sum(int(np.prod(one.dims)) for one in onnx.load_from_string(file).graph.initializer)


@pytest.mark.parametrize("choice", CUT)
def test_half_the_units_go_and_the_exported_file_shrinks(choice):
    stage, work = begun(choice)
    found = step(PruneStructuredSpec(), stage, work)
    told = found.told[-1]
    assert told["name"] == "prune_structured" and all(
        one["left"] == one["units"] - one["units"] // 2 for one in told["layers"]
    )
    inputs = inputs_of(choice)
    whole, cut = (
        onnx_bytes(stage.module, inputs),
        onnx_bytes(found.module, inputs),
    )  # parity to 1e-5 is checked on the way
    assert len(cut) < 0.95 * len(whole) and weights_in(cut) < 0.75 * weights_in(whole)
    less, more = (operations_in(file, inputs.example(1)) for file in (cut, whole))
    assert less < 0.75 * more
    assert found.module(rows(choice)).logits.shape == stage.module(rows(choice)).logits.shape


def test_a_share_of_nothing_gives_another_module():
    stage, work = begun(FIRST["mlp-tiny"])
    nothing = step(PruneStructuredSpec(share=0), stage, work)
    assert nothing.module is not stage.module and same(nothing.module, stage.module)


@pytest.mark.parametrize("choice", CUT)
def test_what_is_left_learns_on(choice):
    stage, work = begun(choice)
    module = step(PruneStructuredSpec(importance="taylor"), stage, work).module.train()
    loss = torch.nn.functional.cross_entropy(module(rows(choice, 64)).logits, torch.arange(64) % 3)
    loss.backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in module.parameters())


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_a_network_without_inner_units_is_refused_in_words(name):
    stage, work = begun(next(case.values[0] for case in CASES if case.values[0].name == name))
    reason = suits(stage, inputs_of(stage.arch))
    assert reason is not None and reason.startswith("has no ")
    with pytest.raises(KDError) as caught:
        step(PruneStructuredSpec(), stage, work)
    assert caught.value.code == "no_units" and reason in str(caught.value)


def test_every_student_is_one_or_the_other():
    for case in CASES:
        stage, _ = begun(case.values[0])
        reason = STEPS.get("prune_structured").facts["suits"](stage, inputs_of(stage.arch))
        assert (reason is not None) is (case.values[0].name in WITHOUT), (case.id, reason)


def test_the_unit_that_does_nothing_goes_first():
    """Neurons that nobody reads, or that read nothing, are no loss at all: the answers stay."""
    choice = FIRST["mlp-tiny"]
    stage, work = begun(choice)
    dead = [1, 4, 6]
    with torch.no_grad():
        stage.module.body[0].weight[dead] = 0
        stage.module.body[0].bias[dead] = 0
        stage.module.head.weight[:, dead] = 0
    for rule in ("magnitude", "taylor"):
        found = step(PruneStructuredSpec(share=3 / 8, importance=rule), stage, work).module
        torch.testing.assert_close(found(rows(choice)).logits, stage.module(rows(choice)).logits)


def test_both_directions_lose_their_own_units():
    choice = FIRST["recurrent-tiny"]
    stage, work = begun(choice)
    with torch.no_grad():
        for end, dead in (("l0", [0, 3]), ("l0_reverse", [5, 9])):
            at = 16 if end.endswith("reverse") else 0
            for one in dead:
                for gate in range(3):
                    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                        getattr(stage.module.layer, f"{name}_{end}")[16 * gate + one] = 0
                getattr(stage.module.layer, f"weight_hh_{end}")[:, one] = 0
                stage.module.head.weight[:, at + one] = 0
    found = step(PruneStructuredSpec(share=2 / 16), stage, work)
    group = found.module.layer
    kept = [k for k in range(16) if k not in (0, 3)]
    other = [k for k in range(16) if k not in (5, 9)]
    assert torch.equal(found.module.head.weight, stage.module.head.weight[:, [*kept, *(16 + k for k in other)]])
    assert group.hidden_size == 14 and group.weight_hh_l0_reverse.shape == (42, 14)


def test_heads_go_whole():
    choice = FIRST["text_transformer-tiny-2"]
    stage, work = begun(choice)
    found = step(PruneStructuredSpec(), stage, work).module
    assert [block.heads for block in found.blocks] == [2, 2] and found.blocks[0].each == 4
    assert found.blocks[0].asked.weight.shape == (3 * 8, 8)  # a width of 8 is left of 16, and two heads of four numbers


def test_weights_of_another_network_are_refused():
    choice = FIRST["mlp-tiny"]
    state = cpu_state(made(choice))
    for other in ({**state, "more": torch.zeros(1)}, {**state, "head.weight": torch.zeros(3)}):
        with pytest.raises(KDError) as caught:
            reshaped(made(choice), other)
        assert caught.value.code == "other_network"
