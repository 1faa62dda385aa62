"""A convolutional network over word pieces: small, quick, and a good student for short texts."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Outputs, SizeName
from kd_core.specs import Spec, unit

# embedding width and filters of each kernel width
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "filters": 16},
    "small": {"width": 24, "filters": 32},
    "base": {"width": 64, "filters": 96},
    "large": {"width": 128, "filters": 192},
}
KERNELS = (2, 3, 4)


class TextCNNSpec(Spec):
    """Embeddings, three kernel widths and a linear layer: tiny 8 x 16, small 24 x 32, base 64 x 96, large 128 x 192."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    width: int = Field(
        24,
        ge=1,
        le=1024,
        description="Numbers per word piece, where no size is named.",
        json_schema_extra=unit("units"),
    )
    filters: int = Field(
        32,
        ge=1,
        le=1024,
        description="Filters of each kernel width, where no size is named.",
        json_schema_extra=unit("filters"),
    )
    dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class TextCNN(nn.Module):
    """Each filter slides over the text and keeps its strongest answer.

    Shape: x (N, L) token numbers -> logits (N, C), features (N, 3 x filters). Source: arXiv:1408.5882.
    """

    def __init__(self, spec: TextCNNSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "filters": spec.filters}
        self.embedding = nn.Embedding(inputs.high, shape["width"], padding_idx=0)
        self.filters = nn.ModuleList(nn.Conv1d(shape["width"], shape["filters"], k, padding=k - 1) for k in KERNELS)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(len(KERNELS) * shape["filters"], num_outputs)

    def forward(self, x_NL: Tensor) -> Outputs:
        text_NDL = self.embedding(x_NL).transpose(1, 2)
        features = torch.cat([torch.relu(f(text_NDL)).amax(dim=2) for f in self.filters], dim=1)
        return Outputs(self.head(self.dropout(features)), features)


@ARCHS.register(
    "textcnn",
    title="TextCNN",
    spec=TextCNNSpec,
    source="arXiv:1408.5882",
    roles=("student", "teacher"),
    takes=("tokens",),
    presets=PRESETS,
    apart="convolutions side by side are no faster than one after the other",
    candidates={"small": 15, "tiny": 35, "base": 65},
)
def build(spec: TextCNNSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a convolutional network over word pieces."""
    return TextCNN(spec, inputs, num_outputs)
