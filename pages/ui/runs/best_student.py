"""Ask for the best student instead of naming some: the goals it should meet, and who is tried."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.choosing.against import in_percent
from kd_core.specs import Choice, ChooseSpec, DatasetSpec, RunSpec, StudentSpec
from kd_core.task import task_of
from pages.ui.access import aids
from pages.ui.result import differences
from pages.ui.runs import draft, students
from pages.ui.shared import forms, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import t

KEY = f"{draft.KEY}.choose"
WAYS = ("best", "named")
GOOD = ("best", "score", "lost")  # how good is good enough
USUAL = {"points": 1.0, "percent": 5.0}  # what many would let be lost
BYTES = 1024  # of the field's unit, KB


def learners(
    dataset: DatasetSpec, values: dict[str, Any], facts: Facts
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Draw the choice between goals and named students; return the named ones, and the goals where they count."""
    way = st.radio(
        t("distill.best.way"),
        WAYS,
        key=forms.seed(f"{KEY}.way", "named" if values.get("choose") is None else "best"),
        format_func=lambda w: t(f"distill.best.way_{w}"),
        label_visibility="collapsed",
        help=t("distill.best.way_help"),
    )
    if way == "named":
        return students.choose(values["students"], facts), None
    goals, named = _goals(values, facts), values["students"]
    try:
        found = tried(dataset, values, facts)
    except KDError:  # said beside Start, where it stands in the way
        return named, goals
    from kd_core.runs.choosing.reach import within_reach

    asked = ChooseSpec.parse(goals, "goals")
    fitting = within_reach([StudentSpec.parse(s) for s in found], asked, facts.inputs, facts.outputs)
    told = ", ".join(one.name for one in fitting)
    if asked.bytes is not None and len(fitting) < len(found):
        out = {"num": len(found) - len(fitting), "size": text.size(asked.bytes)}
        st.caption(f":material/block: {t('distill.best.left_out', **out)}")
    with aids.folded(t("distill.best.fold", num=len(fitting)), "distill-candidates"):
        st.caption(t("distill.best.who", num=len(fitting), names=told), help=t("distill.best.rule_help"))
        asked_for = [name for name in ("score", "lost") if goals.get(name) is not None]
        for line in ("on_validation", *asked_for):
            st.caption(t(f"distill.best.{line}"))
    return (draft.presets(facts)[:2] if named == found else named), goals


def _goals(values: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """Draw how good, how large and how slow it may be, and the time for trying; an empty goal is none."""
    held, fields = values.get("choose") or {}, ChooseSpec.model_fields
    metric = st.session_state.get(f"{draft.KEY}.evaluation.metric") or values["evaluation"].get("metric")
    metric = metric or task_of(facts.task).primary
    given = next((way for way in ("score", "lost") if held.get(way) is not None), "best")
    way = st.segmented_control(
        t("distill.best.good"),
        GOOD,
        key=forms.seed(f"{KEY}.good", given),
        required=True,
        format_func=lambda w: t(f"distill.best.good_{w}_{_unit(metric)}" if w == "lost" else f"distill.best.good_{w}"),
        help=t("distill.best.good_help"),
    )
    found: dict[str, Any] = {"score": None, "lost": None}
    drawn = [*([way] if way in found else []), "bytes", "microseconds", "minutes"]
    for at in range(0, len(drawn), 2):  # row by row: one below the other, on a phone, they keep their order
        for name, place in zip(drawn[at : at + 2], st.columns(2), strict=False):
            with place:
                found[name] = (
                    forms.field(name, fields[name], held, KEY) if name == "minutes" else _goal(name, held, metric)
                )
    return forms.changed(ChooseSpec, found, held)


def _unit(metric: str) -> str:
    return "percent" if in_percent(metric) else "points"


def _goal(name: str, held: dict[str, Any], metric: str) -> float | None:
    """Draw the field of one goal, and return it in the spec's unit."""
    value = held.get(name)
    if name == "score":
        least = "distill.best.score_most" if differences.lower_is_better(metric) else "distill.best.score_least"
        return _number(name, t(least, metric=differences.metric_title(metric)), value, None)
    if name == "lost":
        unit = _unit(metric)
        return _number(name, t(f"distill.best.lost_{unit}"), USUAL[unit] if value is None else value, 0.0)
    if name == "microseconds":
        return _number(name, t("distill.best.microseconds"), value, forms.HAIR)
    kilobytes = _number(name, t("distill.best.bytes"), None if value is None else value / BYTES, 1 / BYTES)
    return None if kilobytes is None else max(1, round(kilobytes * BYTES))


def _number(name: str, label: str, value: float | None, low: float | None) -> float | None:
    """Draw one goal, which may be left empty."""
    found = st.number_input(
        label,
        min_value=low,
        value=None,
        step=None,
        format="%.4g",
        key=forms.seed(f"{KEY}.{name}", None if value is None else float(value)),
        placeholder=t("distill.best.no_goal"),
        help=forms.help_text(ChooseSpec.model_fields[name]),
    )
    return None if found is None else float(found)


def tried(dataset: DatasetSpec, values: dict[str, Any], facts: Facts) -> list[dict[str, Any]]:
    """List the candidates for the data and the lesson, as a draft holds students. Errors: KDError without any."""
    from kd_core.runs.choosing.candidates import candidates
    from kd_core.runs.plan import situation

    teacher, grouped = Choice.model_validate(values["teacher"]), dataset.group is not None
    folds = draft.folds(dataset, facts, values, draft.KEY, offering=True)
    at = situation(facts.task, facts.outputs, teacher, facts.inputs, (), grouped, folds)
    return [s.model_dump(mode="json") for s in candidates(at, Choice.parse(values["objective"])).students]


def spec_of(dataset: DatasetSpec, values: dict[str, Any], facts: Facts) -> RunSpec:
    """Make the run that the form describes, with its candidates where one of them is to be chosen. Errors: KDError."""
    own = {**values, "dataset": dataset.model_dump(mode="json")}
    if values.get("choose") is not None:
        own["students"] = tried(dataset, values, facts)
    return RunSpec.parse(own, "the run")
