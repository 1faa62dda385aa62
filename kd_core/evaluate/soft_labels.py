"""What a teacher says beyond its top answer. numpy only, so that pages can compute it at once.

Legend: N rows, C classes; z logits, p probabilities.
"""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array


def log_soften(z_NC: Array, temperature: float = 1.0) -> Array:
    """Return log softmax(z / T). Shape: (N, C) float64."""
    z = np.asarray(z_NC, dtype=np.float64) / temperature
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


def soften(z_NC: Array, temperature: float = 1.0) -> Array:
    """Return softmax(z / T): higher T, flatter rows. Shape: (N, C) float64, rows sum to 1."""
    return np.asarray(np.exp(log_soften(z_NC, temperature)))


def entropy(p_NC: Array) -> Array:
    """Measure how undecided each row is: 0 (certain) to ln C (all classes alike). Units: nats, as log-loss and KL. Shape: (N,)."""
    p = np.asarray(p_NC, dtype=np.float64)
    logs = np.log(p, where=p > 0, out=np.zeros_like(p))
    return np.asarray(-(p * logs).sum(axis=-1) + 0.0)


def dark_knowledge(p_NC: Array) -> Array:
    """Measure the mass beside the top class, 1 - max p: what a hard label leaves out. Shape: (N,)."""
    return np.asarray(1.0 - np.asarray(p_NC, dtype=np.float64).max(axis=-1))


def agreement(z_a: Array, z_b: Array) -> float:
    """Share of rows where two models have the same top class."""
    return float((np.asarray(z_a).argmax(axis=-1) == np.asarray(z_b).argmax(axis=-1)).mean())


def kl(z_teacher: Array, z_student: Array, temperature: float = 1.0) -> float:
    """Mean KL(p_teacher ‖ p_student) at temperature T, without the factor T². Units: nats."""
    log_t, log_s = log_soften(z_teacher, temperature), log_soften(z_student, temperature)
    return float((np.exp(log_t) * (log_t - log_s)).sum(axis=-1).mean())


def effective_soft_share(z_teacher: Array, z_student: Array, y: Array, temperature: float, alpha: float) -> float:
    """Share of the teacher term in the gradient of the student's logits (0: labels only, 1: teacher only).

    alpha T ‖softmax(z_s/T) - softmax(z_t/T)‖ against (1 - alpha) ‖softmax(z_s) - onehot(y)‖, summed over rows;
    T² of the loss times 1/T of the derivative leaves one T. None of both: 0.
    """
    soft = temperature * (soften(z_student, temperature) - soften(z_teacher, temperature))
    hard = soften(z_student) - np.eye(np.asarray(z_student).shape[-1])[np.asarray(y)]
    soft_size = alpha * float(np.linalg.norm(soft, axis=-1).sum())
    hard_size = (1.0 - alpha) * float(np.linalg.norm(hard, axis=-1).sum())
    return soft_size / (soft_size + hard_size) if soft_size else 0.0


def class_similarity(p_NC: Array, y: Array, num_classes: int) -> Array:
    """Average the soft label of each true class: row c says what the teacher thinks rows of class c look like.

    Shape: (C, C); the row of a class that does not occur is NaN-free zeros.
    """
    p, y = np.asarray(p_NC, dtype=np.float64), np.asarray(y)
    sums = np.zeros((num_classes, p.shape[1]))
    np.add.at(sums, y, p)
    count = np.bincount(y, minlength=num_classes)
    return np.asarray(sums / np.maximum(count, 1)[:, None])


def disagreements(z_a: Array, z_b: Array, temperature: float = 1.0) -> Array:
    """List the rows with different top classes, the widest apart (total variation distance) first."""
    rows = np.flatnonzero(np.asarray(z_a).argmax(axis=-1) != np.asarray(z_b).argmax(axis=-1))
    apart = 0.5 * np.abs(soften(z_a, temperature)[rows] - soften(z_b, temperature)[rows]).sum(axis=-1)
    return np.asarray(rows[np.argsort(-apart, kind="stable")])
