"""Seconds of trainings by their size: lanes, pictures, and the fits of a teacher."""

from __future__ import annotations

from pathlib import Path

import pytest

from kd_core.data.input_spec import InputSpec, table_inputs
from kd_core.models.sizes import sizes
from kd_core.runs import estimate
from kd_core.runs.cost import seconds
from kd_core.specs import Choice, TrainingSpec
from tests.runs.tables import small_spec

SPEC = small_spec(Path("t.csv"), seeds=3)
TABLE = {"table": table_inputs(20)}
PICTURES = InputSpec(kind="pixels", shape=(1, 28, 28), dtype="uint8", high=256, sparse=False)


def test_lanes_that_are_not_filled_take_as_long_as_full_ones(monkeypatch):
    monkeypatch.setattr(seconds, "cores", lambda: 2)
    size = sizes(Choice(name="cnn", settings={"size": "small"}), PICTURES, 10)
    spec = SPEC.model_copy(update={"training": TrainingSpec(epochs=12)})
    one, two, three = (seconds.training_seconds(spec, "cnn", 50_000, size, n, False, False) for n in (1, 2, 3))
    assert one == pytest.approx(two) and three == pytest.approx(2 * one)


def test_students_of_pictures_take_as_long_as_was_measured(monkeypatch):
    """Fashion-MNIST, six ResNets of 19,810 weights, 12 epochs, two idle cores: 649 s. Trainings of 5 epochs end with the fifth."""
    monkeypatch.setattr(seconds, "cores", lambda: 2)
    size = sizes(Choice(name="resnet", settings={"size": "tiny"}), PICTURES, 10)

    def told(epochs, arch="resnet"):
        spec = SPEC.model_copy(update={"training": TrainingSpec(epochs=epochs)})
        return seconds.training_seconds(spec, arch, 51_000, size, 6, False, False)

    assert 500 < told(12) < 800
    assert told(5) == pytest.approx(told(12) * 5 / 12) and told(100) < told(12) * 100 / 12
    assert told(12, "cnn") < told(12) < told(12, "mobilenet")


def test_a_teacher_whose_patience_is_as_long_as_its_epochs_trains_them_all():
    def took(**settings):
        spec = SPEC.model_copy(update={"teacher": Choice(name="mlp", settings={"epochs": 60, **settings})})
        return estimate.foresee(spec, 10_000, TABLE, 2).teacher_seconds - seconds.ANSWER_SECONDS

    assert took(patience=60) == pytest.approx(took() / seconds.TEACHER_EPOCHS_SHARE)
