"""What holds for every step that changes the network, and every student: what it makes is smaller or refused, and made again of its weights."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from kd_core.compress.base import STEPS
from kd_core.compress.cutting import reshaped
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.building import build, cpu_state, deployed_state
from kd_core.models.sizes import counted
from tests.compress.file_operations import operations_in
from tests.compress.students import CASES, begun, inputs_of, rows, same

NAMES = ("prune_structured", "prune_magnitude", "low_rank", "factor_embedding", "trim_vocabulary")
MADE = [STEPS.get(name) for name in NAMES]
AT_ONCE = {"prune_magnitude": {"epochs": 0}}  # what learns in between has tests of its own


def paired(steps, cases):
    """Every step with every student: of all pairs a third is quick, with every step and every student among them."""
    return [
        pytest.param(step, *case.values, id=f"{case.id}-{getattr(step, 'name', step)}", marks=marks)
        for i, step in enumerate(steps)
        for k, case in enumerate(cases)
        for marks in ([] if (i + k) % 3 == 1 else [pytest.mark.slow],)
    ]


NETWORKS = [case for case in CASES if case.values[0].name != "trees"]


def done(entry, stage, work, **settings):
    """The stage after a step, or None where the step says that it can't be done; it then says the same when it is tried."""
    reason = entry.facts["suits"](stage, inputs_of(stage.arch))
    try:
        found = entry.make(entry.spec.parse(AT_ONCE.get(entry.name, {}) | settings), stage, work)
    except KDError as error:
        assert error.message and error.hint
        assert reason is None or reason in str(error)
        return None
    assert reason is None
    return found


@pytest.mark.parametrize(("entry", "choice"), paired(MADE, CASES))
def test_a_stage_is_made_again_of_its_weights_and_exported(entry, choice):
    stage, work = begun(choice)
    before = copy.deepcopy(stage.module)
    found = done(entry, stage, work)
    assert same(stage.module, before)
    if found is None:
        return
    assert found.told[-1]["name"] == entry.name and json.loads(json.dumps(found.told)) == list(found.told)
    again = reshaped(build(choice, inputs_of(choice), 3), cpu_state(found.module)).eval()
    x = rows(choice)
    assert same(again, found.module)
    torch.testing.assert_close(again(x).logits, found.module(x).logits, rtol=1e-6, atol=1e-6)
    assert same(found.module, done(entry, stage, work).module)
    if choice.name != "trees":  # what is told of a stage is what its file asks for
        file = onnx_bytes(found.module, inputs_of(choice))
        told = counted(found.module, choice.name, inputs_of(choice)).flops
        assert told == operations_in(file, inputs_of(choice).example(1))
    counts = [sum(int(w.count_nonzero()) for w in m.parameters()) for m in (before, found.module)]
    assert counts[1] < counts[0]


@pytest.mark.parametrize(("entry", "choice"), paired(MADE, NETWORKS))
def test_deployed_weights_of_a_stage_have_its_shapes(entry, choice):
    stage, work = begun(choice)
    if (found := done(entry, stage, work)) is None:
        return
    state = deployed_state(work.dataset, choice, cpu_state(found.module))
    assert {n: t.shape for n, t in state.items()} == {n: t.shape for n, t in found.module.state_dict().items()}
    rounded = reshaped(copy.deepcopy(found.module), state)
    torch.testing.assert_close(rounded(rows(choice)).logits, found.module(rows(choice)).logits, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param(*case.values, id=case.id, marks=[pytest.mark.slow] if k % 3 else [])
        for k, case in enumerate(NETWORKS)
    ],
)
def test_steps_follow_each_other_in_any_order(choice):
    for order in (MADE, MADE[::-1]):
        stage, work = begun(choice)
        for entry in order:
            stage = done(entry, stage, work, share=0.3) or stage
        again = reshaped(build(choice, inputs_of(choice), 3), cpu_state(stage.module)).eval()
        assert same(again, stage.module)
        onnx_bytes(again, inputs_of(choice))


@pytest.mark.parametrize(
    ("name", "choice"), paired(["prune_structured", "prune_magnitude", "trim_vocabulary"], NETWORKS)
)
def test_a_share_of_nothing_changes_nothing(name, choice):
    stage, work = begun(choice)
    found = done(STEPS.get(name), stage, work, share=0)
    if found is not None:
        assert same(found.module, stage.module)
        assert torch.equal(found.module(rows(choice)).logits, stage.module(rows(choice)).logits)
