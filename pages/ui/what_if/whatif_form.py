"""The form of a what-if: who teaches, which sizes learn, and which values are tried."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.registry import Situation
from kd_core.specs import SEVERAL, Choice, DatasetSpec, RunSpec, StudentSpec, SweepSpec, TrainingSpec
from pages.ui.runs import draft, launch, students, teachers
from pages.ui.shared import forms, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, escape, t, term
from pages.ui.what_if import whatif_draft

KEY, PAGE = whatif_draft.KEY, "runs.py"
# What the lists offer; anything else within the bounds can be written.
OFFERED: dict[str, tuple[float, ...]] = {
    "temperature": (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 20),
    "alpha": (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1),
    "learning_rate": (5e-4, 1e-3, 2e-3, 5e-3, 1e-2),
    "weight_decay": (0, 1e-5, 1e-4, 1e-3, 1e-2),
    "dropout": (0, 0.1, 0.2, 0.3, 0.5),
    "made_rows": (0, 1, 2, 4),
}


def show(dataset_id: str, dataset: DatasetSpec, facts: Facts, values: dict[str, Any]) -> dict[str, Any]:
    """Draw the form, keep what it holds as the draft, and return it."""
    from kd_core.runs.plan import situation

    left, middle, right = st.columns([5, 5, 6], gap="small")
    with left.container(border=True, height="stretch"):
        st.subheader(t("distill.teacher"), help=term("teacher"), anchor=False)
        teacher = _teacher(facts, values["teacher"])
        st.caption(t("what_if.form.teacher_once"), help=term("out_of_fold"))
    with middle.container(border=True, height="stretch"):
        st.subheader(t("what_if.form.sizes"), help=term("student"), anchor=False)
        bare, compared = _apart(values["students"])
        chosen = _students(dataset_id, dataset, facts, bare)
        training = forms.form(TrainingSpec, values["training"], f"{KEY}.training", only=("seeds", "epochs"), columns=2)
    with right.container(border=True, height="stretch"):
        st.subheader(t("what_if.form.grid"), help=term("what_if"), anchor=False)
        archs = [s["arch"]["name"] for s in chosen]
        grouped, folds = dataset.group is not None, draft.folds(dataset, facts, values, KEY, offering=True)
        at = situation(facts.task, facts.outputs, Choice.model_validate(teacher), facts.inputs, archs, grouped, folds)
        objective, sweep = _grid(at, values)
        losses = _compared(at, objective["name"], compared)
    sweep = {n: v for n, v in {**sweep, **_more(values["sweep"])}.items() if v not in ((), None)}
    parts = {"teacher": teacher, "students": _by_each(chosen, losses), "objective": objective, "sweep": sweep}
    made = {**values, **parts, "training": {**values["training"], **training}}
    whatif_draft.keep(dataset_id, made)
    return made


def _apart(held: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Take the students of a draft and the losses that they are compared by apart."""
    from kd_core.runs.cells import methods

    bare, losses = methods.apart([StudentSpec.parse(s) for s in held])
    return [s.model_dump(mode="json") for s in bare], losses


def _by_each(chosen: list[dict[str, Any]], losses: list[str]) -> list[dict[str, Any]]:
    """Lay students and losses out as the run has them: one student for each pair."""
    from kd_core.runs.cells import methods

    return [s.model_dump(mode="json") for s in methods.by_each([StudentSpec.parse(s) for s in chosen], losses)]


def _compared(at: Situation, first: str, held: tuple[str, ...]) -> list[str]:
    """Choose losses to compare with the first one, which is always among them."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import hears_inside

    offered = {
        e.name: e.title
        for e, why_not in LOSSES.offer(at)
        if why_not is None and e.name != first and not hears_inside(Choice(name=e.name))
    }
    if not offered:
        return [first]
    place = forms.seed(f"{KEY}.compared", [n for n in held if n in offered])
    st.session_state[place] = [n for n in st.session_state[place] if n in offered]
    more = st.multiselect(
        t("what_if.form.compared"),
        list(offered),
        key=place,
        format_func=lambda n: offered[n],
        placeholder=t("what_if.form.compared_none"),
        help=t("what_if.form.compared_help"),
    )
    return [first, *more]


def _teacher(facts: Facts, held: dict[str, Any]) -> dict[str, Any]:
    from kd_core.runs.plan import situation

    at = situation(facts.task, facts.outputs, views=facts.inputs)
    return teachers.choose(at, facts, held, f"{KEY}.teacher")


def _students(dataset_id: str, dataset: DatasetSpec, facts: Facts, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose among the sizes Distill knows, its own shapes included."""
    known = draft.load(dataset_id, dataset, facts)["students"]
    _, mine = whatif_draft.run_looked_at(dataset)
    listed = [*draft.presets(facts), *known, *([mine.model_dump(mode="json")] if mine else []), *held]
    offered = {s["name"]: s for s in listed if whatif_draft.varies(s["arch"]["name"])}
    place = forms.seed(f"{KEY}.students", [s["name"] for s in held])
    st.session_state[place] = [n for n in st.session_state[place] or () if n in offered]
    names = st.pills(
        t("what_if.form.students"),
        list(offered),
        selection_mode="multi",
        key=place,
        format_func=lambda n: escape(n),
        help=t("what_if.form.students_help"),
    )
    if left := _left_out([s["arch"]["name"] for s in listed]):
        st.caption(f":material/block: {t('what_if.form.not_varied', names=left)}")
    chosen = [offered[n] for n in offered if n in (names or ())]
    for student in chosen:
        st.caption(f"**{escape(student['name'])}** · {students.cost(student['arch'], facts)}")
    return chosen


def _left_out(archs: list[str]) -> str:
    """Name the kinds of students that Distill offers and a what-if can't vary."""
    from kd_core.models import ARCHS

    return ", ".join(dict.fromkeys(ARCHS.get(name).title for name in archs if not whatif_draft.varies(name)))


def _grid(at: Situation, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Choose the lesson and the values to try; a setting that the loss does not have is not offered, with the reason."""
    from kd_core.distill import LOSSES

    held, asked = values["objective"], values["sweep"]
    if held["name"] == SEVERAL:
        st.info(t("what_if.form.several"), icon=":material/info:")
        first = held["settings"]["terms"][0]
        held = {"name": first["name"], "settings": first["settings"]}
    loss = forms.part(LOSSES, at, held["name"], f"{KEY}.objective", t("distill.method"), term("objective"))
    settings = held["settings"] if loss == held["name"] else {}
    fields = LOSSES.get(loss).spec.model_fields
    sweep: dict[str, Any] = {}
    for name in ("temperature", "alpha"):
        if name in fields:
            sweep[name] = _axis(name, asked)
        else:
            why = t("what_if.form.no_axis", axis=forms.label(name), loss=LOSSES.get(loss).title)
            st.caption(f":material/block: {why}")
    return {"name": loss, "settings": settings}, sweep


def _more(asked: dict[str, Any]) -> dict[str, Any]:
    """Draw what most people leave alone, one fold away."""
    names = [n for n, info in SweepSpec.model_fields.items() if dict(info.json_schema_extra or {}).get("advanced")]
    held: dict[str, Any] = {}
    with st.expander(t("what_if.form.more"), icon=":material/tune:"):
        st.caption(t("what_if.form.more_note"))
        for place, name in zip(st.columns(len(names)), names, strict=True):
            with place:
                field = SweepSpec.model_fields[name]
                own = name in OFFERED
                held[name] = _axis(name, asked) if own else forms.field(name, field, asked, f"{KEY}.sweep")
    return held


def _axis(name: str, asked: dict[str, Any]) -> tuple[float, ...]:
    return forms.numbers(name, SweepSpec.model_fields[name], asked.get(name) or (), f"{KEY}.sweep", OFFERED[name])


def spec_of(dataset: DatasetSpec, values: dict[str, Any]) -> RunSpec:
    """Make the run from what the form holds. Errors: SpecError."""
    return RunSpec.parse({**values, "dataset": dataset.model_dump(mode="json")}, "the what-if")


def finish(dataset: DatasetSpec, facts: Facts, values: dict[str, Any]) -> None:
    """Say how much is asked for, how long it takes and what stands in its way; start it."""
    from kd_core.runs.cells import grid

    spec, reason, count = None, None, None
    if not values["students"]:
        reason = t("what_if.form.no_students")
    else:
        try:
            spec = spec_of(dataset, values)
            problems = launch.problems(spec, facts)
            for problem in problems:
                text.show_problem(problem)
            if any(p.severity == "error" for p in problems):
                reason = t("distill.blocked")
        except KDError as error:
            text.show_error(error)
            reason = t("distill.blocked")
    if spec is not None and reason is None:
        count = grid.count(spec)
        reason = t("what_if.form.one_cell") if count.cells < 2 else None
    brief, why = None, None
    if spec is not None and count is not None and reason is None:
        found = launch.foresee(spec, facts)
        said = t(
            "what_if.form.count",
            variants=text.exact(count.variants),
            cells=text.exact(count.cells),
            seeds=spec.training.seeds_at_first,
            trainings=text.exact(count.trainings),
            time=launch.time(found),
        )
        if count.trainings < count.variants:
            said = Safe(f"{said} {t('what_if.form.shared')}")
        brief, why = launch.brief(found), f"{t('what_if.form.count_help')} {launch.reasons(found)}"
    else:
        said = Safe(f":orange[:material/info: {reason}]")
    launch.row(
        "whatif",
        PAGE,
        spec,
        said,
        brief,
        start_label=t("what_if.form.start"),
        icon=":material/play_arrow:",
        help=why,
        reason=reason,
    )
