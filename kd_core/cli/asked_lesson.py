"""What students are taught, as it is typed on a command line: losses with their weights and settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kd_core.errors import SpecError
from kd_core.runs.cells import methods
from kd_core.specs import SEVERAL, Choice, DatasetSpec, RunSpec, TrainingSpec

OBJECTIVE = "objective"  # first word of a setting that belongs to the lesson, as in objective.alpha=.5


def of_lesson(settings: Sequence[str] | None) -> list[str]:
    """Return the settings that belong to the lesson."""
    return [text for text in settings or () if text.strip().startswith(f"{OBJECTIVE}.")]


def of_others(settings: Sequence[str] | None) -> list[str]:
    """Return the settings that do not belong to the lesson."""
    return [text for text in settings or () if not text.strip().startswith(f"{OBJECTIVE}.")]


def lesson(
    losses: Sequence[str],
    settings: Sequence[str] | None,
    temperature: float | None = None,
    alpha: float | None = None,
    dataset: DatasetSpec | None = None,
) -> Choice:
    """Read one loss, or several with a weight each.

    Example: `lesson(["hinton:.5", "mse:.2"], ["objective.hinton.temperature=4", "objective.hard=.3"])`
    Errors: UnknownName; SpecError naming what is not understood.
    """
    from kd_core.distill.terms import SeveralSpec

    given, answered = _nested(settings), dataset is not None and bool(dataset.answer_columns)
    if len(losses) == 1 and ":" not in losses[0]:
        return _alone(losses[0], given, temperature, alpha, answered)
    if alpha is not None:
        raise SpecError(
            "Alpha {alpha:g} does not say how several terms share the lesson: each has a weight of its own.",
            "Leave --alpha out; write --objective NAME:WEIGHT for each term and --set objective.hard=WEIGHT for the labels.",
            "alpha_of_several",
            alpha=alpha,
        )
    terms = [_term(text, given, temperature) for text in losses]
    hard = given.pop("hard", 0.0 if answered else None)
    if given:
        raise SpecError(
            "The setting objective.{name} belongs to none of the terms {known}.",
            "Write objective.hard=<weight>, or objective.<term>.<setting>=<value>.",
            "setting_of_no_term",
            name=next(iter(given)),
            known=", ".join(term["name"] for term in terms),
        )
    asked = {"terms": terms, **({} if hard is None else {"hard": hard})}
    return Choice(name=SEVERAL, settings=SeveralSpec.parse(asked, "the objective").model_dump(mode="json"))


def by_each(spec: RunSpec, losses: Sequence[str]) -> RunSpec:
    """Teach every student of a what-if by each of several losses: one student for each, called 'tiny dkd'.

    Errors: UnknownName; SpecError `weight_in_what_if`.
    """
    from kd_core.distill import LOSSES

    if len(losses) < 2:
        return spec
    for text in losses:
        if ":" in text:
            raise SpecError(
                "The weight in '{text}' belongs to a sum of terms, and a what-if compares the losses, one by one.",
                "Write --objective NAME without a weight.",
                "weight_in_what_if",
                text=text,
            )
        LOSSES.get(text)
    return spec.model_copy(update={"students": methods.by_each(spec.students, losses)})


def _alone(
    name: str, given: dict[str, Any], temperature: float | None, alpha: float | None, answered: bool = False
) -> Choice:
    """Read a loss that stands alone; its temperature and alpha, where it has them, are always written.

    `answered`: there are no labels to give a share to.
    """
    from kd_core.distill import LOSSES

    if alpha is None and answered and "alpha" in LOSSES.get(name).spec.model_fields:
        alpha = 1.0
    told = {n: v for n, v in {"temperature": temperature, "alpha": alpha}.items() if v is not None}
    parsed = LOSSES.get(name).spec.parse({**told, **given}, f"the loss {name}").model_dump(mode="json")
    return Choice(name=name, settings={n: v for n, v in parsed.items() if n in ("temperature", "alpha", *given)})


def _term(text: str, given: dict[str, Any], temperature: float | None) -> dict[str, Any]:
    """Read `dkd:0.5` with the settings that were given for it."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import usual_weight

    name, colon, weight = text.partition(":")
    fields = LOSSES.get(name).spec.model_fields
    own = given.pop(name, {})
    if not isinstance(own, dict):
        raise _not_understood(f"{OBJECTIVE}.{name}={own}")
    term: dict[str, Any] = {"name": name, "weight": usual_weight(name)}
    if colon:
        try:
            term["weight"] = float(weight)
        except ValueError:
            raise SpecError(
                "The weight in '{text}' is not a number.",
                "Write --objective NAME:WEIGHT, for example {name}:0.5.",
                "bad_weight",
                text=text,
                name=name,
            ) from None
    for schedule in ("schedule", "temperature_schedule"):
        if schedule in own:
            held = own.pop(schedule)
            term[schedule] = held if isinstance(held, dict) else {"kind": held}
    if temperature is not None and "temperature" in fields:
        own = {"temperature": temperature, **own}
    LOSSES.get(name).spec.parse(own, f"the loss {name}")
    return {**term, "settings": own}


def _nested(settings: Sequence[str] | None) -> dict[str, Any]:
    """Read `objective.dkd.beta=8` as {"dkd": {"beta": 8}}; values are JSON, or text."""
    found: dict[str, Any] = {}
    for text in of_lesson(settings):
        where, equals, value = text.strip().partition("=")
        path = where.strip().split(".")[1:]
        at = found
        for word in path[:-1]:
            held = at.setdefault(word, {})
            if not isinstance(held, dict):  # schedule=warm_up, then schedule.epochs=5
                held = at[word] = {"kind": held}
            at = held
        if not equals or not all(path):
            raise _not_understood(text)
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        if isinstance(at.get(path[-1]), dict):
            at[path[-1]]["kind"] = read
        else:
            at[path[-1]] = read
    return found


def _not_understood(text: str) -> SpecError:
    return SpecError(
        "The setting '{text}' is not understood.",
        "Write objective.<setting>=<value>, or with several terms objective.<term>.<setting>=<value>.",
        "bad_setting",
        text=text,
    )


def weighed(spec: RunSpec, class_weights: str) -> RunSpec:
    """Count rare classes more in the trainings of a run, or every row the same. Errors: SpecError."""
    training = TrainingSpec.parse({**spec.training.model_dump(), "class_weights": class_weights}, "training")
    return spec.model_copy(update={"training": training})
