"""A teacher whose answers count rare classes more, as the students' labels do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kd_core.data.dataset import Array
from kd_core.teachers.base import TeacherAnswers


def balanced(answers: TeacherAnswers, class_weights: Array | None) -> TeacherAnswers:
    """Return the answers of the teacher as if its classes had been weighted: logits plus log weights, in every part and on made rows.

    Weighting classes by w makes the best answer proportional to w x p(class | row). Without this the labels of a
    lesson would say one thing and the soft labels another. The kept answers stay as they are, for any weights.
    Shape: class_weights (C,), or (C, 2) of the no and the yes of each label; None leaves the answers unchanged. Source: Menon et al. 2021 (arXiv:2007.07314);
    Saerens et al. 2002.
    """
    if class_weights is None:
        return answers
    shift = log_weights(class_weights)
    logits = {part: (np.asarray(z, dtype=np.float64) + shift).astype(np.float32) for part, z in answers.logits.items()}
    made = None if answers.made is None else (answers.made.astype(np.float64) + shift).astype(np.float32)
    return replace(answers, logits=logits, made=made)


def log_weights(class_weights: Array) -> Array:
    """Return what weights of classes add to the logits: their logarithms; to the log odds of labels that of yes less that of no. Shape: (C,)."""
    found = np.log(np.asarray(class_weights, dtype=np.float64))
    return found if found.ndim == 1 else found[:, 1] - found[:, 0]
