"""How the teacher scores on the rows that choose the student, where it was asked for what may be lost against it."""

from __future__ import annotations

from kd_core.data.dataset import Dataset
from kd_core.errors import SpecError
from kd_core.runs import assessment
from kd_core.runs.choosing.against import Against, in_percent, least
from kd_core.specs import ChooseSpec
from kd_core.teachers.base import TeacherAnswers, known_rows
from kd_core.teachers.given import MAYBE_SEEN

GIVEN = (
    MAYBE_SEEN.code,
    "earlier_run_saw",
    "earlier_run_saw_none",
    "earlier_run_rows",
)  # notes of who learned elsewhere


def measured(goals: ChooseSpec, dataset: Dataset, teacher: TeacherAnswers, metric: str) -> Against | None:
    """Measure the teacher on the validation rows; None where nothing was asked for against it.

    Errors: SpecError `lost_unknown` where it did not answer all of them, or has no score there.
    """
    if goals.lost is None:
        return None
    z, rows = teacher.logits["validation"], len(dataset.validation)
    known = int(known_rows(z).sum())
    if known < rows:
        raise _unknown("it answered {known:,} of {rows:,} validation rows, and a student is scored on all", known, rows)
    score = assessment.score(dataset, "validation", z, metric)
    if score is None:
        raise _unknown("it has no score on the {rows:,} validation rows", known, rows)
    given = teacher.folds == 0 or any(note["code"] in GIVEN for note in teacher.notes)
    return Against(score, least(goals.lost, metric, score), in_percent(metric), not given)


def _unknown(why: str, known: int, rows: int) -> SpecError:
    return SpecError(
        "How much may be lost against the teacher can't be asked for: " + why + ".",
        "Ask for a score instead, or let the teacher answer every row.",
        "lost_unknown",
        known=known,
        rows=rows,
    )
