"""Distill: who teaches whom, and how."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec
from pages.ui.access import aids
from pages.ui.chain import show as chain
from pages.ui.data import understanding
from pages.ui.lesson import builder, foreseen
from pages.ui.mode import choice
from pages.ui.runs import best_student, draft, launch, recipe_file, teachers
from pages.ui.shared import engine, example, forms, session, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, t, term

KEY = draft.KEY


def main() -> None:
    """Draw the page."""
    st.title(t("distill.title"), anchor=False)
    cloned = _clone()
    dataset_id = session.dataset_id() or example.data()
    if not dataset_id:
        text.empty_state(t("distill.no_data"), t("distill.choose_data"), "data.py", icon=":material/table_view:")
        return
    try:
        dataset = engine.library().spec(dataset_id)
        with st.spinner(t("distill.reading")):
            facts = understanding.facts(dataset_id, dataset)
        values = draft.load(dataset_id, dataset, facts)
    except KDError as error:
        text.show_error(error)
        text.empty_state(t("distill.no_data"), t("distill.choose_data"), "data.py", icon=":material/table_view:")
        return
    if not session.dataset_id():
        example.data_note()
    if cloned:
        st.info(t("distill.cloned", run=cloned), icon=":material/content_copy:")
        if values.get("choose") is not None:
            st.caption(f":material/info: {t('distill.cloned_best')}")
    st.markdown(t("distill.lead"))
    place = st.container(border=True, key="distill-chain")
    values = _form(dataset, facts, values)
    draft.keep(dataset_id, values)
    _finish(dataset_id, dataset, facts, values, place)


def _clone() -> str | None:
    """Fill the form from `?clone=<run id>`, once."""
    run_id = st.query_params.get(session.CLONE)
    if not run_id:
        return st.session_state.get("distill_cloned")
    try:
        spec = engine.store().folder(run_id).spec()
    except KDError as error:
        text.show_error(error)
        return None
    dataset_id = engine.library().save_spec(spec.dataset)
    values = draft.of_spec(spec)
    asked = st.query_params.pop("student", None)
    if alone := [one for one in values["students"] if one["name"] == asked]:  # one of the candidates, by itself
        values |= {"students": alone, "choose": None, "name": ""}
    draft.put(dataset_id, values)
    st.session_state["distill_cloned"] = run_id
    st.query_params.pop(session.CLONE)
    session.set_dataset(dataset_id)
    return str(run_id)


def _form(dataset: DatasetSpec, facts: Facts, values: dict[str, Any]) -> dict[str, Any]:
    """Draw the three columns, what the lesson would do, and the fold; return what they hold."""
    from kd_core.runs.plan import situation

    left, middle, right = st.columns([5, 7, 6], gap="small")
    folds = draft.folds(dataset, facts, values, KEY)
    with left:
        with st.container(border=True):
            st.subheader(t("distill.teacher"), help=term("teacher"), anchor=False)
            teacher, teacher_settings = _teacher(facts, values, folds)
        with st.container(border=True, height="stretch"), aids.folded(t("distill.budget"), "distill-budget"):
            if not aids.is_narrow():  # there the fold says it
                st.subheader(t("distill.budget"), help=term("seed"), anchor=False)
            training = forms.form(
                TrainingSpec, values["training"], f"{KEY}.training", only=("seeds", "epochs"), columns=2
            )
    with middle.container(border=True, height="stretch"):
        st.subheader(t("distill.students"), help=term("student"), anchor=False)
        chosen, goals = best_student.learners(dataset, values, facts)
    with right.container(border=True, height="stretch"):
        st.subheader(t("distill.lesson"), help=term("lesson"), anchor=False)
        archs = [s["arch"]["name"] for s in chosen] if goals is None else []  # candidates follow the lesson
        fewest = draft.folds(dataset, facts, values, KEY, offering=True)
        taught = Choice(name=teacher, settings=teacher_settings)
        at = situation(facts.task, facts.outputs, taught, facts.inputs, archs, dataset.group is not None, fewest)
        mode = choice.standing(values.get("mode"), KEY)
        unlabelled = bool(choice.chosen(values.get("mode"), KEY).facts.get("unlabelled"))
        lesson = builder.draw(at, values["objective"], f"{KEY}.objective", unlabelled)
        now = {**values, "teacher": taught.model_dump(), "students": chosen, "choose": goals, "objective": lesson}
        run = _run(dataset, now, facts)
        folds = draft.folds(dataset, facts, now, KEY)
        meeting = choice.choose(replace(at, one_fold=folds == 1), values.get("mode"), KEY, run, facts)
    foreseen.show(dataset, facts.task, taught, lesson if run is None else foreseen.heard(run, mode))
    evaluation = _advanced(values, training, facts)
    return {
        "name": values.get("name", ""),
        "teacher": {"name": teacher, "settings": teacher_settings},
        "students": chosen,
        "choose": goals,
        "objective": lesson,
        **meeting,
        "training": training,
        "evaluation": evaluation,
    }


def _run(dataset: DatasetSpec, values: dict[str, Any], facts: Facts) -> RunSpec | None:
    """Make the run of the form in the usual mode, None where it describes none: that is said beside Start."""
    try:
        return best_student.spec_of(dataset, {n: v for n, v in values.items() if n != "mode"}, facts)
    except KDError:
        return None


def _teacher(facts: Facts, values: dict[str, Any], folds: int) -> tuple[str, dict[str, Any]]:
    """Choose who teaches, and its settings."""
    from kd_core.runs.plan import situation
    from kd_core.teachers import SOURCES

    at = situation(facts.task, facts.outputs, views=facts.inputs, folds=folds)
    found = teachers.choose(at, facts, values["teacher"], f"{KEY}.teacher")
    if SOURCES.get(found["name"]).facts["family"] == "given":
        st.caption(t("distill.given"))
    elif folds == 1 or not aids.is_narrow():  # of several parts the drawing says it
        unread = choice.chosen(values.get("mode"), KEY).facts.get(
            "unread"
        )  # then it does not matter what it learned from
        words = "distill.one_teacher" if unread else "distill.in_sample"
        st.caption(t(words) if folds == 1 else t("distill.out_of_fold"), help=term("out_of_fold"))
    return found["name"], found["settings"]


def _advanced(values: dict[str, Any], training: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """Training and evaluation settings that most people leave alone. Fills `training`; returns the evaluation."""
    from kd_core.evaluate import METRICS
    from kd_core.runs.plan import situation

    with st.expander(t("distill.advanced"), icon=":material/tune:"):
        a, b = st.columns([3, 2], gap="large")
        with a:
            st.markdown(t("distill.training"))
            training.update(
                forms.form(
                    TrainingSpec, values["training"], f"{KEY}.training", skip=("seeds", "epochs"), fold=False, columns=3
                )
            )
        with b:
            st.markdown(t("distill.evaluation"))
            possible = [
                e.name
                for e, why_not in METRICS.offer(situation(facts.task, facts.outputs, views=facts.inputs))
                if not why_not
            ]
            held = values["evaluation"].get("metric")
            key = forms.seed(f"{KEY}.evaluation.metric", held if held in possible else None)
            metric = st.selectbox(
                forms.label("metric"),
                [None, *possible],
                key=key,
                help=term("metric"),
                placeholder=t("distill.metric_auto"),
                format_func=lambda n: t("distill.metric_auto") if n is None else METRICS.get(n).title,
            )
            evaluation = forms.form(
                EvaluationSpec, values["evaluation"], f"{KEY}.evaluation", skip=("metric",), fold=False
            )
    return {"metric": metric, **evaluation}


def _finish(dataset_id: str, dataset: DatasetSpec, facts: Facts, values: dict[str, Any], place: Any) -> None:
    """Draw at `place` what is set up, say what the run would cost and what stands in its way; start it."""
    spec, reason, found, quiet = None, None, None, False
    if not values["students"] and values["choose"] is None:
        reason = t("distill.no_students")
    else:
        try:
            spec = best_student.spec_of(dataset, values, facts)
            waits = launch.waiting(spec)
            # of a teacher that is not there yet, nothing is wrong
            problems = [] if waits else launch.problems(spec, facts)
            for problem in problems:
                text.show_problem(problem)
            reason, quiet = next(iter(waits), None), True
            if any(p.severity == "error" for p in problems):
                reason, quiet = t("distill.blocked"), False
        except KDError as error:
            text.show_error(error)
            reason = t("distill.blocked")
    brief, why = None, None
    if spec is not None and reason is None:
        found = launch.foresee(spec, facts)
        said, brief = launch.cost(spec, found, launch.most(spec, facts, found)), launch.brief(found)
        why = Safe(f"{launch.reasons(found)} {t('distill.seeds_help')}")
    else:
        said = Safe(f":{'gray' if quiet else 'orange'}[:material/info: {reason}]")
    chain.show(place, spec, facts, found)
    launch.row(
        "distill",
        "runs.py",
        spec,
        said,
        brief,
        start_label=t("distill.start"),
        icon=":material/play_arrow:",
        help=why,
        reason=reason,
    )
    recipe_file.show(dataset_id, spec, dataset, facts)


main()
