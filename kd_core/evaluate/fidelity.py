"""How faithfully a student follows its teacher, whether or not the teacher is right."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import soft_labels


def agreement(student: Array, teacher: Array) -> float:
    """Share of rows where both have the same top class. Shape: logits (N, C)."""
    return soft_labels.agreement(student, teacher)


def kl(teacher: Array, student: Array, temperature: float = 1.0) -> float:
    """Mean KL(p_teacher ‖ p_student) at temperature 1. Units: nats. Shape: logits (N, C)."""
    return soft_labels.kl(teacher, student, temperature)


def label_agreement(student: Array, teacher: Array) -> float:
    """Share of labels, over all rows, of which both say the same. Shape: log odds (N, C)."""
    return float(((np.asarray(student) >= 0) == (np.asarray(teacher) >= 0)).mean())


def label_kl(teacher: Array, student: Array) -> float:
    """Mean over rows of KL(Bernoulli p_teacher ‖ p_student), added up over labels. Units: nats. Shape: log odds (N, C)."""
    t, s = np.asarray(teacher, np.float64), np.asarray(student, np.float64)
    yes, no = np.logaddexp(0, -s) - np.logaddexp(0, -t), np.logaddexp(0, s) - np.logaddexp(0, t)
    p = np.exp(-np.logaddexp(0, -t))
    return float((p * yes + (1 - p) * no).sum(axis=1).mean())
