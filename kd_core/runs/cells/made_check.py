"""Whether rows can be made for a run: who can label them, who can read them, and who would learn from them."""

from __future__ import annotations

from collections.abc import Iterable

from kd_core.data.input_spec import PIXELS, TOGETHER
from kd_core.distill import MODES
from kd_core.distill.beside.mixed import LINEAR
from kd_core.distill.terms import hears_inside, soft_share
from kd_core.errors import Problem, Says
from kd_core.models.building import view_of
from kd_core.registry import view_title
from kd_core.runs.cells import modes
from kd_core.specs import OFFLINE, RunSpec
from kd_core.task import task_of
from kd_core.teachers import SOURCES
from kd_core.teachers.base import members, teacher_view

_TEACHER = Says(
    "made_rows_teacher",
    "error",
    "The teacher '{name}' can't label rows that are made: it knows answers to given rows only.",
    "{off}, or choose a teacher that is trained here.",
)
_FOLDS = Says(
    "made_rows_folds",
    "error",
    "Rows can't be made with 1 fold: its teacher saw all training rows.",
    "Set folds to 2 or more. Else: {off}.",
)
_UNHEARD = Says(
    "made_rows_unheard",
    "error",
    "Made rows have the teacher's answers and no labels, and with alpha 0 nothing is heard of the teacher.",
    "{off}, or alpha above 0.",
)
_FEATURES = Says(
    "made_rows_features",
    "error",
    "The loss '{loss}' reads what the teacher thinks inside, which is not known of made rows.",
    "{off}, or choose another loss.",
)
_VIEW = Says(
    "made_rows_view",
    "error",
    "Rows can't be made for {who}, which reads {kind}: {why}.",
    "{off}, or choose a teacher and students that read {views}.",
)
_PICTURES = Says(
    "made_up_pictures",
    "error",
    "Pictures can't be made up for {who}: pixels drawn each by itself, as columns and words are, show nothing that a teacher knows.",
    "{off}, or the mode 'data_free_pictures', or choose a teacher and students that read table, columns or texts.",
)
_GROUPS = Says(
    "made_rows_groups", "error", "The task '{task}' learns from whole groups, and a made row belongs to none.", "{off}."
)


def check(spec: RunSpec, task: str, views: Iterable[str]) -> list[Problem]:
    """Find what keeps rows from being made; every part of the run is known and fits the task."""
    found, offered, off, making = [], tuple(views), _off(spec), modes.making(spec)
    teachers = (spec.teacher, *members(spec.teacher))
    given = [one.name for one in teachers if SOURCES.get(one.name).facts["family"] == "given"]
    found += [_TEACHER.problem(off=off, name=name) for name in given]
    if spec.evaluation.folds == 1:
        found.append(_FOLDS.problem(off=off))
    if hears_inside(spec.objective):
        found.append(_FEATURES.problem(off=off, loss=spec.objective.name))
    alphas = spec.sweep.alpha if spec.sweep and spec.sweep.alpha else (soft_share(spec.objective),)
    if not any(alphas):
        found.append(_UNHEARD.problem(off=off))
    readers = [(f"the teacher '{one.name}'", teacher_view(one, offered)) for one in teachers if one.name not in given]
    readers += [(f"the student '{one.name}'", view_of(one.arch, offered)) for one in spec.students]
    if _own_rows(spec):
        unread = (PIXELS, TOGETHER) if PIXELS in offered else ()
        found += [_PICTURES.problem(off=off, who=who) for who, kind in readers if kind in unread]
        readers = []
    found += [
        _VIEW.problem(
            off=f"{off}{_linear(spec, kind)}",
            who=who,
            kind=view_title(kind),
            why=making.why,
            views=" or ".join(making.views),
        )
        for who, kind in readers
        if kind is not None and kind not in making.views
    ]
    if spec.dataset.group is not None and task_of(task).by_group:
        found.append(_GROUPS.problem(off=off, task=task))
    return found


def _linear(spec: RunSpec, kind: str) -> str:
    """Offer to mix rows linearly, where the mode can and it would help."""
    helps = kind in LINEAR.views and "making" in MODES.get(spec.mode.name).facts
    return ", or mode.mix to linear" if helps else ""


def _own_rows(spec: RunSpec) -> bool:
    """Say whether the mode makes its own rows: whole columns, which any view may read but those of pictures."""
    return "rows" in MODES.get(spec.mode.name).facts


def _off(spec: RunSpec) -> str:
    """Say how to do without made rows: they are the run's own, or those of its mode."""
    if _own_rows(spec):
        return f"Choose the mode '{OFFLINE}'"
    facts = MODES.get(spec.mode.name).facts
    return "Set mode.made_rows to 0" if "recipe" in facts else "Set made_rows to 0"
