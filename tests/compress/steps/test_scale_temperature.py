"""One number by which logits are divided: the file answers as before, only more or less sure."""

import dataclasses

import numpy as np
import pytest

from kd_core.compress.base import STEPS
from kd_core.compress.whole_numbers.network import answers_of
from kd_core.errors import KDError
from kd_core.evaluate.calibration import fitted_temperature
from kd_core.evaluate.latency import onnx_bytes
from tests.compress.test_learning import work_of
from tests.compress.whole_numbers.small import trained
from tests.distill.test_student import make_dataset


def scaled(stage, work):
    entry = STEPS.get("scale_temperature")
    return entry.make(entry.spec.parse({}), stage, work)


def test_logits_are_divided_by_the_temperature_of_the_validation_rows():
    dataset, stage = trained()
    made, x = scaled(stage, work_of(dataset)), dataset.view().parts["validation"]
    before, after = answers_of(onnx_bytes(stage.module, dataset.view().spec), x), answers_of(made.file, x)
    temperature = made.told[-1]["temperature"]
    assert temperature == fitted_temperature(before, dataset.validation.y) != 1
    np.testing.assert_allclose(after, before / temperature, rtol=1e-5, atol=1e-6)
    assert made.module is stage.module


def test_after_a_rounding_it_is_the_rounded_file_that_is_scaled_and_nothing_is_rounded_after_it():
    dataset, stage = trained()
    work, x, int8 = work_of(dataset), dataset.view().parts["validation"], STEPS.get("int8")
    rounded = int8.make(int8.spec.parse({}), stage, work)
    made = scaled(rounded, work)
    np.testing.assert_allclose(
        answers_of(made.file, x), answers_of(rounded.file, x) / made.told[-1]["temperature"], rtol=1e-5, atol=1e-6
    )
    assert "changed already" in int8.facts["suits"](scaled(stage, work), dataset.view().spec)


def test_a_number_has_no_temperature():
    dataset = make_dataset("regression")
    with pytest.raises(KDError, match="no temperature"):
        scaled(None, dataclasses.replace(work_of(dataset)))
