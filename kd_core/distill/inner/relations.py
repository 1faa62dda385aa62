"""Terms that compare rows with rows: what two rows have to do with each other in the teacher, they should in the student.

Such a term never compares a student's feature with a teacher's, so it needs no common width and no projector. Features of several
fits have no common basis, but rows that one fit answered can be compared with each other: with folds, those of one fold are.
Legend: B rows of a batch, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from kd_core.models.base import Outputs

Term = Callable[
    [Tensor, Tensor], Tensor
]  # (features of the student, of the teacher) of rows that can be compared -> scalar


def related(student: Outputs, teacher: Outputs, term: Term, least: int = 2) -> Tensor:
    """Compute a term over the rows of each fold and return the mean over rows; without folds all rows are compared.

    Fewer rows than `least` say nothing about relations: theirs count as 0. Shape: features (B, D), the teacher's of another D.
    """
    assert student.features is not None and teacher.features is not None
    if teacher.fold is None:
        return term(student.features, teacher.features) if len(student.features) >= least else _nothing(student)
    total = _nothing(student)
    for fold in set(teacher.fold.tolist()):
        at = (teacher.fold == fold).nonzero().squeeze(1)
        if len(at) >= least:
            found = term(student.features.index_select(0, at), teacher.features.index_select(0, at))
            total = total + found * (len(at) / len(teacher.fold))
    return total


def related_reference(student: Any, teacher: Any, term: Callable[[Any, Any], Any], least: int = 2) -> Any:
    """Do the same on numpy arrays."""
    fold = np.zeros(len(student.features), int) if teacher.fold is None else teacher.fold
    parts = [fold == k for k in np.unique(fold)]
    return sum(term(student.features[at], teacher.features[at]) * at.mean() for at in parts if at.sum() >= least)


def _nothing(student: Outputs) -> Tensor:
    assert student.features is not None
    return student.features.sum() * 0.0
