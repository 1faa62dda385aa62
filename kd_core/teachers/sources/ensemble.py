"""Several teachers as one: each with its own settings, combined by their mean, by validation, or row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.errors import KDError, Says, SpecError
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import measure
from kd_core.limits import KNOWN_ROWS
from kd_core.models.building import SHORT_FORM
from kd_core.registry import Situation
from kd_core.specs import Choice, Spec, unit
from kd_core.task import IN_FULL, IN_PARTS, task_of
from kd_core.teachers.base import SOURCES, Answered, Answering, Ask, TeacherAnswers, known_rows
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import told
from kd_core.teachers.together import tasks
from kd_core.teachers.together.class_teachers import heard, known_classes, named
from kd_core.teachers.together.combining import WAYS, Combine, Weigh, answers_of, combined

_TOLD = Says(
    "ensemble_members",
    "note",
    "Combined ({combine}) of {count} teachers, {metric} on {validation:,} validation rows: {scores}.",
)
_CHOSEN = Says(
    "ensemble_weights",
    "note",
    "Validation rows chose the weights: {weights}.",
    "The score on them is a little too good, that on test rows is not.",
)


_SPECIALISTS = Says(
    "ensemble_specialists",
    "note",
    "Of each class one teacher is heard, chosen on validation rows: {heard}.",
    "The score on them is a little too good, that on test rows is not.",
)
_NAMED = Says(
    "ensemble_named", "note", "Of each class one teacher is heard, named by hand for {count} of {classes}: {heard}."
)


_PER_TASK = Says(
    "ensemble_tasks", "note", "Of each task one teacher is heard, as named or as validation rows say: {heard}."
)


class EnsembleSpec(Spec):
    """Who is asked, and how the answers are combined."""

    members: tuple[Choice, ...] = Field(
        (),
        max_length=8,
        description="Teachers, two or more, each with its own settings.",
        json_schema_extra=unit("teachers", teachers=True),
    )
    combine: Combine = Field(
        "mean",
        description="Mean of the answers; weights that fit the validation rows best; or more weight, row by row, to who is surer; "
        "or one teacher per class, the one that knows it best on validation rows or that is named for it; or one per task of a row that has several.",
        json_schema_extra=unit("name"),
    )
    classes: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Of one teacher per class or task: who is heard of it, such as shoes:2 for the second teacher; what is not named is "
        "chosen on validation rows.",
        json_schema_extra=unit("names"),
    )


def _missing(spec: EnsembleSpec) -> SpecError | None:
    if len({one.to_json() for one in spec.members}) == len(spec.members) > 1:
        return _unheard(spec)
    return SpecError(
        "An ensemble needs 2 teachers or more, no two of them alike; named are: {named}.",
        "Name more (--teacher a --teacher b), or give those of one name other settings.",
        "too_few_members",
        named=", ".join(one.name for one in spec.members) or "none",
    )


def _unheard(spec: EnsembleSpec) -> SpecError | None:
    """Look at who is named for which class, before the classes are known."""
    if spec.classes and spec.combine not in ("per_class", "per_task"):
        return SpecError(
            "Teachers are named for classes ({named}), and they are combined by {combine}.",
            "Combine per_class or per_task, or leave the classes out.",
            "classes_unheard",
            named=", ".join(spec.classes[:5]),
            combine=spec.combine,
        )
    try:
        named(spec.classes, len(spec.members))
    except SpecError as error:
        return error
    return None


def barred(at: Situation) -> dict[str, dict[str, str]]:
    """Say which ways to combine can't work, and why: of a number nobody says how sure he is, and of two classes nobody knows one alone."""
    found = {}
    if not task_of(at.task).has_classes:
        found["confidence"] = "needs classes: teachers of a number say nothing of how sure they are"
    if not task_of(at.task).has_classes or at.num_classes < 3:
        found["per_class"] = "needs 3 classes or more: of two, who knows one knows the other"
    if not IN_PARTS(task_of(at.task)):
        found["per_task"] = "needs several targets of a row"
    else:
        found["weighted"] = "needs one target: weights would have to suit all tasks of a row at once"
    return {"combine": found} if found else {}


@SOURCES.register(
    "ensemble",
    title="Several teachers",
    spec=EnsembleSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="ensemble",
    missing=_missing,
    barred=barred,
    members=lambda spec: spec.members,
    live=lambda spec, dataset, members: EnsembleModel.of(spec, dataset, members),
)
def answer(spec: EnsembleSpec, ask: Ask) -> Answered:
    """Combine what the members answer; a row that some of them know is answered by those alone.

    Errors: SpecError `too_few_members`, `no_confidence`; DataError `few_common_rows`; Stopped.
    """
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    assert ask.answers is not None
    data = ask.dataset
    refused = barred(Situation(data.task, len(data.classes))).get("combine", {}).get(spec.combine)
    if refused and IN_PARTS(task_of(data.task)):
        raise SpecError(
            "Teachers can't be combined by {way}: it {why}.",
            "Combine by mean or per_task.",
            "no_such_way",
            way=spec.combine,
            why=refused,
        )
    told_of = tasks.known_tasks if spec.combine == "per_task" else known_classes
    told_of(named(spec.classes, len(spec.members)), data)  # before anybody is trained
    found = [ask.answers(one) for one in spec.members]
    seen = {split: answers_of([one.logits[split] for one in found], data) for split in SPLITS}
    weigh, weights = WAYS[spec.combine](spec.classes, seen["validation"], data)
    logits = {split: combined(v, weigh(v), data) for split, v in seen.items()}
    made = [one.made for one in found if one.made is not None]
    own = answers_of(made, data) if len(made) == len(found) else None
    sizes = [(one.num_parameters, one.size_bytes) for one in found]
    parameters, size = (None if None in column else sum(column) for column in zip(*sizes, strict=True))
    about = [_about(i, one, data, weights) for i, one in enumerate(found)]
    whole = _scores(logits["validation"], data)
    names = [f"{i} {one.name}" for i, one in enumerate(found, 1)]
    metric = task_of(data.task).primary
    scores = [f"together {_written(whole.get(metric))}"]
    scores += [f"{name} {_written(m['validation'].get(metric))}" for name, m in zip(names, about, strict=True)]
    problems = [
        _TOLD.problem(
            combine=spec.combine,
            count=len(found),
            metric=metric,
            validation=len(data.validation),
            scores=", ".join(scores),
        )
    ]
    if weights is not None:
        given = ", ".join(f"{name} {w:.3f}" for name, w in zip(names, weights, strict=True))
        problems.append(_CHOSEN.problem(weights=given))
    by_hand = named(spec.classes, len(found))
    if spec.combine == "per_class":
        who = zip(data.classes, heard(by_hand, seen["validation"], data), strict=True)
        said = ", ".join(f"{label}: {names[one]}" for label, one in who)
        by_person = _NAMED.problem(heard=said, count=len(by_hand), classes=len(data.classes))
        problems.append(by_person if by_hand else _SPECIALISTS.problem(heard=said))
    if spec.combine == "per_task":
        whom = tasks.heard(by_hand, seen["validation"], data)
        said = ", ".join(f"{name}: {names[one]}" for one, (name, *_) in zip(whom, tasks.questions(data), strict=True))
        problems.append(_PER_TASK.problem(heard=said))
    theirs = {note["code"] + note["message"]: note for one in found for note in one.notes}
    return Answered(
        logits,
        parameters,
        size,
        {"onnxruntime": {"reason": "an ensemble asks every one of its teachers in turn"}},
        sum(one.fit_seconds for one in found),
        max(one.folds for one in found),
        {
            "combine": spec.combine,
            "members": about,
            "validation": whole,
            **({"by_hand": [len(by_hand), len(data.classes)]} if by_hand else {}),
        },
        (*map(told, problems), *theirs.values()),
        made=None if own is None else combined(own, weigh(own), data),
    )


@dataclass(frozen=True)
class EnsembleModel:
    """Several teachers that can be asked about new rows, combined as in the run: `Answering`."""

    members: Sequence[Answering]
    weigh: Weigh
    dataset: Dataset

    @classmethod
    def of(cls, spec: EnsembleSpec, dataset: Dataset, members: Sequence[Answering]) -> EnsembleModel:
        """Find the weights again; where validation rows give them, from the answers to these. Errors: KDError `not_live`, as `answer`."""
        validation = np.zeros((len(members), 0, dataset.num_outputs))
        if spec.combine in ("weighted", "per_class", "per_task"):
            if any("sends" in SOURCES.get(one.name).facts for one in spec.members):
                raise KDError(
                    "The teacher can't be asked about new rows: its weights come from the validation rows, all of which would be sent again.",
                    "Combine by mean or by confidence to ask it live.",
                    "not_live",
                )
            rows = dataset.rows.iloc[dataset.validation.row_ids]
            validation = answers_of([one.ask(rows) for one in members], dataset)
        return cls(members, WAYS[spec.combine](spec.classes, validation, dataset)[0], dataset)

    def ask(self, rows: pd.DataFrame) -> Array:
        """Ask every member about raw rows. Shape: N rows -> (N, C) float32 logits."""
        found = answers_of([one.ask(rows) for one in self.members], self.dataset)
        return combined(found, self.weigh(found), self.dataset)


def _about(index: int, one: TeacherAnswers, data: Dataset, weights: list[float] | None) -> dict[str, Any]:
    """Tell of a member what stands beside the ensemble in a result."""
    return {
        "number": index + 1,
        "name": one.name,
        "validation": _scores(one.logits["validation"], data),
        "weight": None if weights is None else round(weights[index], 6),
        **({"known": known} if (known := one.known()) else {}),
    }


def _scores(z: Array, data: Dataset) -> dict[str, float | None]:
    """Score answers to those validation rows that are known; nothing where these are too few."""
    rows = known_rows(z)
    if not rows.any() or (rows.sum() < KNOWN_ROWS and not rows.all()):
        return {}
    groups = data.dealt_by("validation")
    own = None if groups is None else groups[rows]
    return measure(from_logits(data.task, data.validation.y[rows], z[rows], data.target_mean, data.target_std, own))


def _written(score: float | None) -> str:
    return "unknown" if score is None else f"{score:.4g}"
