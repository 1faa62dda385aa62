"""What the teacher says of old and new rows: the run's own teacher, fitted on the run's own rows, so that no new row is known to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import DataError, KDError, SpecError
from kd_core.runs.continuing.joined import Joined
from kd_core.specs import Choice
from kd_core.teachers.balancing import balanced
from kd_core.teachers.base import SOURCES, TeacherAnswers, known_rows

Ask = Callable[[Dataset, int], TeacherAnswers]  # dataset, folds


@dataclass(frozen=True)
class Told:
    """The teacher's answers. `answers`: to the rows of `Joined.dataset`, with those to rows without a label in `made`.

    Shape: `old_test` (N, C) the run's test rows, `held` (M, C) the new rows kept apart.
    """

    answers: TeacherAnswers
    old_test: Array
    held: Array

    def balanced(self, class_weights: Array | None) -> Told:
        """Count rare classes more in what stands beside the lesson, as `balanced` does in it."""
        beside = replace(self.answers, logits={"train": self.held, "test": self.old_test}, made=None)
        found = balanced(beside, class_weights).logits
        return Told(balanced(self.answers, class_weights), found["test"], found["train"])


def ask(rows: Joined, teacher: Choice, folds: int, answers: Ask) -> Told:
    """Ask about the run's rows as it did, out of fold, and once more about the new ones.

    What is kept of the run's answers is not made again; a teacher that is trained here is fitted once more on all of its training rows,
    with the same seed, and so is the same one. Errors: SpecError `teacher_not_at_hand`; Stopped.
    """
    given = SOURCES.get(teacher.name).facts.get("family") == "given"
    try:
        new = answers(rows.asked, folds if given else 1)
    except (DataError, SpecError) as error:
        raise _not_at_hand(teacher, error.message) from error
    old = new if given else answers(rows.old, folds)
    tests = len(rows.old.test)
    z_new = new.logits["test"][tests:]
    if not known_rows(z_new).any():
        raise _not_at_hand(teacher, "it has no answer to any of them.")
    old_test = old.logits["test"][:tests]
    learned = np.concatenate([old.logits["train"][rows.kept], z_new[rows.learned]])
    found = replace(
        old,
        logits={
            "train": learned,
            "validation": np.concatenate([old.logits["validation"], z_new[rows.chosen_by]]),
            "test": z_new[rows.held_labelled] if rows.measured else old_test,
        },
        made=z_new[rows.bare] if rows.made is not None else None,
        fit_seconds=old.fit_seconds + (0.0 if given else new.fit_seconds),
        cached=old.cached and new.cached,
    )
    return Told(found, old_test, z_new[rows.held])


def _not_at_hand(teacher: Choice, why: str) -> KDError:
    return SpecError(
        "The teacher '{name}' can't be asked about the new rows: {why}",
        "Give the new rows what it reads (its columns, its file), or go on from a run whose teacher is trained here.",
        "teacher_not_at_hand",
        name=teacher.name,
        why=why,
    )
