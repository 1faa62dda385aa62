"""Steps that round without rows: by batch, in blocks of 4 bits, and to 16 bits where there is something to round."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from kd_core.compress.base import STEPS, Stage
from kd_core.compress.steps import fp16
from kd_core.compress.whole_numbers.network import answers_of
from kd_core.data.input_spec import TERM, InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export import raw_model
from kd_core.models.building import build_for, deployed_state
from kd_core.specs import Choice
from tests.compress.steps.test_int8 import carried_out, kinds
from tests.compress.test_learning import work_of
from tests.compress.whole_numbers.small import drawn, trained
from tests.distill.test_student import make_dataset


@pytest.mark.parametrize("scheme", ["channel", "tensor"])
def test_dynamic_numbers_have_no_ranges_and_answer_nearly_the_same(scheme):
    dataset, stage = trained()
    before, x = onnx_bytes(stage.module, dataset.view().spec), dataset.view().parts["validation"]
    made = carried_out("int8_dynamic", stage, work_of(dataset), scheme=scheme)
    model = onnx.load_from_string(made.file)
    assert [n.op_type for n in model.graph.node].count("MatMulInteger") == 3 and kinds(made.file)["INT8"] == 3
    assert len(made.file) < len(before) / 2
    was, now = answers_of(before, x), answers_of(made.file, x)
    assert 0 < np.abs(was - now).max() <= 0.05 * np.abs(was).max()


def test_four_bits_take_half_the_bytes_of_eight_and_round_by_half_a_step_at_most():
    dataset, stage = trained()
    before, x = onnx_bytes(stage.module, dataset.view().spec), dataset.view().parts["validation"]
    made = carried_out("int4", stage, work_of(dataset), block=16)
    assert kinds(made.file)["INT4"] >= 1 and made.told[-1]["block"] == 16
    weight = stage.module.body[2].weight.detach().numpy()
    model = onnx.load_from_string(made.file)
    (whole,) = [
        w for w in model.graph.initializer if w.data_type == onnx.TensorProto.INT4 and np.prod(w.dims) == weight.size
    ]
    assert len(whole.raw_data) == weight.size // 2 or len(whole.int32_data) <= weight.size // 2
    found = {one["layer"]: one["precision"] for one in made.told[-1]["layers"]}
    assert found["body.2"] == "int4_weights"
    was, now = answers_of(before, x), answers_of(made.file, x)
    assert 0 < np.abs(was - now).max() <= 0.5 * np.abs(was).max()


def test_sixteen_bits_are_refused_where_the_file_has_them_already():
    dataset, stage = trained()
    with torch.no_grad():
        module = build_for(dataset, stage.arch)
        module.load_state_dict(deployed_state(dataset, stage.arch, stage.module.state_dict()))
    short = Stage(stage.arch, module.eval())
    assert "change nothing" in STEPS.get("fp16").facts["suits"](short, dataset.view().spec)
    with pytest.raises(KDError, match="change nothing") as error:
        carried_out("fp16", short, work_of(dataset))
    assert error.value.code == "compress_unsuited"
    assert fp16.FEW == raw_model.FEW


def test_sixteen_bits_round_what_is_wider():
    dataset, stage = trained()
    before, x = onnx_bytes(stage.module, dataset.view().spec), dataset.view().parts["validation"]
    made = carried_out("fp16", stage, work_of(dataset))
    assert kinds(made.file)["FLOAT16"] >= 3 and len(made.file) < 0.7 * len(before)
    was, now = answers_of(before, x), answers_of(made.file, x)
    assert 0 < np.abs(was - now).max() <= 2e-3 * np.abs(was).max()


@pytest.mark.parametrize("name", ["int8_dynamic", "int4"])
def test_a_network_without_weights_worth_it_is_refused(name):
    dataset = make_dataset()
    arch = Choice(name="linear")
    stage = Stage(arch, build_for(dataset, arch).eval())
    if name == "int8_dynamic":
        assert carried_out(name, stage, work_of(dataset)).file  # told bigger by whoever deploys it
        return
    with pytest.raises(KDError, match="fewer bytes") as error:
        carried_out(name, stage, work_of(dataset))
    assert error.value.code == "compress_unsuited"


def test_vectors_that_are_bytes_already_do_not_grow_to_sixteen_bits():
    inputs = InputSpec("ngrams", (20,), "int32", high=301 * TERM)
    stage, x = drawn("bag", inputs, size="tiny")
    stage.module.shorten(x)
    assert "change nothing" in STEPS.get("fp16").facts["suits"](stage, inputs)
