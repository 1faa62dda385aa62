"""What holds for every registered architecture, old and new."""

from __future__ import annotations

import copy

import pytest
import safetensors.torch
import torch

from kd_core.data.views import VIEWS
from kd_core.distill.inner.heads import head_of
from kd_core.models import ARCHS
from kd_core.models.base import GIVES
from kd_core.models.building import build, cpu_state
from kd_core.models.sizes import sizes, traced_flops
from kd_core.specs import Choice

CASES = [
    pytest.param(Choice(name=e.name, settings={"size": size} if size else {}), id=f"{e.name}-{size or 'only'}")
    for e in ARCHS.entries()
    for size in (e.facts["presets"] or (None,))
    if size in (None, "tiny")
]
# Those that learn by gradient descent; the others have laws of their own (test_rounds.py).
BY_STEPS = [case for case in CASES if "fits" not in ARCHS.get(case.values[0].name).facts]
LARGE = [
    pytest.param(Choice(name=e.name, settings={"size": size}), id=f"{e.name}-{size}")
    for e in ARCHS.entries()
    for size in e.facts["presets"]
    if size != "tiny"
]


def inputs_of(choice):
    """The example rows of the first view that an architecture takes."""
    return VIEWS.get(ARCHS.get(choice.name).facts["takes"][0]).facts["example"]


def made(choice, outputs=3, seed=0):
    torch.manual_seed(seed)
    return build(choice, inputs_of(choice), outputs)


def rows(choice, n=12):
    return torch.from_numpy(inputs_of(choice).example(n, seed=1))


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("choice", CASES)
def test_logits_have_the_promised_shape_and_are_finite(choice, outputs):
    out = made(choice, outputs=outputs)(rows(choice))
    assert out.logits.shape == (12, outputs) and out.logits.dtype == torch.float32
    assert torch.isfinite(out.logits).all()
    gives = ARCHS.get(choice.name).facts.get("gives", GIVES)
    assert gives - {"maps", "head", "relations"} == ({"logits"} if out.features is None else {"logits", "features"})
    assert (head_of(made(choice, outputs=outputs), rows(choice)) is not None) is ("head" in gives)
    if out.features is not None:
        assert out.features.ndim == 2 and len(out.features) == 12
    if out.members is not None:
        assert out.members.shape[0] == 12 and out.members.shape[2] == outputs


@pytest.mark.parametrize("choice", BY_STEPS)
def test_the_seed_decides_the_start_weights(choice):
    same, again, other = (made(choice, seed=s).state_dict() for s in (3, 3, 4))
    assert all(torch.equal(same[k], again[k]) for k in same)
    assert any(not torch.equal(same[k], other[k]) for k in same)


@pytest.mark.parametrize("choice", CASES)
def test_an_answer_does_not_depend_on_the_other_rows(choice):
    module, x = made(choice).eval(), rows(choice)
    whole = module(x).logits
    alone = torch.cat([module(x[i : i + 1]).logits for i in range(len(x))])
    torch.testing.assert_close(whole, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("choice", CASES)
def test_evaluation_mode_repeats_itself_and_changes_nothing(choice):
    module, x = made(choice).eval(), rows(choice)
    before = copy.deepcopy(module.state_dict())
    assert torch.equal(module(x).logits, module(x).logits)
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())


@pytest.mark.parametrize("choice", BY_STEPS)
def test_the_gradient_reaches_every_parameter(choice):
    module = made(choice).eval()
    torch.nn.functional.cross_entropy(module(rows(choice, 64)).logits, torch.arange(64) % 3).backward()
    silent = [n for n, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


@pytest.mark.parametrize("choice", CASES + LARGE)
def test_sizes_known_before_building_are_those_of_the_module_and_its_file(choice):
    known, module = sizes(choice, inputs_of(choice), 2), made(choice, 2)
    assert known.parameters == sum(p.numel() for p in module.parameters())
    assert known.size_bytes == len(safetensors.torch.save(cpu_state(module)))
    assert known.flops >= 2 * 7 * 2
    if "fits" in ARCHS.get(choice.name).facts:  # no matrix products to trace
        return
    assert known.flops == traced_flops(module.to("meta").eval(), inputs_of(choice))


@pytest.mark.parametrize("entry", ARCHS.entries(), ids=lambda e: e.name)
def test_presets_grow(entry):
    found = [
        sizes(Choice(name=entry.name, settings={"size": s}), inputs_of(Choice(name=entry.name)), 2).parameters
        for s in entry.facts["presets"]
    ]
    assert found == sorted(found)


@pytest.mark.parametrize("entry", ARCHS.entries(), ids=lambda e: e.name)
def test_roles_are_known(entry):
    assert set(entry.facts["roles"]) <= {"student", "teacher"} and entry.facts["roles"]
    assert entry.title and entry.make.__doc__
    assert len(entry.facts["roles"]) == 2 or len(entry.facts["not_both"]) > 10  # said by `list archs`


@pytest.mark.parametrize("choice", BY_STEPS)
def test_a_few_steps_lower_the_loss(choice):
    module, x = made(choice), rows(choice, 64)
    y = torch.arange(64) % 3
    told = y.reshape(-1, *[1] * (x.dim() - 1))
    x = x + told if x.is_floating_point() else x // (told + 1)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.03)
    module.train()  # as it is trained: batch norm and all
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(module(x).logits, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


RELATED = [e for e in ARCHS.entries() if "relations" in e.facts.get("gives", GIVES)]


@pytest.mark.parametrize("entry", RELATED, ids=lambda e: e.name)
def test_who_promises_relations_shows_them_while_asked_and_answers_alike(entry):
    inputs = VIEWS.get(entry.facts["takes"][0]).facts["example"]
    made, x = build(Choice(name=entry.name), inputs, 3).eval(), torch.from_numpy(inputs.example(4))
    plain = made(x)
    made.shows_relations = True
    found = made(x)
    assert not plain.hidden and torch.equal(found.logits, plain.logits)
    assert set(found.hidden) == {"query", "key", "value", "words", "word"}
    assert found.hidden["query"].shape[:2] == found.hidden["words"].shape == x.shape
