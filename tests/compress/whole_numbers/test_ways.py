"""Every architecture in whole numbers: the file runs, answers nearly the same, and says of each layer how it is kept."""

from __future__ import annotations

import collections

import numpy as np
import onnx
import pytest

from kd_core.compress.whole_numbers.calibration import ranges_of
from kd_core.compress.whole_numbers.folding import fold
from kd_core.compress.whole_numbers.network import Network, answers_of
from kd_core.compress.whole_numbers.ways import dynamic_file, static_file, static_ways, stored_file
from kd_core.data.input_spec import InputSpec
from kd_core.data.view import VIEWS
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.base import ARCHS
from tests.compress.whole_numbers.small import drawn

PIXELS = InputSpec("pixels", (1, 16, 16), "uint8", high=256)
TOKENS = InputSpec("tokens", (24,), "int32", high=300)
MULTIPLYING = [e.name for e in ARCHS.entries() if e.name != "trees"]


def inputs_of(name):
    return VIEWS.get(ARCHS.get(name).facts["takes"][0]).facts["example"]


def static(data, x, **ways):
    def watch(network, values):
        return ranges_of(network, values, x, "min_max")

    return static_file(data, static_ways(Network(data)) | ways, watch, True, True)


def operations(data):
    return collections.Counter(node.op_type for node in onnx.load_from_string(data).graph.node)


@pytest.mark.parametrize("name", MULTIPLYING)
def test_every_architecture_answers_nearly_the_same_in_whole_numbers(name):
    stage, x = drawn(name, inputs_of(name))
    data = onnx_bytes(stage.module, inputs_of(name))
    was = answers_of(data, x)
    for most, (made, told) in (
        (0.2, static(data, x)),
        (0.2, dynamic_file(data, True, True)),
        (0.6, stored_file(data, 4, 32)),
    ):
        now = answers_of(made, x)
        assert now.shape == was.shape and np.abs(now - was).mean() <= most * was.std()
        assert [one["layer"] for one in told] == [one.name for one in Network(data).layers()]
        assert len({one["layer"] for one in told}) == len(told)


def test_convolutions_take_over_what_stands_behind_them_and_answer_the_same():
    stage, x = drawn("cnn", PIXELS)
    data = onnx_bytes(stage.module, PIXELS)
    network = Network(data)
    fold(network, [one for one in network.layers() if one.kind == "convolution"])
    folded = network.bytes()
    assert operations(folded)["BatchNormalization"] == 1 < operations(data)["BatchNormalization"]
    was, now = answers_of(data, x), answers_of(folded, x)
    assert np.abs(was - now).max() <= 1e-4 * np.abs(was).max()


def test_a_normalisation_that_turns_signs_is_not_taken_over():
    stage, x = drawn("cnn", PIXELS)
    stage.module.stages[6].weight.data[3] *= -1
    data = onnx_bytes(stage.module, PIXELS)
    network = Network(data)
    fold(network, network.layers())
    folded = network.bytes()
    assert operations(folded)["BatchNormalization"] == 2
    was = answers_of(data, x)
    assert np.abs(was - answers_of(folded, x)).max() <= 1e-4 * np.abs(was).max()


def test_convolutions_over_few_bands_stay_and_the_others_are_bytes():
    stage, x = drawn("cnn", PIXELS)
    _, told = static(onnx_bytes(stage.module, PIXELS), x)
    assert [one["precision"] for one in told] == ["float", "int8", "int8", "int8"]


def test_an_embedding_is_looked_up_in_bytes_where_whole_numbers_read_it():
    stage, x = drawn("textcnn", TOKENS)
    made, told = static(onnx_bytes(stage.module, TOKENS), x)
    assert {one["precision"] for one in told} == {"int8"}
    assert (
        operations(made)["Cast"] == 0 and operations(made)["QuantizeLinear"] == 4
    )  # of three filters, and what the last layer reads
    model = onnx.load_from_string(made)
    assert [
        list(w.dims) for w in model.graph.initializer if w.data_type == onnx.TensorProto.UINT8 and len(w.dims) == 2
    ] == [[300, 24]]


def test_recurrent_layers_keep_their_weights_as_bytes_and_compute_as_before():
    stage, x = drawn("recurrent", TOKENS)
    data = onnx_bytes(stage.module, TOKENS)
    made, told = static(data, x)
    kinds = [(one["kind"], one["precision"]) for one in told]
    assert kinds == [
        ("embedding", "int8_weights"),
        ("recurrent", "int8_weights"),
        ("recurrent", "int8_weights"),
        ("linear", "int8"),
    ]
    assert len(made) < 0.45 * len(data) and operations(made)["GRU"] == 1


def test_convolutions_do_not_round_by_batch():
    stage, _ = drawn("cnn", PIXELS)
    made, told = dynamic_file(onnx_bytes(stage.module, PIXELS), True, True)
    assert operations(made)["ConvInteger"] == 0 and operations(made)["MatMulInteger"] == 1
    assert [one["precision"] for one in told] == ["float", "int8_weights", "int8_weights", "int8"]


def test_weights_that_are_kept_few_take_no_more_bytes_than_before():
    stage, _ = drawn("mlp", InputSpec("table", (6,)), 2, size="tiny")
    data = onnx_bytes(stage.module, InputSpec("table", (6,)))
    made, told = stored_file(data, 8, 0)
    assert {one["precision"] for one in told} == {"float"} and len(made) <= len(data)
