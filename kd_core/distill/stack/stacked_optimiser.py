"""AdamW and SGD over a stack: every network with its own step size and weight decay.

Both work number by number, so stacking changes nothing. Networks with equal settings lie next to each other
(`fused` sorts them) and are stepped by one call of torch's fused kernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.9  # of training/optimiser.py
BETAS, EPS = (0.9, 0.999), 1e-8  # torch.optim.AdamW's own


class StackedOptimiser:
    """Steps the weights of a stack. Shape: weights and gradients (S, ...); rates and decays one number per network."""

    def __init__(self, kind: str, weights: Sequence[Tensor], rates: Sequence[float], decays: Sequence[float]) -> None:
        self.kind = kind
        self.rates, self.decays = list(rates), list(decays)
        self.moments = [[torch.zeros_like(w) for w in weights] for _ in range(2 if kind == "adamw" else 1)]
        self._blocks = self.blocks()
        self.taken = torch.zeros((), dtype=torch.float32, device=weights[0].device)  # steps, as the kernel wants them

    def keep(self, rows: Tensor) -> None:
        """Drop every network but these."""
        chosen = rows.tolist()
        self.rates = [self.rates[i] for i in chosen]
        self.decays = [self.decays[i] for i in chosen]
        self._blocks = self.blocks()
        self.moments = [[m.index_select(0, rows.to(m.device)) for m in part] for part in self.moments]

    def blocks(self) -> list[tuple[int, int, float, float]]:
        """Find the runs of networks with equal settings: (from, to, rate, decay)."""
        settings = list(zip(self.rates, self.decays, strict=True))
        starts = [0, *(i for i in range(1, len(settings)) if settings[i] != settings[i - 1]), len(settings)]
        return [(a, b, *settings[a]) for a, b in itertools.pairwise(starts)]

    def step(self, weights: Sequence[Tensor], grads: Sequence[Tensor], factor: float | Tensor) -> None:
        """Take one step; `factor` is where the schedule stands (1 at its height)."""
        self.taken += 1
        for a, b, rate, decay in self._blocks:
            whole = b - a == len(self.rates)
            w, g = (list(t) if whole else [x[a:b] for x in t] for t in (weights, grads))
            moments = [part if whole else [m[a:b] for m in part] for part in self.moments]
            self._kernel(w, g, moments, rate * factor, decay)

    def _kernel(self, w: list[Tensor], g: list[Tensor], moments: list[list[Tensor]], rate: Any, decay: float) -> None:
        if self.kind == "sgd":
            torch._fused_sgd_(  # from a momentum of zero, a later step is the same as a first one
                w,
                g,
                moments[0],
                weight_decay=decay,
                momentum=MOMENTUM,
                lr=rate,
                dampening=0.0,
                nesterov=True,
                maximize=False,
                is_first_step=False,
            )
            return
        torch._fused_adamw_(
            w,
            g,
            moments[0],
            moments[1],
            [],
            [self.taken] * len(w),
            lr=rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )
