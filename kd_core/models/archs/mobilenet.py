"""A mobile network over pictures: convolutions a band each, between cheap ones that mix the bands; few weights, few operations."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS
from kd_core.models.picture_network import BATCH, RATE, TEACHING, Staged, StagedSpec

# filters of the first of three stages (each further one has twice as many) and blocks a stage
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 16, "depth": 1},
    "base": {"width": 24, "depth": 2},
    "large": {"width": 32, "depth": 4},
}
WIDER = 4  # times as many bands inside a block; the paper's 6 is for pictures of 224 x 224


class MobileNetSpec(StagedSpec):
    """Three stages of inverted residual blocks: tiny 8, small 16, base 24 x 2, large 32 x 4 (first filters x blocks a stage)."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS


class Block(nn.Module):
    """Widen, look around in each band alone, narrow again; added to what came in where the sizes are alike."""

    def __init__(self, before: int, filters: int, stride: int) -> None:
        super().__init__()
        inner = WIDER * before
        self.learned = nn.Sequential(
            nn.Conv2d(before, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.adds = before == filters and stride == 1

    def forward(self, x_NKHW: Tensor) -> Tensor:
        found: Tensor = self.learned(x_NKHW)
        return found + x_NKHW if self.adds else found


def _last(filters: int) -> tuple[list[nn.Module], int]:
    """Mix the bands once more, into twice as many."""
    return [nn.Conv2d(filters, 2 * filters, 1, bias=False), nn.BatchNorm2d(2 * filters), nn.ReLU6()], 2 * filters


@ARCHS.register(
    "mobilenet",
    title="MobileNet",
    spec=MobileNetSpec,
    source="arXiv:1801.04381",
    roles=("student", "teacher"),
    takes=("pixels",),
    gives=frozenset({"logits", "features", "head", "maps"}),
    presets=PRESETS,
    batch=BATCH,
    rate=RATE,
    teaching=TEACHING,
    candidates={"tiny": 50, "small": 80},
)
def build(spec: MobileNetSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a network of inverted residuals for pictures of about 32 x 32. Source: arXiv:1801.04381, with strides for small pictures."""
    shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "depth": spec.depth}
    return Staged(spec, shape, inputs, num_outputs, Block, nn.ReLU6, _last, WIDER)
