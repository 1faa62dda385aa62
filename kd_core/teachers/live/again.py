"""A teacher that was trained for a run, trained once more in the same way, so that it can be asked about new rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.view import View
from kd_core.errors import KDError, Stopped
from kd_core.machine.device import threads
from kd_core.specs import Choice
from kd_core.teachers.answer_cache import coding
from kd_core.teachers.balancing import log_weights
from kd_core.teachers.base import SOURCES, Ask, FittedTeacher, Notify, ShouldStop, known_rows, teacher_view
from kd_core.teachers.fitting import Fitted, fitted_once
from kd_core.training.loop import ignore, never

AS_BEFORE = 1e-3  # logits apart that still count as the same teacher: threads may add up in another order


def why_not(teacher: Choice) -> str | None:
    """Say why a teacher can't be trained once more, None where it can. Errors: UnknownName."""
    if isinstance(SOURCES.get(teacher.name).make, Fitted):
        return None
    return "it is made of several teachers, or was not trained here"


@dataclass(frozen=True)
class Again:
    """A teacher trained once more. `kind`: how it reads rows; `shift` (C,): what the run adds to its logits where classes are weighted."""

    kind: str
    view: View
    fitted: FittedTeacher
    shift: Array

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows with the dataset's columns -> (N, C) float32 logits."""
        found: Array = self.fitted.logits(self.view.read(rows)[0]) + self.shift
        return found


def trained_again(
    dataset: Dataset,
    teacher: Choice,
    seed: int,
    rows: pd.DataFrame,
    known: Array | None,
    *,
    class_weights: Array | None = None,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    device: str = "cpu",
) -> Again:
    """Train the teacher on all training rows, as the run did for the rows that it was not trained on.

    `rows`, `known`: rows that the run kept, and the teacher's answers to them as its students were judged by; NaN where there is none. Shape: N rows, (N, C).
    Errors: KDError `teacher_again` where it can't be, `teacher_other` where it then answers otherwise; DataError; Stopped.
    """
    reason, reads = why_not(teacher), teacher_view(teacher, dataset.views.kinds)
    answered = np.zeros(0, bool) if known is None else known_rows(known)
    if reason is None and reads is None:
        reason = "it reads no rows"
    if reason is None and not answered.any():
        reason = "the run kept none of its answers, by which it would be recognised"
    if reason is not None or reads is None or known is None:
        raise KDError(
            "The teacher can't be trained once more: {reason}.",
            "Look at its students alone.",
            "teacher_again",
            reason=reason,
        )
    entry = SOURCES.get(teacher.name)
    settings = entry.spec.parse(teacher.settings, f"teacher {teacher.name}")
    ask = Ask(dataset, reads, 1, seed, None, "", device, notify, should_stop)
    with threads(1):  # as a run trains it
        fitted = fitted_once(entry.make, settings, ask)  # type: ignore[arg-type]
    if should_stop():  # a network ends early then, and would be taken for another one
        raise Stopped
    view = dataset.view(reads).view
    assert view is not None
    shift = np.zeros(1) if class_weights is None else log_weights(class_weights)
    found = Again(reads, view, fitted, shift.astype(np.float32))
    apart = float(np.abs(found.ask(rows[answered]) - known[answered]).max())
    shortened = dataset.width > coding.EXACT_OUTPUTS  # answers from the cache are then equal to this
    if not apart <= AS_BEFORE + shortened * coding.TOLERANCE:
        raise KDError(
            "Trained once more, the teacher answers otherwise than in the run: {apart:.2g} apart.",
            "Another version of the app or of a library made the run: run it again, then look.",
            "teacher_other",
            apart=apart,
        )
    return found
