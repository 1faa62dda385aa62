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
