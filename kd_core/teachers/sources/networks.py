"""Networks as teachers: one for every architecture that may teach, with a form made of the architecture's own."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import Field, create_model

from kd_core.data.input_spec import TABLE
from kd_core.models import ARCHS
from kd_core.models.base import GIVES, Builder, SizeName
from kd_core.registry import Entry
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop, Source
from kd_core.teachers.fitting import side_by_side
from kd_core.teachers.network import NetworkSpec, fit_network

DROPOUT = 0.2  # where the architecture has none by itself: students are small, a teacher has weights to spare


def spec_of(arch: Entry[Builder], size: str = "base") -> type[NetworkSpec]:
    """Make the form of a teacher: how it is trained, its size, its dropout, and what else is no matter for experts.

    The shape is chosen by size alone. Fields of the architecture's fact `teaching` replace those of the same names.
    """
    presets, own = arch.facts["presets"], arch.spec.model_fields
    fields: dict[str, Any] = {"size": (SizeName, Field(size, description="Size by name."))} if presets else {}
    shape = {"size"}.union(*presets.values())
    for name, field in own.items():
        hints = cast("dict[str, Any]", field.json_schema_extra or {})
        if name == "dropout":
            fields[name] = (Annotated[field.annotation, field], field.default or DROPOUT)
        elif name not in shape and not hints.get("advanced"):
            fields[name] = (field.annotation, field)
    for name, field in arch.facts.get("teaching", {}).items():
        annotation = fields[name][0] if name in fields else NetworkSpec.model_fields[name].annotation
        fields[name] = (annotation, field)
    title = arch.name.title().replace("_", "")
    return create_model(
        f"{title}Teacher", __base__=NetworkSpec, __module__=__name__, __doc__=f"{arch.title} as a teacher.", **fields
    )


def train(
    arch: Entry[Builder], spec: NetworkSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop
) -> FittedTeacher:
    """Train the architecture, and say first what it finds worth a warning. Errors: Stopped, DataError, NonFiniteLoss."""
    warning = arch.facts["warning"](data.inputs) if "warning" in arch.facts else None
    if warning:
        notify({"kind": "warning", **warning})
    settings = {name: value for name, value in spec.model_dump().items() if name in arch.spec.model_fields}
    return fit_network(Choice(name=arch.name, settings=settings), spec, data, seed, notify, should_stop)


@SOURCES.register_each(ARCHS, role="teacher")
def teacher_of(arch: Entry[Builder]) -> tuple[Source, type[NetworkSpec], dict[str, Any]]:
    """Make a teacher of an architecture: how it is fitted, its form and its facts."""

    def fit(spec: NetworkSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
        return train(arch, spec, data, seed, notify, should_stop)

    facts = {
        "takes": arch.facts["takes"],
        "gives": arch.facts.get("gives", GIVES),
        "family": "network",
        "arch": arch.name,
    }
    return side_by_side(fit), spec_of(arch), facts


@SOURCES.register(
    "mlp_large",
    title="MLP, large",
    spec=spec_of(ARCHS.get("mlp"), size="large"),
    takes=(TABLE,),
    gives=GIVES,
    family="network",
    arch="mlp",
)
@side_by_side
def fit_large(spec: NetworkSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Train an MLP of three hidden layers. Errors: Stopped, DataError, NonFiniteLoss."""
    return train(ARCHS.get("mlp"), spec, data, seed, notify, should_stop)
