"""The last layer of a network: where a student has it, what a teacher's is, and how a student takes it over.

Legend: N rows, D width of the student's features, E of the teacher's, C outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.models.base import Outputs

MOST_ROWS = 4096  # that a teacher's layer is found from, and as many again as it has features
SMALLEST = 1e-6  # of a direction's share of the features, against the largest: what is less is their rounding
EXACT = 1e-2  # the most that answers may differ, against their spread: what is found elsewhere is the rounding of kept answers


def head_of(module: nn.Module, x: Tensor) -> nn.Linear | None:
    """Find the linear layer that turns a network's features into its logits; None where there is none.

    Shape: x: a few rows as the network reads them.
    """
    seen: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def see(layer: nn.Module, given: tuple[Any, ...], found: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        seen.append((layer, given[0], found))

    watched = [layer.register_forward_hook(see) for layer in module.modules() if isinstance(layer, nn.Linear)]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            outputs: Outputs = module(x)
    finally:
        for watch in watched:
            watch.remove()
        module.train(training)
    if outputs.features is None:
        return None
    for layer, given, found in seen:
        if _same(given, outputs.features) and _same(found, outputs.logits):
            return layer
    return None


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one == other).all())


def found_again(features: Array, logits: Array) -> Array | None:
    """Find a teacher's last layer from what it answered: answers are a linear function of features, so least squares give it back.

    None where they are not, or where there are not more rows than features. Directions in which features never vary are left out: no
    answer depends on them.
    Shape: features (N, E), logits (N, C) -> (C, E + 1), the bias last.
    """
    width = features.shape[1]
    known = np.flatnonzero(np.isfinite(logits).all(axis=1))
    if len(known) <= width + 1:
        return None
    rows = known[np.linspace(0, len(known) - 1, min(len(known), MOST_ROWS + width)).astype(int)]
    f, z = (np.asarray(x[rows], np.float64) for x in (features, logits))
    mean_f, mean_z = f.mean(0), z.mean(0)
    weights = np.linalg.lstsq(f - mean_f, z - mean_z, rcond=SMALLEST)[0].T
    bias = mean_z - weights @ mean_f
    far = np.sqrt(np.square(f @ weights.T + bias - z).mean())
    if far > EXACT * float(z.std(0).max()):
        return None
    found: Array = np.column_stack([weights, bias]).astype(np.float32)
    return found


class ReusedHead:
    """A student's answers by its teacher's last layer, over a projector of the student's features.

    The two in a row are one linear layer, and `settle` makes them the student's own: W (P f + p) + b = (W P) f + (W p + b).
    Shape: head (C, E + 1), projector D -> E, own D -> C.
    """

    def __init__(self, head: Tensor, projector: nn.Linear, own: nn.Linear) -> None:
        self.weight, self.bias = head[:, :-1].contiguous(), head[:, -1].contiguous()
        self.projector, self.own = projector, own

    def __call__(self, features: Tensor) -> Tensor:
        """Answer. Shape: (B, D) -> (B, C)."""
        if self.weight.device != features.device:
            self.weight, self.bias = self.weight.to(features.device), self.bias.to(features.device)
        return F.linear(self.projector(features), self.weight, self.bias)

    def settle(self) -> None:
        """Write the two layers into the student's own last one."""
        with torch.no_grad():
            weight, bias = (t.to(self.own.weight.device).double() for t in (self.weight, self.bias))
            self.own.weight.copy_(weight @ self.projector.weight.double())
            self.own.bias.copy_(weight @ self.projector.bias.double() + bias)
