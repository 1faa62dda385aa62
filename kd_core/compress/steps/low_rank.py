"""Take linear layers apart into two thin ones, where that takes fewer numbers."""

from __future__ import annotations

import copy
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.thinning import put_thin, rank_by
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.base import OwnONNX
from kd_core.models.reshape.thin import ThinLinear
from kd_core.specs import Spec, unit


class LowRankSpec(Spec):
    """How thin the layers become."""

    share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of a layer's numbers that its two thin ones may take together.",
        json_schema_extra=unit("share"),
    )
    energy: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Keep so large a share of each matrix's squared singular values instead; a layer that would not get smaller by that stays.",
        json_schema_extra=unit("share", advanced=True),
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why no layer can be taken apart, or None where one can."""
    if isinstance(stage.module, OwnONNX):
        return "has no linear layers: trees are made smaller by fewer rounds or leaves"
    if not _inner(stage.module, inputs):
        return "has no linear layer between inner units: its first layer or its last gives or takes what can't be made thinner"
    return None


@STEPS.register(
    "low_rank",
    title="Make layers thin",
    spec=LowRankSpec,
    source="Sainath et al. 2013, doi:10.1109/ICASSP.2013.6638949",
    changes="network",
    suits=suits,
    short="thin",
)
def step(spec: LowRankSpec, stage: Stage, work: Work) -> Stage:
    """Put two thin layers in place of one where that saves numbers. Errors: KDError `no_thin_layers`."""
    inputs = work.rows(stage).spec
    if (reason := suits(stage, inputs)) is not None:
        raise KDError(
            "Student {name} {reason}.",
            "Leave this step out of the chain.",
            "no_thin_layers",
            name=stage.arch.name,
            reason=reason,
        )
    module, told = copy.deepcopy(stage.module), list[dict[str, Any]]()
    for name in _inner(stage.module, inputs):
        layer = module.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        left, values, right = torch.linalg.svd(layer.weight.detach().double(), full_matrices=False)
        outputs, width = layer.weight.shape
        rank = rank_by(values, outputs + width, outputs * width, spec.share, spec.energy)
        told.append(
            {
                "layer": name,
                "numbers": outputs * width,
                "rank": rank,
                "left": None if rank is None else rank * (outputs + width),
            }
        )
        if rank is None:
            continue
        thin = ThinLinear(width, rank, outputs, layer.bias is not None)
        half = values[:rank].sqrt()
        _write(thin.narrow.weight, half[:, None] * right[:rank])
        _write(thin.widen.weight, left[:, :rank] * half)
        if layer.bias is not None:
            _write(thin.widen.bias, layer.bias.detach())
        put_thin(module, name, thin)
    if all(one["rank"] is None for one in told):
        raise KDError(
            "No layer of student {name} gets smaller as two thin ones.",
            "Ask for a smaller share, or leave this step out of the chain.",
            "no_thin_layers",
            name=stage.arch.name,
        )
    return stage.after("low_rank", module=module, layers=told)


def _write(weight: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        weight.copy_(values)


def _inner(module: nn.Module, inputs: InputSpec) -> list[str]:
    """Name the linear layers that are called as layers and whose answers are not the network's: the last one stays for the teacher's features."""
    found: dict[str, Tensor] = {}
    watched = []
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear) and min(part.weight.shape) > 1 and not name.endswith((".narrow", ".widen")):

            def see(layer: nn.Module, given: Any, out: Tensor, name: str = name) -> None:
                found[name] = out

            watched.append(part.register_forward_hook(see))
    try:
        with torch.inference_mode():
            logits = module(torch.from_numpy(inputs.example(2))).logits
    finally:
        for watch in watched:
            watch.remove()
    return sorted(name for name, out in found.items() if out.shape != logits.shape or not torch.equal(out, logits))
