"""An ensemble of MLPs that share their weights."""

from __future__ import annotations

from pydantic import Field

from kd_core.data.input_spec import TABLE
from kd_core.models.base import SizeName
from kd_core.specs import Choice, unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.network import NetworkSpec, fit_network


class TabMTeacher(NetworkSpec):
    """Architecture and training of this teacher."""

    size: SizeName = Field("base", description="Size by name.")
    members: int = Field(16, ge=2, le=64, description="Networks in the ensemble.", json_schema_extra=unit("networks"))
    dropout: float = Field(
        0.1,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


@SOURCES.register(
    "tabm",
    title="TabM ensemble",
    spec=TabMTeacher,
    source="arXiv:2410.24210",
    takes=(TABLE,),
    gives=frozenset({"logits"}),
    family="network",
    arch="tabm",
)
def fit(spec: TabMTeacher, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train the ensemble; each member learns on its own. Errors: Stopped, DataError, NonFiniteLoss."""
    settings = {"size": spec.size, "members": spec.members, "dropout": spec.dropout}
    return fit_network(Choice(name="tabm", settings=settings), spec, data, seed, notify, should_stop)
