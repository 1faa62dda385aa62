"""Additive models as one stack: piecewise-linear numbers without hidden layers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kd_core.distill.stack.forms.base import STACKS
from kd_core.distill.stack.forms.piecewise import PiecewiseStack
from kd_core.models.archs.additive import AdditiveSpec


@STACKS.register("additive", title="Additive curves as one", spec=AdditiveSpec)
class AdditiveStack(PiecewiseStack):
    """S additive models. Weights: (S, C, K + M), (S, C)."""

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Edges of a number."""
        return int(spec.num_edges())

    @classmethod
    def width(cls, spec: Any) -> int:
        """There is no hidden layer."""
        return 0

    def mask_widths(self, row: int) -> list[int]:
        """Nothing is silenced."""
        return []
