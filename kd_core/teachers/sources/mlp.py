"""An MLP of two hidden layers."""

from __future__ import annotations

from kd_core.data.input_spec import TABLE
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.network import LayeredSpec, fit_network


@SOURCES.register(
    "mlp", title="MLP", spec=LayeredSpec, takes=(TABLE,), gives=frozenset({"logits"}), family="network", arch="mlp"
)
def fit(spec: LayeredSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train the network. Errors: Stopped, DataError, NonFiniteLoss."""
    arch = Choice(name="mlp", settings={"size": spec.size, "dropout": spec.dropout})
    return fit_network(arch, spec, data, seed, notify, should_stop)
