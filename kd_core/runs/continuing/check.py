"""What of a recipe can't go on from a finished run, before anything is read or trained."""

from __future__ import annotations

from kd_core.distill.terms import hears_inside, soft_share
from kd_core.errors import Problem, Says
from kd_core.specs import OFFLINE, RunSpec
from kd_core.task import task_of

_ORDINARY = Says(
    "continue_ordinary",
    "error",
    "Students that go on from a run are trained as they are, and {what} {asks}.",
    "Leave {what} out, or make a new run on all rows.",
)
_MODE = Says(
    "continue_mode",
    "error",
    "Students go on from a run by stored answers; in the mode '{name}' they are trained in another way.",
    "Go on from a run of the mode '{offline}', or make a new run on all rows.",
)
_INNER = Says(
    "continue_inner",
    "error",
    "The loss '{loss}' reads what the teacher thinks inside, which is not asked for of new rows.",
    "Go on from a run whose loss compares answers.",
)
_UNHEARD = Says(
    "continue_unheard",
    "error",
    "With alpha 0 both sides would go on from their labels alone.",
    "Go on from a run with alpha above 0.",
)
_ANSWERS = Says(
    "continue_answers",
    "error",
    "The labels of this run are made of a teacher's answers in columns of its table.",
    "Put old and new rows into one table, and make a new run.",
)
_HISTORIES = Says(
    "continue_histories",
    "error",
    "The rows of this run are made of users' histories, and new events change the histories themselves.",
    "Put old and new events into one file, and make a new run.",
)
_BY_ORDER = Says(
    "continue_ranking",
    "error",
    "The task '{task}' compares the rows of a query, and going on deals and judges new rows one by one.",
    "Put old and new queries into one table, and make a new run.",
)


def check(spec: RunSpec) -> list[Problem]:
    """Find what does not go with going on; every part of the run is known. Nothing for a run that begins anew."""
    if spec.continues is None:
        return []
    found = []
    extras = (
        (spec.sweep is not None, "the what-if", "asks for many settings"),
        (spec.choose is not None, "the choice of a student", "asks for many students"),
        (spec.evaluation.splits > 1, "the repetition on other splits", "asks for other test rows"),
        (spec.training.made_rows > 0, "made rows", "ask for more than the new rows"),
        (spec.training.seeds is None, "the automatic number of seeds", "asks for more seeds than the run has"),
    )
    found += [_ORDINARY.problem(what=what, asks=asks) for asked, what, asks in extras if asked]
    if spec.mode.name != OFFLINE:
        found.append(_MODE.problem(name=spec.mode.name, offline=OFFLINE))
    if hears_inside(spec.objective):
        found.append(_INNER.problem(loss=spec.objective.name))
    if not soft_share(spec.objective):
        found.append(_UNHEARD.problem())
    if spec.dataset.task and task_of(spec.dataset.task).by_history:
        found.append(_HISTORIES.problem())
    if spec.dataset.answer_columns:
        found.append(_ANSWERS.problem())
    if spec.dataset.task and task_of(spec.dataset.task).by_order:
        found.append(_BY_ORDER.problem(task=task_of(spec.dataset.task).title))
    return found
