"""The estimate before Start: it moves with what decides the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core.runs.plan import estimate
from kd_core.specs import Choice
from tests.runs.tables import small_spec


def cost(teacher: str, rows: int = 12_000, **settings):
    spec = small_spec(Path("t.csv"), epochs=60, seeds=3)
    spec = spec.model_copy(update={"teacher": Choice(name=teacher, settings=settings)})
    return estimate(spec, rows, 28, 2)


def test_a_network_teacher_is_estimated_from_its_own_size_and_epochs():
    """Measured on the purchase sample, one fit of all epochs it took: 2 s (mlp), 5 s (resmlp), 24 s (tabm)."""
    fits = 3
    assert 0.7 < cost("mlp").teacher_seconds / fits < 6
    assert 8 < cost("tabm").teacher_seconds / fits < 70
    assert cost("ft_transformer").teacher_seconds > cost("mlp").teacher_seconds * 5
    assert cost("mlp", size="large").teacher_seconds > cost("mlp", size="tiny").teacher_seconds
    assert cost("mlp", epochs=120).teacher_seconds == pytest.approx(4 * cost("mlp", epochs=30).teacher_seconds)


def test_the_students_share_grows_with_rows_and_counts_both_arms():
    assert cost("gradient_boosting").trainings == 6
    assert cost("gradient_boosting", rows=1_200_000).student_seconds > 2 * cost("gradient_boosting").student_seconds
    assert cost("gradient_boosting").seconds > cost("gradient_boosting").student_seconds
