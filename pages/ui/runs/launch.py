"""Before Start what a spec will take, then handing it to the job service, or opening what it gave before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from kd_core.errors import KDError, Problem
from kd_core.specs import RunSpec
from pages.ui.access import start_row
from pages.ui.shared import engine, session, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, t

if TYPE_CHECKING:
    from kd_core.runs.estimate import Estimate

LONG_SECONDS, NO_ROWS = 30.0, 1
NOTICED = 1.5  # from here on the machine's other work is said beside the time


def foresee(spec: RunSpec, facts: Facts) -> Estimate:
    """Estimate what a run takes on this machine as it is now, by its table and by earlier runs."""
    from kd_core.runs import estimate

    around = estimate.circumstances(spec, estimate.training_rows(spec.dataset, facts.rows, facts.parts))
    return estimate.foresee(spec, facts.rows, facts.inputs, facts.outputs, around)


def most(spec: RunSpec, facts: Facts, found: Estimate) -> tuple[int, float] | None:
    """Foresee trainings and seconds with all seeds that an automatic number may add to an estimate; None where the recipe says how many.

    Seeds that are added are trained by themselves, after the first: a stack of few does not grow for free.
    """
    from kd_core.evaluate.intervals.advice import MOST_SEEDS

    if spec.training.seeds is not None or spec.sweep is not None:
        return None
    training = spec.training.model_copy(update={"seeds": MOST_SEEDS - spec.training.seeds_at_first})
    added = foresee(spec.model_copy(update={"training": training}), facts)
    own = found.trainings - found.tried + added.trainings - added.tried
    return own, found.seconds + added.student_seconds


def problems(spec: RunSpec, facts: Facts) -> list[Problem]:
    """Find everything in a spec that can't work on these rows."""
    from kd_core.runs import estimate, plan

    rows = estimate.training_rows(spec.dataset, facts.rows, facts.parts)
    return plan.check(spec, facts.task, facts.outputs, facts.inputs, rows)


def waiting(spec: RunSpec) -> list[Safe]:
    """Say what is still to be given of a teacher from outside: nothing is wrong before that."""
    from kd_core.teachers import SOURCES
    from kd_core.teachers.base import members

    found = []
    for one in (spec.teacher, *members(spec.teacher)):
        entry = SOURCES.get(one.name)
        error = entry.facts.get("missing", lambda spec: None)(entry.spec.parse(one.settings))
        key = f"distill.waiting.{error.code}" if error else ""
        if error and key in text.catalogue():
            found.append(t(key))
    return found


def time(found: Estimate) -> Safe:
    """Say the time of an estimate, the teacher's share of it, and whether other work makes it longer."""
    if found.teacher_kept:
        words = t("distill.time_kept", seconds=text.forecast(found.seconds))
    else:
        whole, part = text.forecast(found.seconds), text.forecast(found.teacher_seconds)
        words = t(f"distill.time{'_mostly' if part == whole else ''}", seconds=whole, teacher=part)
    return t("distill.time_busy", time=words, times=f"{found.busy:.2g}") if found.busy >= NOTICED else words


def brief(found: Estimate) -> Safe:
    """Say the time of an estimate and nothing else, where there is room for no more."""
    return t("distill.time_brief", seconds=text.forecast(found.seconds))


def _time(spec: RunSpec, found: Estimate) -> Safe:
    """Say the time, and where most of it is a network teacher's whose epochs nobody bounded, what bounds them."""
    from kd_core.runs import plan

    said = time(found)
    most_of_it = found.teacher_seconds >= max(LONG_SECONDS, found.seconds / 2)
    if most_of_it and plan.own_epochs(spec.teacher, NO_ROWS) is not None:
        return t("distill.time_teacher", time=said)
    return said


def cost(spec: RunSpec, found: Estimate, longest: tuple[int, float] | None = None) -> Safe:
    """Say what a run takes: trainings, time and memory, and before them the candidates where one is to be chosen.

    The time of the whole is the only one that is foreseen; how long the choice may take, and `longest`, trainings and seconds with all
    seeds that may be added, are told beside it as limits.
    """
    own = found.trainings - found.tried
    # of candidates those that are tried: a limit of size leaves some out; both arms are, and one of them is trained further
    students = len(spec.students) if spec.choose is None else found.tried // 2 + 1
    values = {"students": students, "seeds": _seeds(spec), "trainings": own, "arms": _arms(spec, own)}
    values |= {"time": _time(spec, found), "memory": text.size(found.memory_bytes)}
    said, limits = t("distill.estimate" if spec.choose is None else "distill.estimate_best", **values), []
    if spec.choose is not None:
        part = "_of" if found.seconds > 60 * spec.choose.minutes else ""
        limits.append(t(f"distill.limit_choose{part}", minutes=f"{spec.choose.minutes:g}"))
    if longest is not None:
        trainings, seconds = longest
        limits.append(t("distill.limit_seeds", trainings=trainings, seconds=text.forecast(seconds)))
    return t("distill.limits", said=said, limits=Safe(" ".join(limits))) if limits else said


def _seeds(spec: RunSpec) -> Safe:
    """Say how many seeds, at first where the number is automatic, and on how many splits."""
    training, splits = spec.training, spec.evaluation.splits
    said = t("distill.seeds_first" if training.seeds is None else "distill.seeds", num=training.seeds_at_first)
    return Safe(f"{said} × {t('distill.splits', num=splits)}") if splits > 1 else said


def _arms(spec: RunSpec, trainings: int) -> Safe:
    """Say what each student is trained as: with the teacher, alone, and as placebo where the lesson has one."""
    students = 1 if spec.choose else len(spec.students)
    pairs = 2 * students * spec.training.seeds_at_first * spec.evaluation.splits
    return t("distill.arms_placebo" if trainings > pairs else "distill.arms")


def reasons(found: Estimate) -> Safe:
    """Say what an estimate is made from."""
    learned = t("distill.learned", num=found.learned) if found.learned else t("distill.learned_none")
    said = t("distill.estimate_help", learned=learned)
    saved = found.places.saved
    return Safe(f"{said} {t('distill.places', seconds=text.forecast(saved))}") if saved >= 1 else said


def start(spec: RunSpec, page: str, *, again: bool = False) -> None:
    """Queue a run and go and watch it on a page; a refusal is shown with its reason. A nameless one is named by its recipe."""
    from kd_core.runs.view.naming import short_name

    try:
        spec = spec if spec.name else spec.model_copy(update={"name": short_name(spec)})
        run_id = engine.jobs().submit(spec, click=session.click_token(page), again=again)
    except KDError as error:
        text.show_error(error)
        return
    session.spend_click(page)
    for cloned in ("distill_cloned", "whatif_cloned"):
        st.session_state.pop(cloned, None)
    session.set_run(run_id)
    session.go(page, run=run_id)


def row(
    name: str,
    page: str,
    spec: RunSpec | None,
    said: Safe,
    brief: Safe | None,
    *,
    start_label: str,
    icon: str,
    help: str | None = None,
    reason: str | None = None,
) -> None:
    """End a form: what it takes beside Start, or the finished run of exactly this work beside doing it again.

    `reason`: why nothing can be started. Page: where the run is watched.
    """
    done = engine.store().find_work(spec.work_hash(), ("done",)) if spec is not None and reason is None else None
    if done is not None:
        brief = t("distill.done_before")
    with start_row.row(name, said, brief, help=help):
        if done is not None and spec is not None:
            if st.button(t("distill.open_result"), type="primary", icon=":material/monitoring:", key=f"{name}-open"):
                session.go(page, run=done.id)
            if st.button(t("distill.again"), icon=":material/replay:", key=f"{name}-again"):
                start(spec, page, again=True)
            return
        stopped = spec is None or reason is not None
        pressed = st.button(start_label, type="primary", icon=icon, key=f"{name}-start", disabled=stopped, help=reason)
    if pressed and spec is not None:
        start(spec, page)
