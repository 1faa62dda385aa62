"""Learning with whole numbers in sight, from the same answers of the teacher, then written as whole numbers by just these ranges."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field
from torch import nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.learning import learn
from kd_core.compress.learning import why_not as learns_no_more
from kd_core.compress.whole_numbers import given
from kd_core.compress.whole_numbers.calibration import ranges_of
from kd_core.compress.whole_numbers.given import file_of, nothing_to_round, watched_rows
from kd_core.compress.whole_numbers.learned import learned
from kd_core.compress.whole_numbers.network import Layer, Network
from kd_core.compress.whole_numbers.rounding import INT8, NARROW, Range
from kd_core.compress.whole_numbers.ways import static_file, static_ways
from kd_core.compress.zeros import hide, zeros_of
from kd_core.data.input_spec import InputSpec
from kd_core.evaluate.latency import onnx_bytes
from kd_core.spec import Spec, unit


class QatSpec(Spec):
    """How long the student learns, and how many steps there are."""

    epochs: float = Field(
        0.3,
        gt=0,
        le=4,
        description="Share of the epochs that the student was first trained for.",
        json_schema_extra=unit("share of epochs"),
    )
    rate: float = Field(
        0.2,
        gt=0,
        le=10,
        description="Step size as a share of the one that the student was first trained with.",
        json_schema_extra=unit("times", advanced=True),
    )
    scheme: Literal["channel", "tensor"] = Field(
        "channel",
        description="Weights have a step of their own per channel, or one per layer: less precise, some bytes less.",
    )
    rows: int = Field(
        1000,
        ge=16,
        le=100_000,
        description="Training rows that show the ranges to begin with.",
        json_schema_extra=unit("rows", advanced=True),
    )
    narrow: bool = Field(
        True,
        description="Weights take 7 of the 8 bits, so that processors without instructions for whole numbers add them up without overflow.",
        json_schema_extra=unit("", advanced=True),
    )


def _suits(stage: Stage, inputs: InputSpec) -> str | None:
    return given.why_not(stage, inputs) or learns_no_more(stage)


@STEPS.register(
    "qat",
    title="Learn in whole numbers of 8 bits",
    spec=QatSpec,
    source="Jacob et al. 2018, arXiv:1712.05877; with a teacher: Polino et al. 2018, arXiv:1802.05668",
    changes="file",
    suits=_suits,
    learns=True,
    usual={},
)
def qat(spec: QatSpec, stage: Stage, work: Work) -> Stage:
    """Train on with layers that round as they will, then write the file by the ranges that were learned.

    What no layer of torch shows (what convolutions say) has ranges that training rows show afterwards, all of their values.
    """
    inputs = work.rows(stage).spec
    data, x = file_of(stage, inputs), watched_rows(work, stage, spec.rows)
    layers, ways, most = Network(data).layers(), static_ways(Network(data)), NARROW if spec.narrow else INT8
    if "int8" not in ways.values():
        raise nothing_to_round()
    gone = zeros_of(stage.module)
    keep = functools.partial(hide, gone=gone) if gone else None

    def train(network: nn.Module) -> nn.Module:
        return learn(network, stage, work, share=spec.epochs, rate=spec.rate, keep=keep, name="qat")

    module, ranges = learned(stage.module, layers, ways, spec.scheme == "channel", most, x, train)
    after = onnx_bytes(module, inputs)

    def watch(network: Network, values: Sequence[str]) -> Mapping[str, Range]:
        seen = ranges_of(network, values, x, "min_max")
        return seen | _heard(network, Network(after).layers(), ranges)

    made, told = static_file(after, ways, watch, spec.scheme == "channel", spec.narrow)
    return stage.after(
        "qat", module=module, file=made, epochs=spec.epochs, scheme=spec.scheme, learned=len(ranges), layers=told
    )


def _heard(network: Network, layers: Sequence[Layer], ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Name the values that layers read by what they have learned of them."""
    read = {one.name: one.node.input[0] for one in network.layers()}
    return {str(read[one.name]): ranges[one.name] for one in layers if one.name in ranges}
