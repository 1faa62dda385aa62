"""Learning again from the same answers of the teacher, so that what a step took away is made up for by what is left."""

from __future__ import annotations

import functools

from pydantic import Field

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.learning import learn, why_not
from kd_core.compress.zeros import hide, zeros_of
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
    gone = zeros_of(stage.module)
    keep = functools.partial(hide, gone=gone) if gone else None
    module = learn(stage.module, stage, work, share=spec.epochs, rate=spec.rate, keep=keep)
    return stage.after("distill", module=module, epochs=spec.epochs)
