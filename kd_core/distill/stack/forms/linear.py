"""Linear models as one stack: an MLP without hidden layers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kd_core.distill.stack.forms.base import STACKS
from kd_core.distill.stack.forms.mlp import MLPStack
from kd_core.models.archs.linear import LinearSpec


@STACKS.register("linear", title="Linear models as one", spec=LinearSpec)
class LinearStack(MLPStack):
    """S linear models. Weights: (S, C, F), (S, C)."""

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """All linear models are alike."""
        return ()

    @classmethod
    def width(cls, spec: Any) -> int:
        """There is no hidden layer."""
        return 0

    def mask_widths(self, row: int) -> list[int]:
        """Nothing is silenced."""
        return []
