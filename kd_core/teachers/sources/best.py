"""The best of several teachers: each is asked with its own defaults, and the one that validation rows prefer teaches."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from pydantic import Field, field_validator

from kd_core import written
from kd_core.data.input_spec import TABLE
from kd_core.errors import KDError, Says
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import better_of
from kd_core.specs import Choice, Spec, unit
from kd_core.task import task_of
from kd_core.teachers.base import SOURCES, Answered, Ask, TeacherAnswers
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import told
from kd_core.teachers.sources.average import averaged

AVERAGE = "their average"
_CHOSEN = Says(
    "best_teacher",
    "note",
    "Of {tried}, the best on {validation:,} validation rows teaches: {chosen} ({metric}: {scores}).",
    "Validation rows chose it, so its score on them flatters it; that on test rows does not.",
)
_LATE = Says(
    "teachers_left_out",
    "warning",
    "Left out, because the {minutes:g} minutes for choosing a teacher were over before: {names}.",
    "Give more minutes, or name fewer teachers.",
)
_FAILED = Says("teacher_failed", "warning", "The teacher {name} was left out: {why}", "{hint}")


class BestSpec(Spec):
    """Who is tried, and for how long."""

    teachers: tuple[str, ...] = Field(
        ("lightgbm", "gradient_boosting"),
        min_length=1,
        max_length=8,
        description="Teachers that are tried, in this order; each has its default settings.",
        json_schema_extra=unit("names", teachers=True),
    )
    average: bool = Field(
        True, description="Try their average as well; it costs no further fit.", json_schema_extra=unit("yes/no")
    )
    minutes: float = Field(
        5.0,
        gt=0,
        le=1440,
        description="Teachers that have not begun after this time are left out; the first is always trained.",
        json_schema_extra=unit("minutes"),
    )

    @field_validator("teachers")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))


@SOURCES.register(
    "best",
    title="Best of several",
    spec=BestSpec,
    takes=(TABLE,),
    gives=frozenset({"logits"}),
    family="ensemble",
    by_metric=True,
    members=lambda spec: tuple(Choice(name=name) for name in spec.teachers),
)
def answer(spec: BestSpec, ask: Ask) -> Answered:
    """Try teachers until the time is over and answer as the best on validation; of equal ones the first.

    Errors: Stopped; KDError of the first teacher where none could be trained, `no_best_teacher`
    where the metric is undefined.
    """
    stop_if_asked(ask.should_stop)
    found, failed, late = _tried(spec, ask)
    if not found:
        raise next(iter(failed.values()))
    candidates = {one.name: _as_answered(one) for one in found}
    if spec.average and len(found) > 1:
        candidates[AVERAGE] = averaged(found, ask.dataset)
    metric = ask.metric or task_of(ask.dataset.task).primary
    scores = {name: _score(one, ask, metric) for name, one in candidates.items()}
    chosen = _best(scores, metric)
    problems = [
        _CHOSEN.problem(
            tried=_counted(len(found), AVERAGE in candidates),
            validation=len(ask.dataset.validation),
            chosen=_title(chosen),
            metric=METRICS.get(metric).title,
            scores=", ".join(
                f"{_title(name)} {written.number(value)}" for name, value in scores.items() if value is not None
            ),
        ),
        *([_LATE.problem(minutes=spec.minutes, names=", ".join(map(_title, late)))] if late else []),
        *(_FAILED.problem(name=_title(name), why=error.message, hint=error.hint) for name, error in failed.items()),
    ]
    own = candidates[chosen]
    return replace(
        own,
        seconds=sum(one.fit_seconds for one in found),
        details={
            "chosen": chosen,
            "metric": metric,
            "scores": scores,
            "left_out": late,
            "failed": list(failed),
            "of_chosen": own.details,
        },
        notes=(*map(told, problems), *own.notes),
    )


def _title(name: str) -> str:
    return name if name == AVERAGE else SOURCES.get(name).title


def _counted(num: int, average: bool) -> str:
    """Say who was compared. Example: `2 teachers and their average`."""
    return f"{num} {'teacher' if num == 1 else 'teachers'}{f' and {AVERAGE}' if average else ''}"


def _tried(spec: BestSpec, ask: Ask) -> tuple[list[TeacherAnswers], dict[str, KDError], list[str]]:
    """Ask the teachers in turn; say who failed, and who had not begun when the time was over."""
    assert ask.answers is not None
    began = monotonic()
    found: list[TeacherAnswers] = []
    failed: dict[str, KDError] = {}
    late: list[str] = []
    for name in spec.teachers:
        if found and monotonic() - began >= 60 * spec.minutes:
            late.append(name)
            continue
        try:
            found.append(ask.answers(Choice(name=name)))
        except KDError as error:
            failed[name] = error
    return found, failed, late


def _as_answered(one: TeacherAnswers) -> Answered:
    return Answered(
        one.logits,
        one.num_parameters,
        one.size_bytes,
        one.latency_ms,
        one.fit_seconds,
        one.folds,
        one.details,
        one.notes,
        made=one.made,
    )


def _score(one: Answered, ask: Ask, metric: str) -> float | None:
    """Score answers to the validation rows; the test rows are not looked at."""
    data = ask.dataset
    scale, groups = (data.target_mean, data.target_std), data.dealt_by("validation")
    found = from_logits(data.task, data.validation.y, one.logits["validation"], *scale, groups)
    return METRICS.get(metric).make(found)


def _best(scores: dict[str, float | None], metric: str) -> str:
    known = {name: value for name, value in scores.items() if value is not None}
    if not known:
        raise KDError(
            "The metric '{metric}' is undefined on the validation rows, so no teacher can be chosen by it.",
            "Choose another metric, or make the validation part larger.",
            "no_best_teacher",
            metric=metric,
        )
    sign = 1 if better_of(metric) == "higher" else -1
    return max(known, key=lambda name: sign * known[name])
