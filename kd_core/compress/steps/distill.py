"""Learning again from the same answers of the teacher, so that what a step took away is made up for by what is left."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.learning import learn, why_not
from kd_core.data.input_spec import InputSpec
from kd_core.spec import Spec, unit


class DistillSpec(Spec):
    """How long the student learns again."""

    epochs: float = Field(
        0.5,
        gt=0,
        le=4,
        description="Share of the epochs that the student was first trained for.",
        json_schema_extra=unit("share of epochs"),
    )
    rate: float = Field(
        0.5,
        gt=0,
        le=10,
        description="Step size as a share of the one that the student was first trained with.",
        json_schema_extra=unit("times", advanced=True),
    )


def _suits(stage: Stage, inputs: InputSpec) -> str | None:
    return why_not(stage)


@STEPS.register(
    "distill",
    title="Learn again from the teacher",
    spec=DistillSpec,
    source="Han et al. 2015, arXiv:1506.02626 (prune, then train on); Hinton et al. 2015, arXiv:1503.02531",
    changes="network",
    suits=_suits,
    learns=True,
    usual={},
    short="again",
)
def distill(spec: DistillSpec, stage: Stage, work: Work) -> Stage:
    """Train on with the teacher's answers; weights that a step set to nothing stay there."""
    gone = _nothing(stage.module)

    def keep(network: nn.Module) -> None:
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if name in gone:
                    weight.masked_fill_(gone[name].to(weight.device), 0.0)

    module = learn(stage.module, stage, work, share=spec.epochs, rate=spec.rate, keep=keep if gone else None)
    return stage.after("distill", module=module, epochs=spec.epochs)


def _nothing(module: nn.Module) -> dict[str, torch.Tensor]:
    """Find the weights that are exactly 0, by the name of their matrix; a bias may be 0 by chance and stays free."""
    found = {name: w.detach() == 0 for name, w in module.named_parameters() if w.dim() > 1}
    return {name: mask.clone() for name, mask in found.items() if bool(mask.any())}
