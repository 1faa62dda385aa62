"""What a lesson does with a teacher's own answers, before anything is trained: taken from the answers that are kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from kd_core.evaluate.soft_labels import entropy, soften
from kd_core.specs import Choice, DatasetSpec
from kd_core.task import CLASSIFICATION, task_of
from kd_core.workspace import workspace
from pages.ui.shared import example

if TYPE_CHECKING:
    from kd_core.teachers.answer_cache.kept import KeptAnswers

ROWS = 2_000  # rows looked at, evenly spaced


@dataclass(frozen=True)
class Answers:
    """A teacher's answers to rows of a part, of which one is shown. Shape: rows (V, C), labels (V,) classes."""

    task: str
    classes: tuple[str, ...]
    shown: Any
    rows: Any
    labels: Any
    rows_of: int
    part: str = "validation"

    def at(self, temperature: float) -> tuple[list[float], float]:
        """(class probabilities of the row that is shown, entropy in nats) at a temperature."""
        p = soften(self.shown[None, :], temperature)
        return [float(v) for v in p[0]], float(entropy(p)[0])

    def over_rows(self, temperature: float) -> tuple[float, float]:
        """(mean entropy in nats, mean probability of the true class) of the rows at a temperature."""
        p = soften(self.rows, temperature)
        return float(entropy(p).mean()), float(p[np.arange(len(p)), self.labels].mean())

    def shares(self, lesson: Choice) -> dict[str, float]:
        """Say how strongly labels and losses would pull at a student that knows nothing yet. Errors: KDError."""
        from kd_core.distill.foreseen import foresee

        return foresee(self.task, lesson, self.labels, self.rows)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(dataset_json: str, teacher_json: str, stamp: int) -> Answers | None:
    found = kept(dataset_json, teacher_json)
    return None if found is None else of(found)


def of(found: Any) -> Answers | None:
    """Choose the rows that are looked at, and the one that is shown; None where the teacher answered none of them."""
    num = len(found.labels)
    at = np.unique(np.linspace(0, num - 1, min(num, ROWS)).astype(int))
    z, y = np.asarray(found.logits[at], np.float32), np.asarray(found.labels[at]).astype(int)
    known = np.isfinite(z).all(axis=1)
    if not known.any():
        return None
    z, y = z[known], y[known]
    # more doubtful than 4 of 5 rows, so that there is something to see, but not the most extreme one
    shown = z[int(np.argsort(entropy(soften(z, 1.0)), kind="stable")[int(0.8 * len(z))])]
    return Answers(found.task, tuple(found.classes), shown, z, y, num, found.part)


def answers(dataset: DatasetSpec, teacher: Choice) -> Answers | None:
    """Find what this teacher, with these settings, has answered for this data; None where nothing is kept.

    Errors: KDError for a teacher that does not exist or whose settings do not fit.
    """
    return _read(dataset.to_json(), teacher.to_json(), stamp())


def kept(dataset_json: str, teacher_json: str) -> KeptAnswers | None:
    """Find the kept answers of a teacher about classes, in this workspace before the shipped example's. Errors: as `answers`."""
    from kd_core.teachers.answer_cache.cache import TeacherCache

    cache = TeacherCache(workspace() / "teachers")
    dataset, teacher = DatasetSpec.from_json(dataset_json), Choice.from_json(teacher_json)
    found = cache.find(dataset, teacher) or of_example(dataset, teacher)
    return None if found is None or not CLASSIFICATION(task_of(found.task)) else found


def of_example(dataset: DatasetSpec, teacher: Choice) -> KeptAnswers | None:
    """Take the answers that the shipped example keeps, where its teacher is this one and its data are these; they are of test rows."""
    from kd_core.teachers.answer_cache.kept import KeptAnswers, data_key, teacher_settings

    shipped = example.read()
    if shipped is None:
        return None
    spec, result = shipped
    same = teacher.name == spec.teacher.name and teacher_settings(teacher) == teacher_settings(spec.teacher)
    if not same or data_key(dataset) != data_key(spec.dataset):
        return None
    with np.load(example.FOLDER / result["artifacts"]["soft_labels"], allow_pickle=False) as arrays:
        logits, labels = arrays["teacher"], arrays["labels"]
    return KeptAnswers(logits, labels, tuple(result["dataset"]["classes"]), result["task"], False, 0.0, "test")


def stamp() -> int:
    """Say when answers were last kept or asked for, so that what was read of them is read again; 0 before the first."""
    try:
        return (workspace() / "teachers").stat().st_mtime_ns
    except FileNotFoundError:
        return 0
