import math

import pytest
import torch
from torch import nn

from kd_core.training import optimiser
from kd_core.training.plan import TrainingPlan


def test_cosine_falls_from_the_full_step_size_towards_zero():
    plan = TrainingPlan(1, 8, learning_rate=0.2)
    rates = [optimiser.learning_rate(plan, s, 10) for s in range(10)]
    assert rates[0] == 0.2
    assert rates[5] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.1 * (1 + math.cos(0.9 * math.pi)))


def test_constant_stays():
    plan = TrainingPlan(1, 8, learning_rate=0.2, schedule="constant")
    assert {optimiser.learning_rate(plan, s, 10) for s in range(10)} == {0.2}


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)])
def test_only_weights_that_learn_are_optimised(name, kind):
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[0].requires_grad_(False)
    made = optimiser.make(module, TrainingPlan(1, 8, learning_rate=0.1, weight_decay=0.3, optimiser=name))
    assert isinstance(made, kind)
    group = made.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["fused"]) == (0.1, 0.3, True)
    assert [p.shape for p in group["params"]] == [(2, 2), (2,)]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_momenta_from_a_file_are_those_of_their_weights_whatever_their_layout(name):
    steps = [torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(s)) for s in (1, 2)]

    def fresh():
        drawn = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))
        return torch.nn.Parameter(drawn.to(memory_format=torch.channels_last))

    ends = []
    for reloaded in (False, True):
        weight = fresh()
        own = optimiser.make(nn.ParameterList([weight]), TrainingPlan(1, 8, learning_rate=0.1, optimiser=name))
        weight.grad = steps[0].to(memory_format=torch.channels_last)
        own.step()
        if reloaded:
            state = own.state_dict()
            state["state"] = {0: {k: v.contiguous() if torch.is_tensor(v) else v for k, v in state["state"][0].items()}}
            optimiser.load(own, state)
        weight.grad = steps[1].to(memory_format=torch.channels_last)
        own.step()
        ends.append(weight.detach())
    assert torch.equal(*ends)
