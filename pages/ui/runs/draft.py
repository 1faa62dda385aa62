"""A run being set up, kept per dataset in the workspace, so that leaving, refreshing or a restart loses nothing."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core import safe_io
from kd_core.data.input_spec import TABLE
from kd_core.errors import KDError
from kd_core.registry import Entry, Registry, Situation
from kd_core.specs import SEVERAL, Choice, DatasetSpec, EvaluationSpec, RunSpec
from kd_core.task import task_of
from kd_core.workspace import workspace
from pages.ui.lesson import builder
from pages.ui.shared.facts import Facts

FIRST_TEACHER = "best"  # of several: on the form one student is chosen, too
FIRST_OF_ALL = "fusion"  # where a row has a picture and more
KEY = "distill"  # prefix of every widget of the form


def _path(dataset_id: str) -> Path:
    return safe_io.inside(workspace() / "drafts", f"{dataset_id}.json")


def defaults(dataset: DatasetSpec, facts: Facts) -> dict[str, Any]:
    """A run that can be started at once: a sample's own, else the first teacher that fits. It teaches the best student.

    Two sizes are ticked for who would rather name some.
    """
    from kd_core.distill import LOSSES
    from kd_core.scenarios import SCENARIOS, default_spec
    from kd_core.teachers import SOURCES

    for scenario in SCENARIOS.entries():
        if dataset.source == f"sample:{scenario.facts['sample']}" and dataset.target == scenario.facts["target"]:
            return {**of_spec(default_spec(scenario.name)), "name": "", "choose": {}}
    told, at = task_of(facts.task), situation(facts)
    answers = list(dataset.answer_columns)
    losses = [e.name for e, why_not in LOSSES.offer(at) if why_not is None]
    teachers = [e.name for e, why_not in SOURCES.offer(at) if why_not is None and "missing" not in e.facts]
    return {
        "name": "",
        "teacher": {"name": "soft_labels", "settings": {"columns": answers}}
        if answers
        else {"name": next((n for n in _first_teachers(facts) if n in teachers), teachers[0]), "settings": {}},
        "students": presets(facts)[:2],
        "choose": {},
        "objective": {
            "name": told.objective if told.objective in losses else losses[0],
            "settings": {"alpha": 1.0} if answers else {},  # there are no true labels to learn from
        },
        "training": {},
        "evaluation": {},
    }


def _first_teachers(facts: Facts) -> tuple[str, ...]:
    """Name who teaches at first: where there are pictures beside other columns, who reads them all."""
    from kd_core.models.building import reads_all

    return (FIRST_OF_ALL, FIRST_TEACHER) if reads_all(facts.inputs) else (FIRST_TEACHER,)


def situation(facts: Facts) -> Situation:
    """Describe what the parts of a run have to fit."""
    return Situation(task=facts.task, num_classes=facts.outputs, views=frozenset(facts.inputs))


def folds(dataset: DatasetSpec, facts: Facts, values: dict[str, Any], key: str, offering: bool = False) -> int:
    """How many folds the form asks for, or the app takes: the widgets that decide it are drawn after what depends on it.

    `offering`: as few as a lesson of inner features would get, for a list of lessons to choose from.
    """
    from kd_core.distill import LOSSES
    from kd_core.runs.estimate import training_rows
    from kd_core.teachers.base import is_network

    held, drawn = values["teacher"], st.session_state
    name = drawn.get(f"{key}.teacher", held["name"])
    teacher = Choice(name=name, settings=held["settings"] if name == held["name"] else {})
    losses = [LOSSES.get(name) for name in builder.names_drawn(values["objective"], f"{key}.objective")]
    asked = drawn.get(f"{key}.evaluation.folds") or values["evaluation"].get("folds")
    told = EvaluationSpec(folds=int(asked) if asked else None)
    one_basis = offering or any("one_basis" in loss.needs for loss in losses)
    return told.folds_of(training_rows(dataset, facts.rows, facts.parts), is_network(teacher), one_basis)


def presets(facts: Facts) -> list[dict[str, Any]]:
    """The students to choose from, smallest first: sizes of MLP for tables, of what reads rows in another way, and all that is tried for the best one; the usual ones before others."""
    from kd_core.models import ARCHS
    from kd_core.models.building import usual_student

    fits = [e for e in ARCHS.entries() if e.why_not(situation(facts)) is None and "student" in e.facts["roles"]]
    found = [preset("mlp", size) for e in fits if e.name == "mlp" for size in e.facts["presets"]]
    others = [e for e in fits if TABLE not in e.facts.get("takes", (TABLE,)) or e.facts.get("candidates")]
    found += [made for e in others if e.name != "mlp" for made in _small(e)]
    usual = usual_student(facts.inputs).name
    return sorted(found, key=lambda made: made["arch"]["name"] != usual)


def _small(arch: Entry[Any]) -> list[dict[str, Any]]:
    sizes = [size for size in ("tiny", "small") if size in arch.facts["presets"]]
    found = [preset(arch.name, size, f"{arch.name} {size}") for size in sizes]
    return found or [{"name": arch.name, "arch": {"name": arch.name, "settings": {}}}]


def preset(arch: str, size: str, name: str | None = None) -> dict[str, Any]:
    """A student of a size by name."""
    return {"name": name or size, "arch": {"name": arch, "settings": {"size": size}}}


def load(dataset_id: str, dataset: DatasetSpec, facts: Facts) -> dict[str, Any]:
    """Return the draft of a dataset: this session's, the kept one, or the defaults."""
    held = st.session_state.get("distill_draft")
    if held and held["dataset_id"] == dataset_id:
        found: dict[str, Any] = held["values"]
        return found
    return put(dataset_id, kept(_path(dataset_id), dataset) or defaults(dataset, facts))


def kept(path: Path, dataset: DatasetSpec) -> dict[str, Any] | None:
    """Read a draft that was kept on disk; None where there is none, or one of another version."""
    try:
        if path.is_file():
            values: dict[str, Any] = safe_io.read_json(path)
            spec = RunSpec.parse({**values, "dataset": dataset.model_dump(mode="json")}, "draft")
            parts = with_checked_parts(spec).model_dump(
                mode="json", include={"teacher", "students", "objective", "mode"}
            )
            return {**values, **parts}
    except (KDError, OSError, ValueError, TypeError):
        pass  # not worth an error: the form starts from the defaults
    return None


def with_checked_parts(spec: RunSpec) -> RunSpec:
    """Check the settings of teacher, loss, mode and students, which a spec keeps as they are, and give each its own type.

    Errors: UnknownName for a part that is not there; SpecError naming the wrong settings.
    """
    from kd_core.distill import LOSSES, MODES
    from kd_core.distill.terms import SeveralSpec
    from kd_core.models import ARCHS
    from kd_core.teachers import SOURCES

    def checked(kind: str, registry: Registry[Any], choice: Choice) -> Choice:
        parsed = registry.get(choice.name).spec.parse(choice.settings, f"{kind} {choice.name}").model_dump(mode="json")
        # '0.5' is read as a number, but a slider can't hold the text; 4 for 4.0 stays: the hash would change
        given = {
            n: v for n, v in choice.settings.items() if n in parsed
        }  # fields of later versions are left out at their default
        kept = {n: v if type(v) in (int, type(parsed[n])) else parsed[n] for n, v in given.items()}
        return choice.model_copy(update={"settings": kept})

    def several(choice: Choice) -> Choice:
        held = SeveralSpec.parse(choice.settings, "the objective")
        kept = [
            {**t.model_dump(mode="json"), "settings": checked("loss", LOSSES, t.choice).settings} for t in held.terms
        ]
        return Choice(name=SEVERAL, settings={"hard": held.hard, "terms": kept})

    students = [s.model_copy(update={"arch": checked("architecture", ARCHS, s.arch)}) for s in spec.students]
    return spec.model_copy(
        update={
            "teacher": checked("teacher", SOURCES, spec.teacher),
            "students": tuple(students),
            "objective": several(spec.objective)
            if spec.objective.name == SEVERAL
            else checked("loss", LOSSES, spec.objective),
            "mode": checked("mode", MODES, spec.mode),
        }
    )


def put(dataset_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Make values the draft; the form's widgets take them the next time they are drawn."""
    from pages.ui.shared import forms

    forms.forget(f"{KEY}.")
    st.session_state.pop("distill_own_students", None)
    st.session_state["distill_draft"] = {"dataset_id": dataset_id, "values": values}
    return values


def of_spec(spec: RunSpec) -> dict[str, Any]:
    """The draft that sets up the same run again (clone, recipe); a name made from the settings is made anew at Start."""
    from kd_core.runs.view.naming import short_name

    values: dict[str, Any] = spec.model_dump(mode="json", exclude={"dataset", "schema_version"})
    if spec.name == short_name(spec):
        values["name"] = ""
    return values


def keep(dataset_id: str, values: dict[str, Any]) -> None:
    """Remember the draft in the session, and on disk when it changed."""
    held = st.session_state.get("distill_draft", {})
    st.session_state["distill_draft"] = {"dataset_id": dataset_id, "values": values}
    if held.get("saved") != values:
        _path(dataset_id).parent.mkdir(parents=True, exist_ok=True)
        safe_io.write_json(_path(dataset_id), values)
        st.session_state["distill_draft"]["saved"] = deepcopy(values)  # the form changes the draft in place
    else:
        st.session_state["distill_draft"]["saved"] = held["saved"]
