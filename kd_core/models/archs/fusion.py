"""Late fusion: a small network for the table, one for the texts and one for the pictures of a row, joined at the end."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import TERM, TOGETHER, InputSpec
from kd_core.models.base import ARCHS, Outputs, ReadsFirst, SizeName
from kd_core.models.building import build as build_branch
from kd_core.models.side_by_side import taken_apart
from kd_core.specs import Choice, Spec, unit

# numbers in which the branches meet; each branch is its architecture of the same size
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 16},
    "small": {"width": 32},
    "base": {"width": 64},
    "large": {"width": 128},
}
BRANCHES = {"table": "mlp", "ngrams": "bag", "pixels": "cnn"}


class FusionSpec(Spec):
    """An MLP, a weighted bag and a CNN of one size, met in so many numbers: tiny 16, small 32, base 64, large 128."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName = Field("small", description="Size by name, of every branch.")
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Fusion(nn.Module):
    """Adds up what the branches say in the same few hidden numbers, bends them, and answers from there.

    A sum of linear layers is one linear layer over all branches side by side; so what the views say together counts as well.
    Shape: x (N, W) whole numbers -> logits (N, C), features (N, width). Source: late fusion arXiv:1705.09406.
    """

    def __init__(self, spec: FusionSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        width = PRESETS[spec.size]["width"]
        self.parts = inputs.parts
        made = {
            p.kind: build_branch(Choice(name=BRANCHES[p.kind], settings={"size": spec.size}), p, width)
            for p in self.parts
        }
        self.branches = nn.ModuleDict(made)
        self.rows_at_once = min(int(getattr(one, "rows_at_once", 2**14)) for one in made.values())
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NW: Tensor) -> Outputs:
        given = zip(self.branches.values(), taken_apart(x_NW, self.parts), strict=True)
        features = torch.relu(sum((branch(own).logits for branch, own in given), torch.zeros(())))
        return Outputs(self.head(self.dropout(features)), features)

    def reads(self) -> int:
        """Count the pieces of words that are read."""
        return next((int(branch.reads()) for branch in self.branches.values() if isinstance(branch, ReadsFirst)), TERM)


@ARCHS.register(
    "fusion",
    title="Late fusion",
    spec=FusionSpec,
    source="arXiv:1705.09406",
    roles=("student", "teacher"),
    takes=(TOGETHER,),
    presets=PRESETS,
    candidates={"small": 3, "tiny": 4, "base": 23},
)
def build(spec: FusionSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a network that reads table, texts and pictures together."""
    return Fusion(spec, inputs, num_outputs)
