"""Ask for the best student instead of naming some: the goals it should meet, and who is tried."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
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
        st.caption(t("distill.best.lost_later"))
    return (draft.presets(facts)[:2] if named == found else named), goals


def _goals(values: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """Draw time and goals; an empty goal is none."""
    held, fields = values.get("choose") or {}, ChooseSpec.model_fields
    metric = st.session_state.get(f"{draft.KEY}.evaluation.metric") or values["evaluation"].get("metric")
    metric = metric or task_of(facts.task).primary
    title = differences.metric_title(metric)
    least = "distill.best.score_most" if differences.lower_is_better(metric) else "distill.best.score_least"
    left, right = st.columns(2)
    with left:
        minutes = forms.field("minutes", fields["minutes"], held, KEY)
    with right:
        score = _number("score", t(least, metric=title), held.get("score"), None)
    left, right = st.columns(2)  # row by row: one below the other, on a phone, they keep their order
    with left:
        kilobytes = _number("bytes", t("distill.best.bytes"), _kilobytes(held.get("bytes")), 1 / BYTES)
    with right:
        microseconds = _number("microseconds", t("distill.best.microseconds"), held.get("microseconds"), forms.HAIR)
    size = None if kilobytes is None else max(1, round(kilobytes * BYTES))
    asked = {"minutes": minutes, "bytes": size, "microseconds": microseconds, "score": score}
    return forms.changed(ChooseSpec, asked, held)


def _kilobytes(size: int | None) -> float | None:
    return None if size is None else size / BYTES


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
