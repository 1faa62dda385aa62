"""Learning in whole numbers: its ranges stand in the file, and it makes up for what rounding costs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from kd_core.compress.whole_numbers.network import answers_of
from kd_core.compress.whole_numbers.rounding import NARROW, steps_of
from kd_core.data.view import Views
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.building import build_for
from kd_core.specs import TrainingSpec
from tests.compress.steps.test_int8 import carried_out, kinds
from tests.compress.test_learning import work_of
from tests.compress.whole_numbers.small import one_layer_matters, trained


@pytest.mark.parametrize("scheme", ["channel", "tensor"])
def test_the_file_holds_just_what_was_learned(scheme):
    dataset, stage = trained()
    made = carried_out("qat", stage, work_of(dataset), scheme=scheme, epochs=0.5)
    assert kinds(made.file)["INT8"] >= 3 and made.told[-1]["learned"] == 3
    assert list(made.module.state_dict()) == list(stage.module.state_dict())
    build_for(dataset, stage.arch).load_state_dict(made.module.state_dict())
    for layer, before in ((made.module.body[2], stage.module.body[2]), (made.module.head, stage.module.head)):
        weight = layer.weight.detach().numpy()
        steps = steps_of(weight, (0,) if scheme == "channel" else (), NARROW)
        whole = weight / steps
        assert np.abs(whole - np.rint(whole)).max() < 1e-4 and not torch.equal(layer.weight, before.weight)
    x = dataset.view().parts["validation"]
    was, now = answers_of(onnx_bytes(made.module, dataset.view().spec), x), answers_of(made.file, x)
    assert 0 < np.abs(was - now).max() <= 0.1 * np.abs(was).max()


def step_of_rows(data):
    """Return the step in which a file reads its rows."""
    graph = onnx.load_from_string(data).graph
    (name,) = [node.input[1] for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "x"]
    return next(float(numpy_helper.to_array(w)) for w in graph.initializer if w.name == name)


def test_ranges_are_those_of_learning_and_not_of_all_rows():
    """The rows are the same, but what is learned goes towards what single batches show, which is less."""
    dataset, stage = trained()
    made, plain = (step_of_rows(carried_out(n, stage, work_of(dataset)).file) for n in ("qat", "int8"))
    assert 0.5 * plain < made < 0.995 * plain


@pytest.mark.slow
def test_it_beats_rounding_alone_where_rounding_is_hard():
    """One weight that meets nothing but 0 is so large that those that decide are less than half a step of the layer."""
    dataset, stage = one_layer_matters()
    parts = {split: np.concatenate([x[:, :4], 0 * x[:, 4:]], axis=1) for split, x in dataset.view().parts.items()}
    dataset = type(dataset)(**(vars(dataset) | {"views": Views.of_table(parts)}))
    with torch.no_grad():
        stage.module.body[0].weight[0, 0], stage.module.body[0].weight[1, 0] = 0.4, -0.4
        stage.module.body[0].bias[:2] = 2.0  # nothing is silent, so that they can grow
        stage.module.body[0].weight[2, 4] = 60.0
    y, x = dataset.validation.y, dataset.view().parts["validation"]
    work = work_of(dataset, training=TrainingSpec(epochs=30, batch_size=32))
    before = onnx_bytes(stage.module, dataset.view().spec)
    plain = carried_out("int8", stage, work, scheme="tensor").file
    taught = carried_out("qat", stage, work, scheme="tensor", epochs=1.0, rate=1.0).file
    right = [(answers_of(one, x).argmax(1) == y).mean() for one in (before, plain, taught)]
    assert right[0] > 0.7 > right[1] + 0.1 and right[2] >= right[0] - 0.02, right


def test_weights_that_are_nothing_stay_nothing():
    dataset, stage = trained()
    module = build_for(dataset, stage.arch)
    module.load_state_dict(stage.module.state_dict())
    with torch.no_grad():
        module.body[2].weight[:, ::2] = 0
    made = carried_out("qat", type(stage)(stage.arch, module.eval()), work_of(dataset))
    assert not made.module.body[2].weight[:, ::2].any() and made.module.body[2].weight[:, 1::2].any()
