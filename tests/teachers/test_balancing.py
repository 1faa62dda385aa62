"""A teacher's answers with its classes weighted after the fact."""

import numpy as np
import pytest

from kd_core.teachers.balancing import balanced
from kd_core.teachers.base import TeacherAnswers


def answers(z):
    return TeacherAnswers("t", {"train": z, "validation": z, "test": z}, 0, 0, {}, 0.0, 5)


def test_probabilities_are_multiplied_by_the_weights_in_every_part():
    p = np.array([[0.9, 0.1], [0.5, 0.5]])
    found = balanced(answers(np.log(p).astype(np.float32)), np.array([0.5, 4.0]))
    for z in found.logits.values():
        q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        assert q == pytest.approx(p * [0.5, 4.0] / (p * [0.5, 4.0]).sum(axis=1, keepdims=True), abs=1e-6)
        assert z.dtype == np.float32


def test_without_weights_nothing_is_copied():
    given = answers(np.zeros((3, 2), np.float32))
    assert balanced(given, None) is given
