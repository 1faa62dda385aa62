"""What holds for every stacked family: its numbers are those of the family's own module, padded or not."""

import pytest
import torch

from kd_core.data.input_spec import COLUMNS, TABLE, table_inputs
from kd_core.data.views.columns import columns_inputs
from kd_core.distill.stack import fused
from kd_core.distill.stack.forms import STACKS
from kd_core.machine import device as devices
from kd_core.models.activations import _MODULES as ACTIVATIONS
from kd_core.models.base import ARCHS
from kd_core.models.building import build
from kd_core.specs import Choice, StudentSpec
from tests.distill.eager import make_dataset, make_variant

INPUTS, ROWS, OUTPUTS = 5, 7, 3
SEEN = {TABLE: table_inputs(INPUTS), COLUMNS: columns_inputs([256, 2, 6, 256, 2], [1, 3])}
CPU = torch.device("cpu")
STUDENTS = [e.name for e in ARCHS.entries() if "student" in e.facts["roles"]]
SPECS = {name: ARCHS.get(name).spec for name in STACKS.names()}


@pytest.fixture(autouse=True)
def one_thread():
    with devices.threads(1):
        yield


def settings(name):
    """Every setting that makes a stack of its own, with widths and shares that may share one."""
    if "width" not in SPECS[name].model_fields:
        return [[{}, {}, {}]]
    kinds = [{"activation": a} for a in ACTIVATIONS]
    if "edges" in SPECS[name].model_fields:
        kinds = [{"activation": "silu"}, {"edges": 7}]
    if "widening" in SPECS[name].model_fields:
        kinds += [{"widening": 0.7}, {"widening": 3.3}]
    return [
        [{"size": None, "depth": depth, "width": w, "dropout": d, **kind} for w, d in widths]
        for kind in kinds
        for depth in (1, 3)
        for widths in (((4, 0.0), (9, 0.3), (6, 0.0), (1, 0.5)), ((6, 0.2), (6, 0.0)))
    ]


CASES = [(name, i) for name in STACKS.names() for i in range(len(settings(name)))]


def inputs(name):
    return SEEN[ARCHS.get(name).facts["takes"][0]]


def rows(name, stack):
    """Rows for every network of a stack, with the holes that their view may have."""
    x = torch.from_numpy(inputs(name).example(stack * ROWS)).double()
    return x.view(stack, ROWS, INPUTS)


def make(name, of, dtype=torch.float64):
    """Return the stack and the modules whose weights it took over."""
    torch.manual_seed(0)
    modules = [build(Choice(name=name, settings=s), inputs(name), OUTPUTS).to(dtype) for s in of]
    for module in modules:  # norms start at 1 and 0, which would hide errors
        for weight in module.parameters():
            weight.data += 0.1 * torch.randn_like(weight)
        for _, buffer in module.named_buffers():  # what a lesson decides differs inside a stack
            buffer.data *= 1 if buffer.dtype == torch.long else 1 + 0.1 * torch.rand(())
    specs = [SPECS[name].parse(s) for s in of]
    cls = STACKS.get(name).make
    assert len({cls.shape_key(s) for s in specs}) == 1
    return cls(specs, [m.state_dict() for m in modules], inputs(name), dtype, CPU), modules


@pytest.mark.parametrize(("name", "which"), CASES)
class TestEveryStack:
    def test_answers_and_gradients_are_the_modules(self, name, which):
        stack, modules = make(name, settings(name)[which])
        x = rows(name, len(modules))
        pull = torch.randn(len(modules), OUTPUTS, ROWS, dtype=torch.float64)
        z = stack.forward(stack.encode(x), (), True)
        stack.backward(pull.clone())
        assert z.shape == (len(modules), OUTPUTS, ROWS)
        assert torch.equal(z, stack.forward(stack.encode(x), (), False))
        for s, module in enumerate(modules):
            expected = module.eval()(x[s]).logits
            torch.testing.assert_close(z[s].T, expected, rtol=0, atol=1e-12)
            grads = torch.autograd.grad(expected, list(module.parameters()), pull[s].T)
            for slot, grad in zip(stack.grads, grads, strict=True):
                inside = slot[s][tuple(slice(n) for n in grad.shape)]
                torch.testing.assert_close(inside, grad, rtol=0, atol=1e-12)
                assert slot[s].abs().sum() == pytest.approx(grad.abs().sum().item(), rel=1e-9), "padding got a gradient"

    def test_masks_silence_as_dropout_does(self, name, which):
        of = settings(name)[which]
        stack, modules = make(name, of)
        x = rows(name, len(modules))
        masks = [torch.ones(len(modules), ROWS, w, dtype=torch.float64) for w in stack.padded_widths()]
        torch.manual_seed(1)
        expected = [m.train()(x[s]).logits for s, m in enumerate(modules)]
        torch.manual_seed(1)
        for s, spec in enumerate(stack.specs):
            for layer, width in enumerate(stack.mask_widths(s)):
                drawn = torch.nn.functional.dropout(torch.ones(ROWS, width, dtype=torch.float64), spec.dropout)
                masks[layer][s, :, :width] = drawn
        z = stack.forward(stack.encode(x), masks, True)
        pull = torch.randn_like(z)
        stack.backward(pull.clone())
        for s, module in enumerate(modules):
            torch.testing.assert_close(z[s].T, expected[s], rtol=0, atol=1e-12)
            grads = torch.autograd.grad(expected[s], list(module.parameters()), pull[s].T)
            for slot, grad in zip(stack.grads, grads, strict=True):
                torch.testing.assert_close(slot[s][tuple(slice(n) for n in grad.shape)], grad, rtol=0, atol=1e-12)

    def test_keeping_some_keeps_their_answers_and_their_states(self, name, which):
        stack, modules = make(name, settings(name)[which])
        x = rows(name, len(modules))
        before = stack.forward(stack.encode(x), (), False)
        left = torch.tensor(range(len(modules) - 1, -1, -2))
        stack.keep(left)
        assert len(stack) == len(left)
        torch.testing.assert_close(stack.forward(stack.encode(x[left]), (), False), before[left], rtol=0, atol=1e-12)
        for place, row in enumerate(left.tolist()):
            state = stack.state(place)
            assert state.keys() == modules[row].state_dict().keys()
            assert all(torch.equal(state[k], v) for k, v in modules[row].state_dict().items())

    def test_float32_weights_stay_float32(self, name, which):
        stack, _ = make(name, settings(name)[which], torch.float32)
        assert {t.dtype for t in stack.state(0).values()} == {torch.float32}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_maps_zero_to_zero(name):
    assert torch.equal(ACTIVATIONS[name]()(torch.zeros(3)), torch.zeros(3))


@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_has_a_stack_or_a_reason(name):
    variant = make_variant()
    variant = type(variant)(StudentSpec(name="s", arch=Choice(name=name)), None, 0)
    reason = fused.supports(make_dataset(), variant)
    if name in STACKS.names():
        assert reason is None
    else:
        assert f"'{name}' has no stacked form" in reason or f"'{name}' learns by a procedure of its own" in reason


def test_every_stack_is_an_architecture_for_students():
    assert set(STACKS.names()) <= set(STUDENTS)
    for entry in STACKS.entries():
        assert entry.spec is ARCHS.get(entry.name).spec
