"""Take units out of a network: neurons, channels, heads, columns; what is left is smaller and quicker everywhere."""

from __future__ import annotations

from pydantic import Field

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.cutting import cut, number_cut, weakest
from kd_core.compress.importance import Rule, importances
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
    importance: Rule = Field(
        "magnitude",
        description="Which units count: magnitude, those of the largest weights; taylor, those that the labels of training rows ask for.",
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why no unit of a student can be taken out, or None where some can."""
    if isinstance(stage.module, OwnONNX):
        return "has no units that could be taken out: trees are made smaller by fewer rounds or leaves"
    try:
        found = found_units(stage.module, inputs)
    except KDError as error:
        return str(error)
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
    """Take the least needed units out of the network. Errors: KDError `no_units`."""
    inputs = work.rows(stage).spec
    if (reason := suits(stage, inputs)) is not None:
        raise KDError(
            "Student {name} {reason}.",
            "Leave this step out of the chain.",
            "no_units",
            name=stage.arch.name,
            reason=reason,
        )
    groups = found_units(stage.module, inputs)
    ranked = importances(stage, work, groups, spec.importance)
    going = [number_cut(group.count, spec.share) for group in groups]
    gone = [
        (group, [weakest(lane, number) for lane in lanes])
        for group, lanes, number in zip(groups, ranked, going, strict=True)
    ]
    layers = [
        {"layer": g.layer, "kind": g.kind, "units": len(g.lanes) * g.count, "left": len(g.lanes) * (g.count - number)}
        for g, number in zip(groups, going, strict=True)
    ]
    module = cut(stage.module, gone)
    before, after = (sum(p.numel() for p in m.parameters()) for m in (stage.module, module))
    parameters = {"before": before, "after": after}
    return stage.after("prune_structured", module=module, share=spec.share, layers=layers, parameters=parameters)
