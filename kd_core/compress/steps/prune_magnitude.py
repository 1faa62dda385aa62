"""Set the smallest weights to nothing: the network keeps its shape, and what is nothing takes no room once the file is packed."""

from __future__ import annotations

import copy
import lzma
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.learning import learn, planned
from kd_core.compress.zeros import hide
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.base import OwnONNX, Settles
from kd_core.specs import Spec, unit

RISING = 0.6  # share of the epochs in which more weights go; in the others what is left learns on


class PruneMagnitudeSpec(Spec):
    """How many weights are set to nothing, which, and whether the network learns in between."""

    share: float = Field(
        0.5, ge=0, le=0.99, description="Share of the weights set to nothing.", json_schema_extra=unit("share")
    )
    scope: Literal["global", "layer"] = Field(
        "global", description="global: the smallest of all layers; layer: the same share of each."
    )
    epochs: float = Field(
        0.5,
        ge=0,
        le=4,
        description="Share of the epochs that the student was first trained for, over which weights go little by little while the others learn "
        "from the teacher; 0: all at once, without learning.",
        json_schema_extra=unit("share of epochs"),
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why no weight can be set to nothing, or None where some can."""
    if isinstance(stage.module, OwnONNX):
        return "has no weights that could be set to nothing: trees are made smaller by fewer rounds or leaves"
    return None


@STEPS.register(
    "prune_magnitude",
    title="Set small weights to nothing",
    spec=PruneMagnitudeSpec,
    source="Han et al. 2015, arXiv:1506.02626; the schedule: Zhu, Gupta 2017, arXiv:1710.01878",
    changes="network",
    suits=suits,
    learns=lambda spec: spec.epochs > 0 and spec.share > 0,
    short="sparse",
)
def step(spec: PruneMagnitudeSpec, stage: Stage, work: Work) -> Stage:
    """Set weights to nothing, at once or over epochs. Errors: KDError `no_weights`; SpecError, Stopped as `learn`.

    An ONNX file of zeros is as large as before and no faster: only packed bytes shrink, and both are told.
    """
    if (reason := suits(stage, work.rows(stage).spec)) is not None:
        raise KDError(
            "Student {name} {reason}.",
            "Leave this step out of the chain.",
            "no_weights",
            name=stage.arch.name,
            reason=reason,
        )
    module = copy.deepcopy(stage.module)
    if spec.share and isinstance(module, Settles):
        module.settle()  # a weight that is folded into others would bring them back
    if spec.epochs > 0 and spec.share > 0:
        module = _gradual(module, spec, stage, work)
    hide(module, masks(module, spec.share, spec.scope))
    weights = {name: w for name, w in module.named_parameters() if w.dim() > 1}
    zeros = sum(int((w == 0).sum()) for w in weights.values())
    packed = {"before": packed_bytes(stage.module), "after": packed_bytes(module)}
    told: dict[str, Any] = {
        "share": spec.share,
        "scope": spec.scope,
        "weights": sum(w.numel() for w in weights.values()),
        "zeros": zeros,
    }
    return stage.after("prune_magnitude", module=module, **told, packed=packed, file_is_smaller=False)


def masks(module: nn.Module, share: float, scope: Literal["global", "layer"]) -> dict[str, Tensor]:
    """Mark a share of the weights, those of the least size, by the name of their matrix; of equal ones the first. Biases stay."""
    weights = {name: w.detach().abs() for name, w in module.named_parameters() if w.dim() > 1}
    groups = [list(weights)] if scope == "global" else [[name] for name in weights]
    found: dict[str, Tensor] = {}
    for names in groups:
        sizes = torch.cat([weights[name].reshape(-1) for name in names])
        gone = torch.zeros(len(sizes), dtype=torch.bool, device=sizes.device)
        gone[torch.argsort(sizes, stable=True)[: round(share * len(sizes))]] = True
        parts = torch.split(gone, [weights[name].numel() for name in names])
        found |= {name: part.view(weights[name].shape) for name, part in zip(names, parts, strict=True)}
    return found


def share_at(epoch: int, rising: int, share: float) -> float:
    """Return the share that is gone in an epoch, from 1: most goes early, while there is much to choose from. Source: arXiv:1710.01878."""
    return float(share * (1 - (1 - min(1.0, epoch / rising)) ** 3))


def packed_bytes(module: nn.Module) -> int:
    """Count the bytes of a network's weights as halves, packed without loss."""
    data = b"".join(w.detach().cpu().half().numpy().tobytes() for w in module.parameters())
    return len(lzma.compress(data, check=lzma.CHECK_NONE))


def _gradual(module: nn.Module, spec: PruneMagnitudeSpec, stage: Stage, work: Work) -> nn.Module:
    """Let the network learn while weights go; only an epoch in which all have gone is kept."""
    rising = max(1, int(RISING * planned(work, stage, spec.epochs).epochs))
    now: dict[str, Any] = {"share": 0.0, "masked": None, "gone": {}}

    def begin(epoch: int, epochs: int) -> None:
        now["share"] = share_at(epoch, rising, spec.share)

    def keep(network: nn.Module) -> None:
        if now["masked"] != now["share"]:
            now["gone"], now["masked"] = masks(network, now["share"], spec.scope), now["share"]
        hide(network, now["gone"])

    return learn(
        module, stage, work, share=spec.epochs, keep=keep, begin=begin, counted_from=rising, name="prune_magnitude"
    )
