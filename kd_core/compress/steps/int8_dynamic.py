"""Whole numbers of 8 bits without rows to watch: each batch is rounded by its own range."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.whole_numbers.given import file_of, nothing_to_round, why_not
from kd_core.compress.whole_numbers.ways import dynamic_file
from kd_core.spec import Spec, unit


class Int8DynamicSpec(Spec):
    """How many steps there are."""

    scheme: Literal["channel", "tensor"] = Field(
        "channel",
        description="Weights have a step of their own per channel, or one per layer: less precise, some bytes less.",
    )
    narrow: bool = Field(
        True,
        description="Weights take 7 of the 8 bits, so that processors without instructions for whole numbers add them up without overflow.",
        json_schema_extra=unit("", advanced=True),
    )


@STEPS.register(
    "int8_dynamic",
    title="Whole numbers of 8 bits, ranges by batch",
    spec=Int8DynamicSpec,
    source="ONNX Runtime, dynamic quantisation",
    changes="file",
    suits=why_not,
    learns=False,
    usual={},
)
def int8_dynamic(spec: Int8DynamicSpec, stage: Stage, work: Work) -> Stage:
    """Round linear layers batch by batch; convolutions, which that would slow down, embeddings and recurrent layers keep their weights as bytes."""
    data = file_of(stage, work.rows(stage).spec)
    made, layers = dynamic_file(data, spec.scheme == "channel", spec.narrow)
    if all(one["precision"] == "float" for one in layers):
        raise nothing_to_round()
    return stage.after("int8_dynamic", file=made, scheme=spec.scheme, layers=layers)
