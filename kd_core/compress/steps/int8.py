"""Whole numbers of 8 bits: what is between layers is rounded by ranges that training rows have shown."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.whole_numbers.calibration import Method, ranges_of
from kd_core.compress.whole_numbers.given import file_of, judged_rows, nothing_to_round, watched_rows, why_not
from kd_core.compress.whole_numbers.network import Network, answers_of
from kd_core.compress.whole_numbers.rounding import Range
from kd_core.compress.whole_numbers.sensitivity import Judge, scan, staying
from kd_core.compress.whole_numbers.ways import static_file, static_ways
from kd_core.errors import KDError
from kd_core.spec import Spec, unit


class Int8Spec(Spec):
    """How ranges are found, and how many steps there are."""

    method: Method = Field(
        "min_max",
        description="How ranges are chosen: all values; without the outermost; or where the least is lost of what their distribution says.",
    )
    scheme: Literal["channel", "tensor"] = Field(
        "channel",
        description="Weights have a step of their own per channel, or one per layer: less precise, some bytes less.",
    )
    scope: Literal["global", "local"] = Field(
        "global",
        description="global: all layers; local: layers whose rounding costs the most, on validation rows, stay as they are.",
    )
    most_lost: float = Field(
        0.5,
        ge=0,
        le=100,
        description="With the scope local: the points (for errors: percent) that may be lost on validation rows, where 99 % must keep their first class as well.",
        json_schema_extra=unit("points"),
    )
    rows: int = Field(
        1000,
        ge=16,
        le=100_000,
        description="Training rows that show the ranges.",
        json_schema_extra=unit("rows", advanced=True),
    )
    kept: float = Field(
        0.9999,
        gt=0.5,
        le=1,
        description="With the method percentile: the share of values inside a range.",
        json_schema_extra=unit("share", advanced=True),
    )
    narrow: bool = Field(
        True,
        description="Weights take 7 of the 8 bits, so that processors without instructions for whole numbers add them up without overflow.",
        json_schema_extra=unit("", advanced=True),
    )


@STEPS.register(
    "int8",
    title="Whole numbers of 8 bits",
    spec=Int8Spec,
    source="Jacob et al. 2018, arXiv:1712.05877; ranges by entropy: Migacz 2017",
    changes="file",
    suits=why_not,
    learns=False,
    usual={"scope": "local"},
)
def int8(spec: Int8Spec, stage: Stage, work: Work) -> Stage:
    """Round weights and what they are multiplied with; layers without such an operation keep their weights as bytes alone."""
    data = file_of(stage, work.rows(stage).spec)
    x = watched_rows(work, stage, spec.rows)

    def watch(network: Network, values: Sequence[str]) -> Mapping[str, Range]:
        return ranges_of(network, values, x, spec.method, spec.kept)

    @functools.cache
    def rounded(floats: frozenset[str]) -> bytes:
        ways = static_ways(Network(data), floats)
        return static_file(data, ways, watch, spec.scheme == "channel", spec.narrow)[0]

    told: dict[str, Any] = {"method": spec.method, "scheme": spec.scheme, "scope": spec.scope, "rows": len(x)}
    floats, sensitivity = frozenset[str](), []
    if spec.scope == "local":
        judged = judged_rows(work, stage)
        judge = Judge(work, judged, answers_of(data, judged))
        layers = [one for one in Network(data).layers() if static_ways(Network(data))[one.name] != "float"]
        sensitivity = scan(layers, rounded, judge)
        floats = staying(sensitivity, rounded, judge, spec.most_lost)
    ways = static_ways(Network(data), floats)
    if set(ways.values()) == {"float"}:
        raise _every_layer_counts(spec.most_lost) if floats else nothing_to_round()
    made, layers_told = static_file(data, ways, watch, spec.scheme == "channel", spec.narrow)
    return stage.after("int8", file=made, **told, layers=layers_told, sensitivity=sensitivity)


def _every_layer_counts(most_lost: float) -> KDError:
    return KDError(
        "The student can't be rounded: whichever of its layers goes into whole numbers, more than {most:g} points are lost on validation rows, "
        "or fewer than 99 % of them keep their first class.",
        "Let more be lost (most_lost), or learn in whole numbers (qat).",
        "compress_unsuited",
        most=most_lost,
    )
