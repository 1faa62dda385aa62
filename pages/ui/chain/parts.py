"""What the drawing of a run holds: boxes in stages, what goes from one stage to the next, and one sentence for it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kd_core.runs.store.student_names import kind_of
from kd_core.specs import Choice, RunSpec, StudentSpec
from kd_core.workspace import workspace
from pages.ui.chain.sizes import after_texts, reads, student_bytes, told, weighs_words, weights
from pages.ui.lesson import builder
from pages.ui.shared import text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, plain, t

if TYPE_CHECKING:
    from kd_core.runs.estimate import Estimate

NUMBER = 4  # bytes of one answer
NAMED = 2  # candidates that are named


@dataclass(frozen=True)
class Box:
    """One of those who take part: `role` decides its colour and its mark; `quiet`: it stands beside and is not heard."""

    role: str
    title: str
    lines: tuple[str, ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class Stage:
    """Boxes that stand at one place of the chain, under one title."""

    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Arrow:
    """What goes from one stage to the next; `both`: and back."""

    lines: tuple[str, ...]
    both: bool = False


@dataclass(frozen=True)
class Chain:
    """Stages with an arrow between each two, and what goes from the data straight to the students and their baseline."""

    stages: tuple[Stage, ...]
    arrows: tuple[Arrow, ...]
    labels: str

    @property
    def said(self) -> str:
        """Tell the drawing in one sentence, for those who can't see it."""
        told: list[str] = []
        for i, stage in enumerate(self.stages):
            if i:
                told.append(_(t("distill.chain.said_arrow", lines=Safe(", ".join(self.arrows[i - 1].lines)))))
            boxes = ", ".join(
                _(t("distill.chain.said_box", title=Safe(b.title), lines=Safe(", ".join(b.lines))))
                if b.lines
                else b.title
                for b in stage.boxes
            )
            told.append(_(t("distill.chain.said_stage", title=Safe(stage.title), boxes=Safe(boxes))))
        told.append(_(t("distill.chain.said_labels", labels=Safe(self.labels))))
        return _(t("distill.chain.said", stages=Safe("; ".join(told))))


def chain(spec: RunSpec, facts: Facts, found: Estimate) -> Chain:
    """Draw up what a run will be. Errors: KDError for parts that do not fit the rows."""
    from kd_core.distill import MODES
    from kd_core.runs.cells.modes import carried_out

    mode, run = MODES.get(spec.mode.name), carried_out(spec)
    drawn = str(mode.facts.get("drawn", "answers"))
    data, students = _data(run, facts), _students(run, facts, found)
    teacher, taught = _teachers(run, facts, found), _taught(run, facts)
    asked, labels = _asked(run, facts), _labels(run)
    stages: tuple[Stage, ...] = (data, teacher, students)
    arrows: tuple[Arrow, ...] = (asked, taught)
    if drawn == "assistant":
        stages = (data, teacher, _assistant(spec, facts), students)
        arrows = (asked, taught, Arrow((_(t("distill.chain.passed_on")), *taught.lines)))
    elif drawn == "generations":
        earlier = _generations(spec, facts)
        beside = tuple(replace(b, lines=(_(t("distill.chain.aside")),), quiet=True) for b in teacher.boxes)
        stages = (data, *earlier, replace(students, boxes=(*students.boxes, *beside)))
        passed = Arrow((_(t("distill.chain.passed_on")), *taught.lines))
        arrows = (Arrow((_(t("distill.chain.labels_beside")),)), *(passed for _one in earlier))
    elif drawn in ("each_other", "at_once"):
        anew = tuple(replace(b, lines=(*b.lines, _(t("distill.chain.anew")))) for b in teacher.boxes)
        stages = (data, replace(teacher, boxes=anew), students)
        rows = text.exact(_learned_from(run, facts))
        arrows = (
            Arrow((_(t("distill.chain.to_teacher", rows=rows)),)),
            Arrow((_(t(f"distill.chain.{drawn}")),), drawn == "each_other"),
        )
        labels = _(t("distill.chain.labels_beside"))
    elif drawn == "layers":
        arrows = (asked, Arrow((_(t("distill.chain.layers")), *taught.lines)))
    elif drawn == "made":
        judging = replace(
            data,
            boxes=tuple(replace(b, quiet=True, lines=(*b.lines, _(t("distill.chain.judges")))) for b in data.boxes),
        )
        about = Box("data", _(t("distill.chain.made")), (mode.title,))
        stages = (judging, teacher, Stage(_(t("distill.chain.stage_made")), (about,)), students)
        arrows = (asked, Arrow((_(t("distill.chain.made_asked")),)), taught)
        labels = _(t("distill.chain.labels_real"))
    return Chain(stages, arrows, labels)


def _(words: str) -> str:
    """Take the escaping of pages off: the drawing escapes for itself."""
    return plain(Safe(words))


def _learned_from(run: RunSpec, facts: Facts) -> int:
    from kd_core.runs.estimate import training_rows

    return training_rows(run.dataset, facts.rows, facts.parts)


def _data(run: RunSpec, facts: Facts) -> Stage:
    lines = (
        _(t("distill.chain.rows", rows=text.exact(facts.rows), columns=text.exact(facts.columns))),
        _(t("distill.chain.learn", rows=text.exact(_learned_from(run, facts)))),
        *(
            (_(t("distill.chain.predicts", target=text.shorten(str(run.dataset.target)))),)
            if run.dataset.target
            else ()
        ),
    )
    name = text.shorten(run.dataset.name or run.dataset.source)
    return Stage(_(t("distill.chain.stage_data")), (Box("data", name, lines),))


def _teachers(run: RunSpec, facts: Facts, found: Estimate) -> Stage:
    """The teacher, or each of several; what all of them take is told with the time of the whole run, in one place."""
    from kd_core.teachers import SOURCES
    from kd_core.teachers.base import members

    asked = members(run.teacher)
    title = t("distill.chain.stage_teacher")
    if asked:
        title = t("distill.chain.stage_teachers", num=len(asked), how=SOURCES.get(run.teacher.name).title)
    kept = f" · {_(t('distill.chain.kept'))}" if found.teacher_kept else ""
    return Stage(
        f"{_(title)}{kept}", tuple(_teacher(one, run, facts, found.teacher_kept) for one in asked or (run.teacher,))
    )


def _teacher(one: Choice, run: RunSpec, facts: Facts, kept: bool) -> Box:
    """One teacher with its size: the true one where its answers are kept, else the one that is foreseen."""
    from kd_core.teachers import SOURCES
    from kd_core.teachers.answer_cache.cache import TeacherCache
    from kd_core.teachers.base import network_of, own_columns, teacher_view

    entry, view = SOURCES.get(one.name), teacher_view(one, facts.inputs)
    size = TeacherCache(workspace() / "teachers").size_told(run.dataset, one) if kept else None
    if size is not None:
        lines = [told(*size)]
    elif "arch" in entry.facts and view is not None:
        foreseen = weights(network_of(one).to_json(), facts.inputs[view], facts.outputs)
        waits = weighs_words(facts.inputs[view], facts)  # its own size is that of its weights alone
        lines = [after_texts(facts.inputs[view], foreseen[0], facts) if waits else told(*foreseen)]
    else:
        lines = [
            _(t("distill.chain.size_given" if entry.facts.get("family") == "given" else "distill.chain.size_later"))
        ]
    lines.append(_(t("distill.chain.reads_none")) if view is None else _(reads(view, facts)))
    if own := own_columns(one):
        lines.append(_(t("distill.chain.reads_more", num=len(own))))
    return Box("teacher", entry.title, tuple(lines))


def _students(run: RunSpec, facts: Facts, found: Estimate) -> Stage:
    """Every student, or the best of the candidates, and who is trained beside them; the title counts the trainings."""
    own = text.exact(found.trainings - found.tried)  # candidates are told of beside
    alone = _beside(run, facts)
    if run.choose is not None:
        trying = _(t("distill.chain.trying", num=own))
        return Stage(f"{_(t('distill.chain.stage_students'))} · {trying}", (_best(run, facts), *alone))
    num = len(run.students)
    title = t("distill.chain.stage_students") if num == 1 else t("distill.chain.stage_students_many", num=num)
    return Stage(
        f"{_(title)} · {_(t('distill.chain.trainings', num=own))}",
        (*(_student(one, facts) for one in run.students), *alone),
    )


def _beside(run: RunSpec, facts: Facts) -> tuple[Box, ...]:
    """Who is trained beside the students for comparison: the baseline, and the placebo where the run has one."""
    from kd_core.runs.cells.modes import why_no_placebo

    placebo = run.evaluation.placebo and why_no_placebo(run, facts.task) is None
    return tuple(
        Box("baseline", _(t(f"distill.chain.{who}")), (_(t(f"distill.chain.{who}_line")),), quiet=True)
        for who in ("baseline", *(("placebo",) if placebo else ()))
    )


def _student(one: StudentSpec, facts: Facts) -> Box:

    view, said = student_bytes(one.arch, facts)
    kind = kind_of(one.name, one.arch.name)
    lines = (*([kind] if kind else []), said, _(reads(view, facts)))
    return Box("student", one.name, lines)


def _best(run: RunSpec, facts: Facts) -> Box:
    """Candidates of which one is chosen, from the smallest to the largest."""
    from kd_core.models.building import view_of
    from kd_core.runs.choosing.reach import within_reach
    from kd_core.runs.estimate import student_sizes

    tried = within_reach(run.students, run.choose, facts.inputs, facts.outputs)
    counts = sorted(row.parameters for row in student_sizes(tried, facts.inputs, facts.outputs))
    views = [facts.inputs[view_of(one.arch, facts.inputs)] for one in tried]
    names = [one.name for one in tried]
    shown = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
    sizes = t("distill.chain.best_sizes", low=text.number(counts[0]), high=text.number(counts[-1]))
    sizes = t("distill.chain.best_texts") if any(weighs_words(one, facts) for one in views) else sizes
    return Box("student", _(t("distill.chain.best", num=len(names))), (_(sizes), shown))


def _asked(run: RunSpec, facts: Facts) -> Arrow:
    """What the teacher is asked about."""
    from kd_core.runs.plan import folds_of

    num = _learned_from(run, facts)
    folds = folds_of(run, num)
    key = "distill.chain.to_teacher_folds" if folds > 1 else "distill.chain.to_teacher"
    return Arrow((_(t(key, rows=text.exact(num), folds=folds)),))


def _taught(run: RunSpec, facts: Facts) -> Arrow:
    """What students learn from the teacher: the losses of the lesson, its heat, how much it is and how much it counts."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import soft_share

    lesson: dict[str, Any] = run.objective.model_dump(mode="json")
    heat = builder.temperature(lesson)
    num = _learned_from(run, facts)
    size = text.size(NUMBER * num * facts.outputs)
    lines = [
        " + ".join(LOSSES.get(name).title for name in builder.names_of(lesson))
        + (f", T\u00a0=\u00a0{heat:g}" if heat is not None else ""),
        _(t("distill.chain.answers", rows=text.exact(num), outputs=text.exact(facts.outputs), size=size)),
        _(t("distill.chain.share", share=text.percent(soft_share(run.objective), 0))),
    ]
    return Arrow(tuple(lines))


def _labels(run: RunSpec) -> str:
    """What the labels count beside the teacher, and to the baseline, which always hears them."""
    from kd_core.distill.terms import soft_share

    heard = 1.0 - soft_share(run.objective)
    return _(t("distill.chain.labels", share=text.percent(heard, 0)) if heard > 0 else t("distill.chain.labels_alone"))


def _assistant(spec: RunSpec, facts: Facts) -> Stage:
    from kd_core.distill import MODES
    from kd_core.models import ARCHS
    from kd_core.models.building import view_of
    from kd_core.runs.estimate import student_sizes

    settings: Any = MODES.get(spec.mode.name).spec.parse(spec.mode.settings)
    rows = student_sizes(spec.students, facts.inputs, facts.outputs)
    largest = max(range(len(rows)), key=lambda i: rows[i].parameters)
    arch = settings.network or spec.students[largest].arch.name
    view = view_of(Choice(name=arch), facts.inputs)
    if settings.size:
        own = Choice(name=arch, settings={"size": settings.size})
        said = told(*weights(own.to_json(), facts.inputs[view], facts.outputs))
    else:
        said = _(t("distill.chain.assistant_middle"))
    lines = (ARCHS.get(arch).title, said, _(reads(view, facts)))
    return Stage(_(t("distill.chain.stage_assistant")), (Box("helper", _(t("distill.chain.assistant")), lines),))


def _generations(spec: RunSpec, facts: Facts) -> Sequence[Stage]:
    from kd_core.distill import MODES

    settings: Any = MODES.get(spec.mode.name).spec.parse(spec.mode.settings)
    own = (
        student_bytes(spec.students[0].arch, facts)[1]
        if len(spec.students) == 1
        else _(t("distill.chain.generation_own"))
    )
    title = _(t("distill.chain.stage_generation"))
    found = []
    for number in range(settings.generations):
        first = (_(t("distill.chain.generation_first")),) if number == 0 else ()
        found.append(Stage(title, (Box("helper", _(t("distill.chain.generation", num=number)), (own, *first)),)))
    return found
