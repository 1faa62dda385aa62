"""Whether rows can be made for a run: who can label them, who can read them, and who would learn from them."""

from __future__ import annotations

from collections.abc import Iterable

from kd_core.data.input_spec import PIXELS, TOGETHER
from kd_core.distill import MODES
from kd_core.distill.terms import hears_features, soft_share
from kd_core.errors import Problem, Says
from kd_core.models.building import view_of
from kd_core.registry import view_title
from kd_core.specs import OFFLINE, RunSpec
from kd_core.task import task_of
from kd_core.teachers import SOURCES
from kd_core.teachers.base import members, teacher_view
from kd_core.teachers.made_rows import VIEWS

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
    "The loss '{loss}' reads the teacher's inner features, which made rows do not have.",
    "{off}, or choose another loss.",
)
_VIEW = Says(
    "made_rows_view",
    "error",
    "Rows can't be made for {who}, which reads {kind}: they are put together column by column.",
    "{off}, or choose a teacher and students that read table or columns.",
)
_PICTURES = Says(
    "made_up_pictures",
    "error",
    "Pictures can't be made up for {who}: pixels drawn each by itself, as columns and words are, show nothing that a teacher knows.",
    "{off}, or choose a teacher and students that read table, columns or texts.",
)
_GROUPS = Says(
    "made_rows_groups", "error", "The task '{task}' learns from whole groups, and a made row belongs to none.", "{off}."
)


def check(spec: RunSpec, task: str, views: Iterable[str]) -> list[Problem]:
    """Find what keeps rows from being made; every part of the run is known and fits the task."""
    found, offered, off = [], tuple(views), _off(spec)
    teachers = (spec.teacher, *members(spec.teacher))
    given = [one.name for one in teachers if SOURCES.get(one.name).facts["family"] == "given"]
    found += [_TEACHER.problem(off=off, name=name) for name in given]
    if spec.evaluation.folds == 1:
        found.append(_FOLDS.problem(off=off))
    if hears_features(spec.objective):
        found.append(_FEATURES.problem(off=off, loss=spec.objective.name))
    alphas = spec.sweep.alpha if spec.sweep and spec.sweep.alpha else (soft_share(spec.objective),)
    if not any(alphas):
        found.append(_UNHEARD.problem(off=off))
    readers = [(f"the teacher '{one.name}'", teacher_view(one, offered)) for one in teachers if one.name not in given]
    readers += [(f"the student '{one.name}'", view_of(one.arch, offered)) for one in spec.students]
    unread = _unread(spec, offered)
    says = _PICTURES if _own_rows(spec) else _VIEW
    found += [says.problem(off=off, who=who, kind=view_title(kind)) for who, kind in readers if kind in unread]
    if spec.dataset.group is not None and task_of(task).by_group:
        found.append(_GROUPS.problem(off=off, task=task))
    return found


def _unread(spec: RunSpec, offered: tuple[str, ...]) -> set[str]:
    """Name the ways of reading for which no rows can be made: a mode's own rows hold whole columns, but no pictures."""
    if _own_rows(spec):
        return {PIXELS, TOGETHER} if PIXELS in offered else set()
    return set(offered) - set(VIEWS)


def _own_rows(spec: RunSpec) -> bool:
    return "rows" in MODES.get(spec.mode.name).facts


def _off(spec: RunSpec) -> str:
    """Say how to do without made rows: they are the run's own, or those of its mode."""
    if _own_rows(spec):
        return f"Choose the mode '{OFFLINE}'"
    facts = MODES.get(spec.mode.name).facts
    return "Set mode.made_rows to 0" if "recipe" in facts else "Set made_rows to 0"
