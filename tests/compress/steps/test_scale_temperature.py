"""Logits divided by a temperature: which one, from which rows, and what stays as it was."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from kd_core.compress.steps.scale_temperature import scaled
from kd_core.compress.whole_numbers.network import answers_of
from kd_core.errors import KDError
from kd_core.evaluate.calibration import fitted_temperature
from kd_core.evaluate.latency import onnx_bytes
from tests.compress.steps.test_int8 import carried_out
from tests.compress.test_learning import work_of
from tests.compress.whole_numbers.small import guarded, trained


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_logits_are_divided_by_what_suits_validation_rows_best_and_no_other_rows_are_read(task):
    dataset, stage = trained(task)
    before = onnx_bytes(stage.module, dataset.view().spec)
    made = carried_out("scale_temperature", stage, guarded(dataset, "validation"))
    z = answers_of(before, dataset.view().parts["validation"])
    (told,) = made.told
    assert told == {"name": "scale_temperature", "temperature": fitted_temperature(z, dataset.validation.y)}
    assert abs(told["temperature"] - 1) > 0.01
    assert stage.file is None and made.module is stage.module
    for part in ("validation", "test"):
        was, now = (answers_of(file, dataset.view().parts[part]) for file in (before, made.file))
        np.testing.assert_allclose(now, was / told["temperature"], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(now.argsort(axis=1), was.argsort(axis=1))


def test_the_file_is_asked_by_the_names_that_it_had():
    dataset, stage = trained()
    before = onnx.load_from_string(onnx_bytes(stage.module, dataset.view().spec)).graph
    made = onnx.load_from_string(carried_out("scale_temperature", stage, work_of(dataset)).file).graph
    assert [one.name for one in made.input] == [one.name for one in before.input] == ["x"]
    assert [one.name for one in made.output] == [one.name for one in before.output] == ["logits"]


@pytest.mark.parametrize("step", ["int8", "int8_dynamic", "int4", "fp16"])
def test_what_was_rounded_is_scaled_as_it_answers_then(step):
    dataset, stage = trained()
    short = carried_out(step, stage, work_of(dataset))
    made = carried_out("scale_temperature", short, work_of(dataset))
    x = dataset.view().parts["validation"]
    was, now = answers_of(short.file, x), answers_of(made.file, x)
    temperature = made.told[-1]["temperature"]
    assert temperature == fitted_temperature(was, dataset.validation.y)
    np.testing.assert_allclose(now, was / temperature, rtol=1e-5, atol=1e-6)
    assert [one["name"] for one in made.told] == [step, "scale_temperature"]
    assert 0 < len(made.file) - len(short.file) < 200


def test_what_was_scaled_is_as_it_should_be_and_may_be_scaled_again():
    dataset, stage = trained()
    once = carried_out("scale_temperature", stage, work_of(dataset))
    twice = carried_out("scale_temperature", once, work_of(dataset))
    assert twice.told[-1]["temperature"] == pytest.approx(1, abs=1e-3)
    x = dataset.view().parts["test"]
    np.testing.assert_allclose(answers_of(twice.file, x), answers_of(once.file, x), rtol=2e-3, atol=1e-5)
    thrice = answers_of(scaled(twice.file, 4.0), x)
    np.testing.assert_allclose(thrice, answers_of(twice.file, x) / 4, rtol=1e-5, atol=1e-6)


def test_a_number_has_no_temperature():
    dataset, stage = trained("regression")
    with pytest.raises(KDError, match="is a number") as error:
        carried_out("scale_temperature", stage, work_of(dataset))
    assert error.value.code == "no_classes"
