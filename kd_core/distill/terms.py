"""A lesson of several terms: a weight for the labels and one for each loss, each of which may change over the epochs.

There is no alpha here. One loss alone is a `Choice` of it; several are the choice `several`, whose entry is made of theirs, so that
whoever asks what a lesson needs asks `loss_of` and `parts_of` and need not know how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, LossFunction, soft_term
from kd_core.models.base import Outputs
from kd_core.registry import Entry
from kd_core.specs import SEVERAL, Choice, Spec, unit

MOST_TERMS = 6
LEAST_T, MOST_T = 0.5, 20.0


class Schedule(Spec):
    """How a weight or a temperature changes over the epochs; it is taken anew at the start of each."""

    kind: Literal["constant", "warm_up", "linear", "cosine"] = Field(
        "constant",
        description="'warm_up' rises in equal steps to the value that is set; 'linear' and 'cosine' start from that value and end at `to`.",
        json_schema_extra=unit("name"),
    )
    epochs: int | None = Field(
        None,
        ge=1,
        le=2000,
        description="Epochs that the change takes; after them the value stays. All planned epochs when empty.",
        json_schema_extra=unit("epochs"),
    )
    to: float = Field(
        0.0,
        ge=0,
        le=10_000,
        description="Where 'linear' and 'cosine' end.",
        json_schema_extra=unit("as the value that is set"),
    )

    def at(self, value: float, epoch: int, planned: int, low: float = 0.0) -> float:
        """Return the value in an epoch, counted from 1; `low` is where a warm-up comes from.

        Source: the warm-up is min(epoch / epochs, 1), as of DKD (arXiv:2203.08679); cosine is half a wave.
        """
        if self.kind == "constant":
            return value
        epochs = self.epochs or planned
        if self.kind == "warm_up":
            return low + (value - low) * min(epoch / epochs, 1.0)
        done = min((epoch - 1) / max(epochs - 1, 1), 1.0)
        share = done if self.kind == "linear" else 0.5 * (1.0 - math.cos(math.pi * done))
        return value + (self.to - value) * share


class TermSpec(Spec):
    """One term: a loss by name, its weight, and how weight and temperature change."""

    later = ("schedule", "temperature_schedule")

    name: str = Field(description="Name of the loss.")
    weight: float = Field(
        1.0,
        ge=0,
        le=10_000,
        description="What the term is multiplied by before it is added.",
        json_schema_extra=unit("factor"),
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="Settings of the loss; it has no alpha here.")
    schedule: Schedule = Field(default_factory=Schedule, description="How the weight changes over the epochs.")
    temperature_schedule: Schedule = Field(
        default_factory=Schedule, description="How the temperature changes over the epochs."
    )

    @model_validator(mode="after")
    def _without_alpha(self) -> Self:
        if own := sorted({"alpha", "weight"}.intersection(self.settings)):
            raise PydanticCustomError(
                "term_weight",
                "Among several terms a loss has one weight, beside its settings and not among them, and no {own}",
                {"own": " and no ".join(own)},
            )
        moved = self.temperature_schedule
        if moved.kind in ("linear", "cosine") and not LEAST_T <= moved.to <= MOST_T:
            raise PydanticCustomError(
                "temperature_end", "A temperature must end between {low} and {high}", {"low": LEAST_T, "high": MOST_T}
            )
        known = LOSSES.get(self.name).spec.model_fields if self.name in LOSSES.names() else ("temperature",)
        if moved.kind != "constant" and "temperature" not in known:
            raise PydanticCustomError(
                "no_temperature_to_change",
                "The loss '{name}' has no temperature that could change",
                {"name": self.name},
            )
        return self

    @property
    def choice(self) -> Choice:
        """Return the loss as one that stands alone; its alpha does not count here."""
        return Choice(name=self.name, settings=self.settings)

    @property
    def changes(self) -> bool:
        """Say whether weight or temperature differ from epoch to epoch."""
        return self.schedule.kind != "constant" or self.temperature_schedule.kind != "constant"

    def at(self, epoch: int, planned: int) -> TermSpec:
        """Return the term as it is in an epoch. Errors: UnknownName, SpecError."""
        settings = dict(self.settings)
        if self.temperature_schedule.kind != "constant":
            warm = float(LOSSES.get(self.name).spec.parse(settings, f"term {self.name}").temperature)  # type: ignore[attr-defined]
            settings["temperature"] = self.temperature_schedule.at(warm, epoch, planned, low=min(1.0, warm))
        weight = self.schedule.at(self.weight, epoch, planned)
        return TermSpec(name=self.name, weight=weight, settings=settings)


class SeveralSpec(Spec):
    """Settings of a lesson of several terms: total = hard x hard-label loss + the sum of weight x term."""

    hard: float = Field(
        1.0,
        ge=0,
        le=10_000,
        description="Weight of the hard-label loss; 0 ignores the labels.",
        json_schema_extra=unit("factor"),
    )
    terms: tuple[TermSpec, ...] = Field(
        min_length=1, max_length=MOST_TERMS, description="Losses that are added to it, each with its weight."
    )
    _now: tuple[int, int] | None = PrivateAttr(None)  # epoch and planned ones, for losses that change by themselves

    @field_validator("terms")
    @classmethod
    def _each_once(cls, terms: tuple[TermSpec, ...]) -> tuple[TermSpec, ...]:
        names = [t.name for t in terms]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise PydanticCustomError("term_twice", "The loss '{name}' is named twice", {"name": twice[0]})
        return terms

    @cached_property
    def parsed(self) -> tuple[tuple[Entry[LossFunction], Any, float], ...]:
        """Return entry, settings in this epoch and weight of each term. Errors: UnknownName, SpecError."""
        found = [(LOSSES.get(t.name), t) for t in self.terms]
        own: list[Any] = [e.spec.parse(t.settings, f"term {t.name}") for e, t in found]
        if self._now is not None:
            own = [settings.at(*self._now) for settings in own]
        return tuple((e, settings, t.weight) for (e, t), settings in zip(found, own, strict=True))

    @property
    def temperature(self) -> float:
        """Return the temperature that all terms share; 1 where they have none or several."""
        found = {float(getattr(spec, "temperature", 1.0)) for _, spec, _ in self.parsed}
        return found.pop() if len(found) == 1 else 1.0

    @property
    def heard(self) -> float:
        """Return the highest sum of the terms' weights that any epoch can have."""
        ends = [t.schedule.to if t.schedule.kind in ("linear", "cosine") else 0.0 for t in self.terms]
        return sum(max(t.weight, end) for t, end in zip(self.terms, ends, strict=True))

    def weights(self) -> tuple[float, float]:
        """(weight of the hard-label loss, 1 where a term has any weight: the terms bring their own)."""
        return self.hard, 1.0 if self.heard else 0.0

    def at(self, epoch: int, planned: int) -> SeveralSpec:
        """Return the lesson of an epoch, counted from 1, of so many planned ones: itself where nothing changes."""
        own = any(settings.at(epoch, planned) is not settings for _, settings, _ in self.parsed)
        if not own and not any(t.changes for t in self.terms):
            return self
        found = SeveralSpec(hard=self.hard, terms=tuple(t.at(epoch, planned) for t in self.terms))
        found._now = epoch, planned
        return found


def parts_of(objective: Choice) -> tuple[Choice, ...]:
    """List the losses of a lesson, each as a choice of its own; one that stands alone is its own only part. Errors: SpecError."""
    if objective.name != SEVERAL:
        return (objective,)
    return tuple(t.choice for t in SeveralSpec.parse(objective.settings, "the objective").terms)


def loss_of(objective: Choice) -> Entry[LossFunction]:
    """Find the loss of a lesson: a registered one, or one made of several terms. Errors: UnknownName, SpecError.

    What several need together is what any of them needs; they work where all of them do.
    """
    if objective.name != SEVERAL:
        return LOSSES.get(objective.name)
    spec = SeveralSpec.parse(objective.settings, "the objective")
    entries = [entry for entry, _, _ in spec.parsed]
    suits = [entry.suits for entry in entries if entry.suits]
    because = {need: why for entry in entries for need, why in entry.facts.get("because", {}).items()}
    if len({entry.suits for entry in entries if entry.suits}) > 1:
        because.pop("task", None)  # of one term alone; together they work for what all do
    facts: dict[str, Any] = {"terms": tuple(entry.name for entry in entries), "because": because}
    same = {getattr(settings, "temperature", None) for _, settings, _ in spec.parsed}
    still = not any(t.temperature_schedule.kind != "constant" for t in spec.terms)
    if all(entry.facts.get("soft_labels") for entry in entries) and len(same) == 1 and still:
        facts["soft_labels"] = True
    if any("module" in entry.facts for entry in entries):
        facts["module"] = _modules
    if any(entry.facts.get("reuses_head") for entry in entries):
        facts["reuses_head"] = True
    if any("doubled" in entry.facts for entry in entries):
        facts["doubled"] = tuple(entry.facts.get("doubled", 1.0) for entry in entries)
    return Entry(
        SEVERAL,
        together,
        " + ".join(entry.title for entry in entries),
        SeveralSpec,
        suits=(lambda task: all(fits(task) for fits in suits)) if suits else None,
        needs=tuple(dict.fromkeys(need for entry in entries for need in entry.needs)),
        facts=MappingProxyType(facts),
    )


def usual_weight(name: str) -> float:
    """Return the weight that a loss's recipe gives its term where nothing else is asked for. Errors: UnknownName."""
    spec = LOSSES.get(name).spec
    settings: Any = spec.parse({"alpha": 1.0} if "alpha" in spec.model_fields else {}, f"the loss {name}")
    return float(settings.weights()[1])


def hears_features(objective: Choice) -> bool:
    """Say whether a lesson reads the teacher's inner features. Errors: UnknownName, SpecError."""
    return "teacher_features" in loss_of(objective).needs


def hears_maps(objective: Choice) -> bool:
    """Say whether a lesson reads the maps inside the teacher. Errors: UnknownName, SpecError."""
    return "teacher_maps" in loss_of(objective).needs


def hears_live(objective: Choice) -> bool:
    """Say whether a lesson asks the teacher's network itself about each batch. Errors: UnknownName, SpecError."""
    return any(need.startswith("live_") for need in loss_of(objective).needs)


def hears_inside(objective: Choice) -> bool:
    """Say whether a lesson reads anything of a teacher but its answers. Errors: UnknownName, SpecError."""
    return hears_features(objective) or hears_maps(objective) or hears_live(objective)


def soft_share(objective: Choice) -> float:
    """Say how much weight a lesson gives the teacher. Errors: UnknownName, SpecError."""
    settings: Any = loss_of(objective).spec.parse(objective.settings, f"objective {objective.name}")
    return float(settings.weights()[1])


def _modules(spec: SeveralSpec, student: Outputs, teacher: Outputs) -> nn.ModuleDict:
    """Make the own modules of the terms that have one."""
    owning = [(e.name, e.facts["module"], settings) for e, settings, _ in spec.parsed if "module" in e.facts]
    return nn.ModuleDict({name: make(settings, student, teacher) for name, make, settings in owning})


def weighted(
    student: Outputs,
    teacher: Outputs,
    labels: Tensor,
    known: Tensor | None,
    spec: SeveralSpec,
    module: nn.Module | None = None,
) -> dict[str, Tensor]:
    """Compute each term times its weight; one of weight 0 is left out. `known` (B,): rows that the teacher answered, None for all."""
    found = {}
    for entry, settings, weight in spec.parsed:
        if weight:
            own = (module[entry.name],) if isinstance(module, nn.ModuleDict) and entry.name in module else ()
            found[entry.name] = weight * soft_term(entry.make, student, teacher, labels, known, settings, *own)
    return found


def total_of(found: Mapping[str, Tensor], student: Outputs) -> Tensor:
    """Add weighted terms; none of them: 0."""
    parts: Sequence[Tensor] = list(found.values())
    return sum(parts[1:], start=parts[0]) if parts else student.logits.sum() * 0.0


def together(
    student: Outputs, teacher: Outputs, labels: Tensor, spec: SeveralSpec, module: nn.Module | None = None
) -> Tensor:
    """Add the terms, each times its weight. Shape: as the terms ask for."""
    return total_of(weighted(student, teacher, labels, None, spec, module), student)
