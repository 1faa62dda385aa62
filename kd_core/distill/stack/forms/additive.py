"""Additive models as one stack: piecewise-linear numbers, and products of pairs, without hidden layers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kd_core.data.input_spec import InputSpec
from kd_core.distill.stack.forms.base import STACKS
from kd_core.distill.stack.forms.piecewise import PiecewiseStack
from kd_core.models.archs.additive import AdditiveSpec
from kd_core.models.piecewise_front import Layout


@STACKS.register("additive", title="Additive curves as one", spec=AdditiveSpec)
class AdditiveStack(PiecewiseStack):
    """S additive models. Weights: (S, C, K + M), (S, C)."""

    @classmethod
    def layout_of(cls, spec: Any, inputs: InputSpec) -> Layout:
        """Say what becomes of each feature, and of pairs."""
        return Layout.of(inputs, spec.num_edges(), spec.pairs)

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Edges of a number, and pairs."""
        return int(spec.num_edges()), int(spec.pairs)

    @classmethod
    def width(cls, spec: Any) -> int:
        """There is no hidden layer."""
        return 0

    def mask_widths(self, row: int) -> list[int]:
        """Nothing is silenced."""
        return []
