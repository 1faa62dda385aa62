"""Stacked AdamW and SGD against torch's own, network by network."""

import pytest
import torch

from kd_core.distill.stack.stacked_optimiser import StackedOptimiser

SETTINGS = [(1e-3, 0.0), (1e-3, 0.0), (0.1, 0.0), (0.1, 0.3), (1e-3, 0.3)]
SHAPES = [(4, 3), (4,), (2, 4), (2,)]


def separate(kind, weights, rate, decay):
    if kind == "sgd":
        return torch.optim.SGD(weights, rate, momentum=0.9, nesterov=True, weight_decay=decay)
    return torch.optim.AdamW(weights, rate, weight_decay=decay)


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
class TestBoth:
    @pytest.mark.slow
    def test_equals_torch_when_some_leave(self, kind):
        torch.manual_seed(0)
        stacked = [torch.randn(len(SETTINGS), *shape, dtype=torch.float64) for shape in SHAPES]
        alone = [[w[s].clone().requires_grad_() for w in stacked] for s in range(len(SETTINGS))]
        optimisers = [separate(kind, alone[s], *SETTINGS[s]) for s in range(len(SETTINGS))]
        optimiser = StackedOptimiser(kind, stacked, *zip(*SETTINGS, strict=True))
        left = list(range(len(SETTINGS)))
        for step in range(30):
            factor = 1 - step / 40
            grads = [torch.randn(len(SETTINGS), *shape, dtype=torch.float64) for shape in SHAPES]
            for s in left:
                optimisers[s].param_groups[0]["lr"] = SETTINGS[s][0] * factor
                for weight, grad in zip(alone[s], grads, strict=True):
                    weight.grad = grad[s].clone()
                optimisers[s].step()
            optimiser.step(stacked, [g[left].contiguous() for g in grads], factor)
            for place, s in enumerate(left):
                for weight, mine in zip(alone[s], stacked, strict=True):
                    torch.testing.assert_close(mine[place], weight.detach(), rtol=0, atol=1e-12)
            if step in (9, 19):
                rows = [0, 2, 3] if step == 9 else [1]
                optimiser.keep(torch.tensor(rows))
                stacked, left = [w[rows].contiguous() for w in stacked], [left[r] for r in rows]

    def test_padding_stays_zero(self, kind):
        weights = [torch.ones(2, 4, 3)]
        weights[0][1, 2:] = 0
        optimiser = StackedOptimiser(kind, weights, [0.1, 0.1], [0.5, 0.5])
        for _ in range(5):
            grads = torch.randn(2, 4, 3)
            grads[1, 2:] = 0
            optimiser.step(weights, [grads], 1.0)
        assert (weights[0][1, 2:] == 0).all()
        assert (weights[0][1, :2] != 1).all()

    def test_a_factor_on_the_device_counts_as_a_number(self, kind):
        found = []
        for factor in (0.5, torch.tensor(0.5, dtype=torch.float64)):
            weights = [torch.ones(2, 3, dtype=torch.float64)]
            optimiser = StackedOptimiser(kind, weights, [0.1, 0.2], [0.0, 0.1])
            for _ in range(3):
                optimiser.step(weights, [weights[0] * 2], factor)
            found.append(weights[0])
        assert torch.equal(*found)


def test_neighbours_with_equal_settings_make_one_block():
    optimiser = StackedOptimiser("adamw", [torch.zeros(5, 2)], *zip(*SETTINGS, strict=True))
    assert optimiser.blocks() == [(0, 2, 1e-3, 0.0), (2, 3, 0.1, 0.0), (3, 4, 0.1, 0.3), (4, 5, 1e-3, 0.3)]
    optimiser.keep(torch.tensor([0, 1]))
    assert optimiser.blocks() == [(0, 2, 1e-3, 0.0)]
