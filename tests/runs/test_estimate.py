"""The time that is told before a run: the teacher's own epochs, plain models of pictures."""

from __future__ import annotations

from pathlib import Path

from kd_core.data.input_spec import InputSpec
from kd_core.runs import estimate, plan
from kd_core.specs import Choice, EvaluationSpec, StudentSpec, TrainingSpec
from kd_core.training.plan import resolve
from tests.runs.tables import small_spec

SPEC = small_spec(Path("t.csv"), seeds=3)
PICTURES = InputSpec(kind="pixels", shape=(1, 28, 28), dtype="uint8", high=256, sparse=False)


def test_epochs_of_a_network_teacher_are_its_own_where_nobody_bounds_them():
    def own(name, settings=None, rows=10_500):
        return plan.own_epochs(Choice(name=name, settings=settings or {}), rows)

    few = resolve(TrainingSpec(), 10_500, "cnn")
    assert own("cnn") == few.epochs and own("cnn", rows=100) > own("cnn")
    assert own("cnn", {"epochs": 12}) is None and own("gradient_boosting") is None
    several = {
        "members": [{"name": "gradient_boosting"}, {"name": "mlp"}, {"name": "mlp_large", "settings": {"epochs": 3}}]
    }
    assert own("ensemble", several) == own("mlp") is not None


def test_the_largest_of_the_plain_models_of_pictures_counts_as_a_few_more_trainings():
    students = (StudentSpec(name="s", arch=Choice(name="cnn", settings={"size": "small"})),)
    spec = SPEC.model_copy(
        update={"students": students, "teacher": Choice(name="cnn"), "training": TrainingSpec(epochs=12, seeds=3)}
    )

    def evaluate(references):
        asked = EvaluationSpec(references=references, latency=False)
        found = estimate.foresee(spec.model_copy(update={"evaluation": asked}), 60_000, {"pixels": PICTURES}, 10)
        return found.of("evaluate"), found.student_seconds

    with_them, students_take = evaluate(True)
    without, same = evaluate(False)
    assert same == students_take and 0.05 * students_take < with_them - without < students_take
