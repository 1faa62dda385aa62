"""A large MLP of three hidden layers."""

from __future__ import annotations

from pydantic import Field

from kd_core.data.input_spec import TABLE
from kd_core.models.base import SizeName
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.network import LayeredSpec, fit_network


class LargeMLPTeacher(LayeredSpec):
    """Architecture and training of this teacher."""

    size: SizeName = Field("large", description="Size by name.")


@SOURCES.register(
    "mlp_large",
    title="MLP, large",
    spec=LargeMLPTeacher,
    takes=(TABLE,),
    gives=frozenset({"logits"}),
    family="network",
    arch="mlp",
)
def fit(spec: LargeMLPTeacher, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train the network. Errors: Stopped, DataError, NonFiniteLoss."""
    arch = Choice(name="mlp", settings={"size": spec.size, "dropout": spec.dropout})
    return fit_network(arch, spec, data, seed, notify, should_stop)
