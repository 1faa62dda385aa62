"""Many MLPs in one: members share their weights and differ by cheap scalings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.reshape.units import Place, Units
from kd_core.models.shape import NamingSpec, SizedSpec
from kd_core.specs import unit
from kd_core.task import TargetKind

# Legend: N rows, K members, F inputs, D width, C outputs.
_NUMBERS_AT_ONCE = 2**23  # hidden numbers of one pass without gradients: 32 MB
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 16, "depth": 1},
    "small": {"width": 64, "depth": 2},
    "base": {"width": 128, "depth": 2},
    "large": {"width": 256, "depth": 3},
}


class TabMSpec(NamingSpec, SizedSpec):
    """Hidden layers of equal width shared by all members: base 2 x 128, large 3 x 256."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    members: int = Field(16, ge=2, le=64, description="Networks in the ensemble.", json_schema_extra=unit("networks"))
    dropout: float = Field(
        0.1,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class ScaledLinear(nn.Module):
    """One linear layer for all members, with an own scaling before and after it and an own bias.

    Shape: (N, K, I) -> (N, K, O). Source: BatchEnsemble arXiv:2002.06715, equation 5; start values of arXiv:2410.24210.
    """

    def __init__(self, members: int, num_inputs: int, num_outputs: int, first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_outputs, num_inputs))
        self.before = nn.Parameter(torch.ones(members, num_inputs))
        self.after = nn.Parameter(torch.ones(members, num_outputs))
        self.bias = nn.Parameter(torch.empty(members, num_outputs))
        bound = 1 / math.sqrt(num_inputs)
        nn.init.uniform_(self.weight, -bound, bound)
        start = torch.empty(num_outputs)
        nn.init.uniform_(start, -bound, bound)
        with torch.no_grad():
            self.bias.copy_(start.expand(members, num_outputs))  # all members start with the same bias
            if first:  # random signs are what makes the members differ
                self.before.copy_(torch.randint(0, 2, self.before.shape).to(self.before.dtype) * 2 - 1)

    def forward(self, x_NKI: Tensor) -> Tensor:
        scaled: Tensor = nn.functional.linear(x_NKI * self.before, self.weight) * self.after + self.bias
        return scaled


class TabM(nn.Module):
    """An ensemble of MLPs with shared weights and separate heads.

    Shape: x (N, F) -> logits (N, C), features (N, D) averaged over members, members (N, K, C).
    Of classes, logits are the log of the members' mean probability; of labels, the log odds of it; of numbers, their mean; of several parts, each as its kind.
    Source: arXiv:2410.24210, section 3.3 (TabM).
    """

    def __init__(self, spec: TabMSpec, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        width, depth = spec.shape()
        self.num_members = spec.members
        self.combine([("number" if num_outputs == 1 else "classes", tuple(range(num_outputs)))])
        self.rows_at_once = max(1, _NUMBERS_AT_ONCE // (spec.members * max(width, num_inputs)))
        self.layers = nn.ModuleList(
            ScaledLinear(spec.members, num_inputs if i == 0 else width, width, first=i == 0) for i in range(depth)
        )
        self.dropout = nn.Dropout(spec.dropout)
        bound = 1 / math.sqrt(width)
        self.head_weight = nn.Parameter(torch.empty(spec.members, width, num_outputs))
        self.head_bias = nn.Parameter(torch.empty(spec.members, num_outputs))
        nn.init.uniform_(self.head_weight, -bound, bound)
        nn.init.uniform_(self.head_bias, -bound, bound)

    def combine(self, kinds: Sequence[tuple[TargetKind, tuple[int, ...]]]) -> None:
        """Take the members' answers together as the task says."""
        self.kinds = tuple(kinds)
        in_turn = [at for _, own in self.kinds for at in own]
        self.order = [in_turn.index(at) for at in range(len(in_turn))]

    def forward(self, x_NF: Tensor) -> Outputs:
        hidden = x_NF.unsqueeze(1).expand(-1, self.num_members, -1)
        for layer in self.layers:
            hidden = self.dropout(torch.relu(layer(hidden)))
        by_member = torch.bmm(hidden.transpose(0, 1), self.head_weight).transpose(0, 1) + self.head_bias
        if len(self.kinds) == 1:
            return Outputs(self._mean(self.kinds[0][0], by_member), hidden.mean(dim=1), by_member)
        parts = [self._mean(kind, by_member[..., list(own)]) for kind, own in self.kinds]
        return Outputs(torch.cat(parts, dim=1)[:, self.order], hidden.mean(dim=1), by_member)

    def units(self) -> tuple[Units, ...]:
        """Name the units of each hidden layer, those of all members together: they share the weights."""
        found = []
        for number, layer in enumerate(self.layers):
            width, own, after = layer.get_parameter("weight").shape[0], f"layers.{number}", f"layers.{number + 1}"
            read = (
                [(f"{after}.weight", 1), (f"{after}.before", 1)]
                if number + 1 < len(self.layers)
                else [("head_weight", 1)]
            )
            made = [(f"{own}.weight", 0), (f"{own}.after", 1), (f"{own}.bias", 1)]
            found.append(Units(own, "units", (tuple(Place.every(name, axis, width) for name, axis in made + read),)))
        return tuple(found)

    def _mean(self, kind: TargetKind, by_member: Tensor) -> Tensor:
        """Average answers of one kind. Shape: (N, K, C) -> (N, C)."""
        if kind == "number":
            return by_member.mean(dim=1)
        if kind == "labels":  # each by itself: the log odds of the members' mean probability
            yes, no = (torch.logsumexp(nn.functional.logsigmoid(z), dim=1) for z in (by_member, -by_member))
            return yes - no
        return torch.logsumexp(torch.log_softmax(by_member, dim=-1), dim=1) - math.log(self.num_members)


@ARCHS.register(
    "tabm",
    title="TabM ensemble",
    spec=TabMSpec,
    source="arXiv:2410.24210",
    roles=("student", "teacher"),
    takes=(TABLE,),
    gives=frozenset({"logits", "features"}),  # each member has a last layer of its own
    presets=PRESETS,
    candidates={"tiny": 120},
)
def build(spec: TabMSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build an ensemble of MLPs that share their weights."""
    return TabM(spec, inputs.width, num_outputs)
