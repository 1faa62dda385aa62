"""How faithfully a student follows its teacher, whether or not the teacher is right."""

from __future__ import annotations

from kd_core.data.dataset import Array
from kd_core.evaluate import soft_labels


def agreement(student: Array, teacher: Array) -> float:
    """Share of rows where both have the same top class. Shape: logits (N, C)."""
    return soft_labels.agreement(student, teacher)


def kl(teacher: Array, student: Array, temperature: float = 1.0) -> float:
    """Mean KL(p_teacher ‖ p_student) at temperature 1. Units: nats. Shape: logits (N, C)."""
    return soft_labels.kl(teacher, student, temperature)
