"""A transformer over columns."""

from __future__ import annotations

from pydantic import Field

from kd_core.data.input_spec import TABLE
from kd_core.models.archs.ft_transformer import MOST_TOKENS, columns_per_token
from kd_core.models.base import SizeName
from kd_core.specs import Choice, unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.network import NetworkSpec, fit_network

_BATCH = 256  # attention keeps rows x heads x tokens squared numbers for the backward pass


class FTTransformerTeacher(NetworkSpec):
    """Architecture and training of this teacher."""

    size: SizeName = Field("small", description="Size by name; base and large want a GPU.")
    batch_size: int | None = Field(
        _BATCH,
        ge=8,
        le=4096,
        description="Rows per step; attention keeps much for each row.",
        json_schema_extra=unit("rows", advanced=True),
    )
    dropout: float = Field(
        0.1,
        ge=0,
        le=0.8,
        description="Share of inner units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


@SOURCES.register(
    "ft_transformer",
    title="FT-Transformer",
    spec=FTTransformerTeacher,
    source="arXiv:2106.11959",
    takes=(TABLE,),
    gives=frozenset({"logits"}),
    family="network",
    arch="ft_transformer",
    slower=4.0,  # than its matrix products alone: attention works on many small pieces
)
def fit(spec: FTTransformerTeacher, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train the transformer; says so when columns must share tokens. Errors: Stopped, DataError, NonFiniteLoss."""
    columns = data.x.shape[1]
    if (shared := columns_per_token(columns)) > 1:
        notify(
            {
                "kind": "warning",
                "code": "columns_share_tokens",
                "message": f"The {columns} encoded columns share tokens, {shared} neighbours each: "
                f"attention works on at most {MOST_TOKENS}.",
                "hint": "Drop columns with many categories, or choose gradient boosting, which takes all columns.",
            }
        )
    arch = Choice(name="ft_transformer", settings={"size": spec.size, "dropout": spec.dropout})
    return fit_network(arch, spec, data, seed, notify, should_stop)
