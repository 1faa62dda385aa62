"""Take units out of a network: neurons, channels, heads, columns; what is left is smaller and quicker everywhere."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from torch import nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.cutting import number_cut
from kd_core.compress.importance import Rule
from kd_core.compress.sensitivity import Found, dealt, dealt_by_rank, scan
from kd_core.compress.taking_out import Layer, layers_of, without
from kd_core.compress.unit_search import found_units
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.base import OwnONNX
from kd_core.specs import Spec, unit


class PruneStructuredSpec(Spec):
    """How many units go, and which."""

    share: float = Field(
        0.5,
        ge=0,
        le=0.95,
        description="Share of the units taken out of each layer, or of all layers together; one always stays.",
        json_schema_extra=unit("share"),
    )
    scope: Literal["layer", "global", "sensitive"] = Field(
        "layer",
        description="layer: the same share of each layer; global: units that matter least against their layer's mean, wherever they are; "
        "sensitive: layers are cut one by one first, and those that lose least on validation rows give most.",
    )
    importance: Rule = Field(
        "taylor",
        description="Which units count: magnitude, those of the largest weights; taylor, those that the labels of training rows ask for.",
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why no unit of a student can be taken out, or None where some can."""
    if isinstance(stage.module, OwnONNX):
        return "has no units that could be taken out: trees are made smaller by fewer rounds or leaves"
    try:
        found = found_units(stage.module, inputs)
    except KDError as error:
        return f"has operations that can't be followed: {error.message.rstrip('.')}"
    if not found:
        return "has no inner units that could be taken out: every number stands between an input and an answer"
    return None


@STEPS.register(
    "prune_structured",
    title="Take units out",
    spec=PruneStructuredSpec,
    source="arXiv:2301.12900",
    changes="network",
    short="cut",
    shares={0.5: "half"},
    suits=suits,
)
def step(spec: PruneStructuredSpec, stage: Stage, work: Work) -> Stage:
    """Take the least needed units out of the network. Errors: KDError `no_units`, `unknown_units`."""
    layers = [] if isinstance(stage.module, OwnONNX) else layers_of(stage, work, spec.importance)
    if not layers:
        raise KDError(
            "Student {name} {reason}.",
            "Leave this step out of the chain.",
            "no_units",
            name=stage.arch.name,
            reason=suits(stage, work.rows(stage).spec),
        )
    scanned: list[Found] = []
    if spec.scope == "sensitive":
        scanned = scan(stage, work, layers)
        going = dealt(layers, scanned, spec.share)
    elif spec.scope == "global":
        going = dealt_by_rank(layers, spec.share)
    else:
        going = [number_cut(layer.count, spec.share) for layer in layers]
    module = without(stage.module, list(zip(layers, going, strict=True)))
    told: dict[str, Any] = {
        "share": spec.share,
        "layers": [_told(layer, number) for layer, number in zip(layers, going, strict=True)],
        "parameters": {"before": _count(stage.module), "after": _count(module)},
    }
    if scanned:
        told["sensitivity"] = scanned
    return stage.after("prune_structured", module=module, **told)


def _told(layer: Layer, gone: int) -> dict[str, Any]:
    """Say what is left of a layer, all lanes together; `turned` where columns were mixed so that the least was lost."""
    lanes, units = len(layer.units.lanes), layer.units
    found = {
        "layer": units.layer,
        "kind": units.kind,
        "units": lanes * units.count,
        "left": lanes * (units.count - gone),
    }
    return found | {"turned": layer.uses is not None}


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
