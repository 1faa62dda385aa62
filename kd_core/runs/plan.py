"""Whether a spec can work, before anything is trained: what fits what, and everything that stands in its way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from kd_core.data.input_spec import TABLE
from kd_core.distill import LOSSES, MODES, loss_of, parts_of
from kd_core.distill.terms import hears_inside
from kd_core.errors import KDError, Problem, Says, SpecError
from kd_core.evaluate import METRICS
from kd_core.models import ARCHS, by_rounds
from kd_core.models.base import GIVES
from kd_core.models.building import view_of
from kd_core.registry import Entry, Situation
from kd_core.runs.cells import grid, grid_check, made_check, maps_check, modes, views_check
from kd_core.runs.choosing.candidates import candidates
from kd_core.runs.compressing import check as compressing
from kd_core.runs.continuing import check as continuing
from kd_core.specs import FOLDS, NETWORK_FOLDS, Choice, RunSpec, TrainingSpec
from kd_core.task import SOME_CLASSES, TASKS, kind_of, task_of
from kd_core.teachers import SOURCES
from kd_core.teachers.base import gives, is_network, members, own_columns, teacher_view
from kd_core.training.plan import resolve

_CANNOT_WORK = Says(
    "cannot_work", "error", "{where} '{name}' {why_not}.", "Choose another one, or change what stands in its way."
)
_TEACHER_ONLY = Says("teacher_only", "error", "'{arch}' can't be a student: {why}.", "Choose another architecture.")
_SAME_NAME = Says("same_name", "error", "Two students are called '{name}'.", "Rename one of them.")
_CLASS_WEIGHTS = Says(
    "class_weights", "error", "Class weights need classes; the target is a number.", "Set class weights to 'none'."
)
_NOT_OF_CATALOGUE = Says(
    "not_of_catalogue",
    "error",
    "{what} not done where the target is an item of a whole catalogue: its answers are kept in a short form, and rows come from histories.",
    "{instead}",
)
_NO_SPLITS_OF_GRID = Says(
    "no_splits",
    "error",
    "The run can't be repeated on {splits} splits: a what-if is trained on one split.",
    "Set splits to 1.",
)
_NO_SPLITS_OF_FIXED = replace(
    _NO_SPLITS_OF_GRID,
    message="The run can't be repeated on {splits} splits: a split by time or by histories, or one that a column gives, is the same for every seed.",
)
_NO_CHOICE_IN_GRID = Says(
    "no_choice_in_grid",
    "error",
    "A what-if can't choose the best student as well: its cells are compared, not its students' sizes and times.",
    "Choose the student in an ordinary run first, or leave the goals out.",
)
_NOT_TRIED = Says(
    "not_tried",
    "note",
    "{count} more candidates suit these rows and are not tried: {names}.",
    "A run has 12 candidates at most; the others win least often.",
)
_SPLITS_OF_CHOSEN = Says(
    "splits_of_chosen",
    "warning",
    "The student is chosen on the first split alone; the other {splits} repeat the one that was chosen.",
    "Their test rows may have helped to choose it, so they say little about the choice itself.",
)
_ONLY_ANSWERS = Says(
    "answers_of_another",
    "error",
    "The labels are made from the answers in {names}, which the teacher '{teacher}' does not read alone.",
    "Take the teacher soft_labels with these columns, or name a target.",
)
_ONE_ANSWERER = Says(
    "answers_of_several",
    "error",
    "The labels are made from the answers in {names}, and '{teacher}' asks {count} teachers: which rows are which class, and which epoch is "
    "the best, would be told by one of them alone.",
    "Name a target; or write the mean of all their answers into these columns, and take the teacher soft_labels with them.",
)
_WHOLE_LESSON = Says(
    "no_labels_to_learn",
    "error",
    "Alpha {alpha} gives a share of the lesson to labels, but there are no true labels: they are made from the teacher's answers.",
    "Set alpha to 1, or name a target.",
)
_LOST_TO_ANSWERS = Says(
    "lost_to_answers",
    "error",
    "How much may be lost against the teacher can't be asked for: there are no true labels to score it by, they are made from its answers.",
    "Ask for a score instead: it counts how alike the student answers.",
)
_OWN_LOSS = Says(
    "loss_of_a_student",
    "error",
    "Students have losses of their own ({names}), which only a what-if compares.",
    "Choose one loss for the run, or give it a what-if.",
)
_INNER = Says(
    "inner_losses_compared",
    "error",
    "{names} read the teacher's inner features, and a what-if of several losses hands its students answers only.",
    "Leave these losses out, or give each a run of its own.",
)
_FEW_FOLDS = Says(
    "network_folds",
    "note",
    "Each of the {training:,} training rows was answered by a network that learned from the other half of them.",
    "More folds take longer: each is one more training of the teacher.",
)
_FEW_SEEDS = Says(
    "few_seeds", "warning", "{seeds} {seeds:seed|seeds}: too few for a useful interval.", "Use 3 or more."
)


def situation(
    task: str,
    num_classes: int,
    teacher: str | Choice | None = None,
    views: Iterable[str] = (TABLE,),
    students: Iterable[str] = (),
    grouped: bool = False,
    folds: int = FOLDS,
) -> Situation:
    """Describe what the parts of a run have to fit. Names that nobody registered are left out: others tell of them."""
    name = teacher.name if isinstance(teacher, Choice) else teacher
    given = gives(teacher, folds) if teacher and name in SOURCES.names() else frozenset({"logits"})
    if name in SOURCES.names() and "arch" in SOURCES.get(name).facts:
        given |= {"learning"}
    archs = [ARCHS.get(name).facts for name in students if name in ARCHS.names()]
    every = [facts.get("gives", GIVES) for facts in archs]
    gives_all = frozenset.intersection(*every) if every else GIVES | {"maps", "relations"}
    rounds = any(map(by_rounds, students))
    return Situation(task, num_classes, given, frozenset(views), gives_all, grouped, folds == 1, rounds)


def folds_of(spec: RunSpec, train_rows: int) -> int:
    """Return by how many folds a teacher answers so many training rows. Errors: UnknownName, SpecError."""
    one_fit = {"one_basis": "one_basis", "teacher_head": "head"}
    lacking = {one_fit[need] for need in loss_of(spec.objective).needs if need in one_fit} - gives(spec.teacher, FOLDS)
    return spec.evaluation.folds_of(train_rows, is_network(spec.teacher), bool(lacking))


def metric_of(spec: RunSpec, task: str, num_classes: int) -> str:
    """Name the metric of selection and verdict. Errors: SpecError `metric_task` for one that does not fit the task."""
    name = spec.evaluation.metric or task_of(task).primary
    if why_not := METRICS.get(name).why_not(situation(task, num_classes)):
        raise SpecError(
            "The metric '{name}' {why}.",
            "Leave the metric empty or choose one that fits.",
            "metric_task",
            name=name,
            why=why_not,
        )
    return name


def own_epochs(teacher: Choice, train_rows: int) -> int | None:
    """Return the epochs at most of each fit of a network teacher that nobody bounded, None for any other; of several the most.

    The run's own number of epochs bounds students alone: a teacher has its own, as it is a model of another size. Errors: UnknownName, SpecError.
    """
    found = []
    for one in (teacher, *members(teacher)):
        entry = SOURCES.get(one.name)
        asked: Any = entry.spec.parse(one.settings)
        if "arch" in entry.facts and asked.epochs is None:
            training = TrainingSpec(batch_size=asked.batch_size)
            found.append(resolve(training, train_rows, entry.facts["arch"]).epochs)
    return max(found, default=None)


def told_folds(spec: RunSpec, train_rows: int, folds: int) -> list[Problem]:
    """Say where fewer folds answered than usual, since nobody asked for a number."""
    few = spec.evaluation.folds is None and folds == NETWORK_FOLDS and is_network(spec.teacher)
    return [_FEW_FOLDS.problem(training=train_rows)] if few else []


def check(
    spec: RunSpec, task: str, num_classes: int, views: Iterable[str] = (TABLE,), train_rows: int = 0
) -> list[Problem]:
    """Find everything in a spec that can't work on the task or with what the rows can be read as, all at once.

    `train_rows` decides the number of folds where nobody asked for one.
    """
    found: list[Problem] = []
    asked, spec = spec, modes.carried_out(spec)
    try:
        folds = folds_of(spec, train_rows)
    except KDError:  # told below, with everything else
        folds = FOLDS
    grouped = spec.dataset.group is not None
    fits = situation(task, num_classes, spec.teacher, views, [s.arch.name for s in spec.students], grouped, folds)

    def part(where: str, get: object, name: str, settings: dict[str, object]) -> None:
        try:
            entry: Entry[object] = get.get(name)  # type: ignore[attr-defined]
            if why_not := entry.why_not(fits):
                found.append(_CANNOT_WORK.problem(where=where, name=name, why_not=why_not))
            parsed = entry.spec.parse(dict(settings), where)
            for field, options in entry.facts.get("barred", lambda at: {})(fits).items():
                if why_not := options.get(held := getattr(parsed, field)):
                    found.append(_CANNOT_WORK.problem(where=where, name=f"{name}, {field} {held}", why_not=why_not))
            for asked in members(Choice(name=name, settings=settings)) if get is SOURCES else ():
                part(where, SOURCES, asked.name, asked.settings)
            for fact in ("missing", "refuses"):
                if error := entry.facts.get(fact, lambda spec: None)(parsed):
                    found.append(error.problem())
        except KDError as error:
            found.append(error.problem())

    part("The task", TASKS, kind_of(task), {})
    part("The teacher", SOURCES, spec.teacher.name, spec.teacher.settings)
    losses: tuple[Choice, ...] = ()
    try:
        losses = parts_of(spec.objective)
    except KDError as error:
        found.append(error.problem())
    own = [c for name in dict.fromkeys(s.objective for s in spec.students if s.objective) for c in [Choice(name=name)]]
    for loss in (*losses, *(c for c in own if c not in losses and c.name not in [x.name for x in losses])):
        part("The loss", LOSSES, loss.name, loss.settings)
    if own and spec.sweep is None:
        found.append(_OWN_LOSS.problem(names=", ".join(c.name for c in own)))
    inner = [c.name for c in own if c.name in LOSSES.names() and hears_inside(c)]
    found += [_INNER.problem(names=", ".join(inner))] if inner else []
    part("The mode", MODES, spec.mode.name, spec.mode.settings)
    for student in spec.students:
        part(f"The architecture of student '{student.name}'", ARCHS, student.arch.name, student.arch.settings)
        facts = ARCHS.get(student.arch.name).facts if student.arch.name in ARCHS.names() else {"roles": ("student",)}
        if "student" not in facts["roles"]:
            found.append(_TEACHER_ONLY.problem(arch=student.arch.name, why=facts["not_both"]))
    names = [s.name for s in spec.students]
    found += [_SAME_NAME.problem(name=n) for n in sorted({n for n in names if names.count(n) > 1})]
    if spec.evaluation.metric:
        part("The metric", METRICS, spec.evaluation.metric, {})
    if spec.training.class_weights == "balanced" and not SOME_CLASSES(task_of(task)):
        found.append(_CLASS_WEIGHTS.problem())
    found += _of_catalogue(spec, task)
    fixed = spec.dataset.time or spec.dataset.part or task_of(task).by_history
    if spec.evaluation.splits > 1 and (spec.sweep is not None or fixed):
        no_splits = _NO_SPLITS_OF_GRID if spec.sweep else _NO_SPLITS_OF_FIXED
        found.append(no_splits.problem(splits=spec.evaluation.splits))
    if spec.choose is not None and spec.sweep is not None:
        found.append(_NO_CHOICE_IN_GRID.problem())
    elif spec.choose is not None and spec.evaluation.splits > 1:
        found.append(_SPLITS_OF_CHOSEN.problem(splits=spec.evaluation.splits - 1))
    if spec.choose is not None and losses and all(loss.name in LOSSES.names() for loss in losses):
        at = situation(task, num_classes, spec.teacher, views, (), grouped, folds)
        tried = [s.arch for s in spec.students]
        beyond = [s.name for s in candidates(at, spec.objective).beyond if s.arch not in tried]
        found += [_NOT_TRIED.problem(count=len(beyond), names=", ".join(beyond))] if beyond else []
    if not any(p.severity == "error" for p in found):
        found += [*modes.check(asked), *continuing.check(asked), *compressing.check(asked)]
    if spec.dataset.answer_columns and not any(p.severity == "error" for p in found):
        found += _answered(spec)
    if grid.most_made(spec) and not any(p.severity == "error" for p in found):
        found += made_check.check(spec, task, views)
    if not any(p.severity == "error" for p in found):
        found += maps_check.check(spec, train_rows)
        found += views_check.check(spec, views)
    if spec.sweep is not None:
        found += grid_check.check(spec, answered=not any(p.severity == "error" for p in found))
    if spec.training.seeds_at_first < 3:
        found.append(_FEW_SEEDS.problem(seeds=spec.training.seeds))
    return found


def _of_catalogue(spec: RunSpec, task: str) -> list[Problem]:
    """Find what does not go with answers that are kept in a short form, or with rows made of histories."""
    told = task_of(task)
    extras = (
        (told.compact and spec.training.class_weights == "balanced", "Class weights are", "Set them to 'none'."),
        (told.compact and spec.compress is not None, "Making a student smaller is", "Ask for a smaller student."),
    )
    return [_NOT_OF_CATALOGUE.problem(what=what, instead=instead) for asked, what, instead in extras if asked]


def _answered(spec: RunSpec) -> list[Problem]:
    """Find what does not go with labels that are a teacher's answers."""
    found, names = [], spec.dataset.answer_columns
    if asked := members(spec.teacher):
        found.append(_ONE_ANSWERER.problem(names=", ".join(names), teacher=spec.teacher.name, count=len(asked)))
    elif set(own_columns(spec.teacher)) != set(names):
        found.append(_ONLY_ANSWERS.problem(names=", ".join(names), teacher=spec.teacher.name))
    lesson: Any = loss_of(spec.objective).spec.parse(spec.objective.settings)
    shares = (spec.sweep.alpha if spec.sweep else ()) or (1.0 - lesson.weights()[0],)
    if min(shares) < 1:
        found.append(_WHOLE_LESSON.problem(alpha=f"{min(shares):g}"))
    if spec.choose is not None and spec.choose.lost is not None:
        found.append(_LOST_TO_ANSWERS.problem())
    return found


def views_read(spec: RunSpec, offered: Collection[str]) -> list[str]:
    """Name the views that a run reads: the teacher's and the students', each once.

    Errors: UnknownName; SpecError `other_view` for a part that can't read the rows.
    """
    taught = [teacher_view(one, offered) for one in (spec.teacher, *members(spec.teacher))]
    read = dict.fromkeys([*taught, *(view_of(s.arch, offered) for s in spec.students)])
    return [kind for kind in read if kind is not None]
