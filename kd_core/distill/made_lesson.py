"""Made rows as one student is taught them: the first so many, with what the teacher says of each."""

from __future__ import annotations

from dataclasses import dataclass

from kd_core.data.dataset import Array, Dataset
from kd_core.data.view import Viewed
from kd_core.teachers.made_rows import MadeRows, with_made


@dataclass(frozen=True)
class MadeLesson:
    """So many times the training rows. Shape: `answers` (M, C) logits of all made rows."""

    rows: MadeRows
    answers: Array
    times: int

    @property
    def logits(self) -> Array:
        """Return the teacher's answers to these rows. Shape: (M of them, C)."""
        return self.answers[: self.rows.count(self.times)]

    def after(self, viewed: Viewed, dataset: Dataset) -> Viewed:
        """Put them after the training rows. Errors: as `with_made`."""
        return with_made(viewed, self.rows, dataset, self.times)
