"""Weights of 4 bits in blocks that share a step: the smallest file, at the speed of floating numbers."""

from __future__ import annotations

from pydantic import Field

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.whole_numbers.given import file_of, nothing_to_round, why_not
from kd_core.compress.whole_numbers.ways import stored_file
from kd_core.spec import Spec, unit


class Int4Spec(Spec):
    """How many weights share a step."""

    block: int = Field(
        32,
        ge=8,
        le=1024,
        description="Weights that share a step, at most: fewer are more precise and take more bytes.",
        json_schema_extra=unit("weights"),
    )


@STEPS.register(
    "int4",
    title="Weights of 4 bits",
    spec=Int4Spec,
    source="Dettmers, Zettlemoyer 2023, arXiv:2212.09720 (blocks of weights)",
    changes="file",
    suits=why_not,
    learns=False,
    usual={},
)
def int4(spec: Int4Spec, stage: Stage, work: Work) -> Stage:
    """Keep weights in 4 bits; they become floating numbers again when the file is opened, so that answers take as long as before.

    ONNX Runtime's own product with 4 bits (`MatMulNBits`) rounds what it reads as well, knows no convolutions and no embeddings, and is no
    operation of ONNX; so it is not used.
    """
    data = file_of(stage, work.rows(stage).spec)
    made, layers = stored_file(data, 4, spec.block)
    if all(one["precision"] == "float" for one in layers):
        raise nothing_to_round()
    return stage.after("int4", file=made, block=spec.block, layers=layers)
