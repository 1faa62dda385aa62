"""What a spec would do: everything that can't work is named; sizes and time move with what decides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core.runs import plan
from kd_core.runs.plan import estimate
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.runs.tables import TINY, small_spec

SPEC = small_spec(Path("t.csv"), seeds=3)


def said(update, task="binary", classes=2) -> list[str]:
    return [p.message for p in plan.check(SPEC.model_copy(update=update), task, classes)]


def test_a_good_spec_has_no_problem():
    assert said({}) == []


def test_unknown_and_unfit_parts_are_named_together():
    found = said({"teacher": Choice(name="oracle"), "objective": Choice(name="mse"), "students": (StudentSpec(name="t", arch=Choice(name="tabm")),)})  # fmt: skip
    assert found[0] == "no teacher 'oracle'."
    assert found[1] == "The loss 'mse' works for regression, not for binary."
    assert found[2] == "'tabm' is offered as a teacher only."


def test_wrong_settings_are_named_with_their_value():
    (message,) = said({"objective": Choice(name="hinton", settings={"temperature": 0})})
    assert "temperature" in message and "got 0" in message


def test_few_seeds_and_class_weights_without_classes_are_said():
    assert said({"training": TrainingSpec(seeds=1)}) == ["1 seed(s): too few for a useful interval."]
    weighted = {"training": TrainingSpec(class_weights="balanced"), "objective": Choice(name="mse")}
    assert said(weighted, "regression", 0) == ["Class weights need classes; the target is a number."]


def test_two_students_of_one_name_are_refused():
    assert said({"students": (TINY, TINY)}) == ["Two students are called 'tiny'."]


def test_more_students_and_rows_cost_more():
    one = plan.estimate(SPEC, 10_000, 20, 2)
    two = plan.estimate(SPEC.model_copy(update={"students": (TINY, StudentSpec(name="b", arch=TINY.arch))}), 10_000, 20, 2)  # fmt: skip
    assert (one.trainings, two.trainings) == (6, 12)
    assert two.student_seconds > one.student_seconds
    assert plan.estimate(SPEC, 1_000_000, 20, 2).teacher_seconds > one.teacher_seconds


def test_sizes_are_known_without_training():
    (row,) = plan.student_sizes((TINY,), 20, 2)
    assert row.parameters == 20 * 8 + 8 + 8 * 2 + 2
    assert row.size_bytes > 4 * row.parameters


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
