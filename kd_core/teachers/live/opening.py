"""A teacher opened to be asked about new rows, where what answers is at hand: a file, an earlier run, an address, several of these."""

from __future__ import annotations

from kd_core.data.dataset import Dataset
from kd_core.errors import KDError
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, Answering, members

_TRAINED = "it was trained for this run, and only its answers to the rows of the data were kept"
_GIVEN = "only its answers to the rows of the data are known"


def why_not(teacher: Choice) -> str | None:
    """Say why a teacher can't be asked about new rows, or None. Errors: UnknownName, SpecError."""
    entry = SOURCES.get(teacher.name)
    live_as = entry.facts.get("live_as", lambda spec: True)
    if "live" not in entry.facts or not live_as(entry.spec.parse(teacher.settings, f"teacher {teacher.name}")):
        return _GIVEN if entry.facts["family"] == "given" else _TRAINED
    for number, one in enumerate(members(teacher), 1):
        if reason := why_not(one):
            return f"of its teachers {number}, {SOURCES.get(one.name).title}, can't be: {reason}"
    return None


def sends(teacher: Choice) -> tuple[Choice, ...]:
    """Name those of a teacher, or of the teachers that it asks, who send rows to another machine. Errors: UnknownName, SpecError."""
    return tuple(one for one in (teacher, *members(teacher)) if "sends" in SOURCES.get(one.name).facts)


def opened(dataset: Dataset, teacher: Choice) -> Answering:
    """Open a teacher for rows of a dataset; nothing is sent before it is asked.

    Errors: KDError `not_live`; UnknownName, SpecError, DataError of the source.
    """
    if reason := why_not(teacher):
        raise KDError(
            "The teacher can't be asked about new rows: {reason}.",
            "Ask its students, or look at the rows that the run kept.",
            "not_live",
            reason=reason,
        )
    entry = SOURCES.get(teacher.name)
    spec = entry.spec.parse(teacher.settings, f"teacher {teacher.name}")
    asked = [opened(dataset, one) for one in members(teacher)]
    made: Answering = entry.facts["live"](spec, dataset, *([asked] if asked else []))
    return made
