"""An MLP of two hidden layers."""

from __future__ import annotations

from pydantic import Field

from kd_core.models.base import SizeName
from kd_core.specs import Choice, unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.network import NetworkSpec, fit_network


class MLPTeacher(NetworkSpec):
    """Architecture and training of this teacher."""

    size: SizeName = Field("base", description="Size by name.")
    dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


@SOURCES.register(
    "mlp",
    title="MLP",
    spec=MLPTeacher,
    gives=frozenset({"logits"}),
    family="network",
    arch="mlp",
)
def fit(spec: MLPTeacher, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train the network. Errors: Stopped, DataError, NonFiniteLoss."""
    arch = Choice(name="mlp", settings={"size": spec.size, "dropout": spec.dropout})
    return fit_network(arch, spec, data, seed, notify, should_stop)
