"""An ONNX file as a source: matched to a view by shape, asked about every row and about new ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from kd_core.data.input_spec import InputSpec
from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.view import Viewed, Views
from kd_core.errors import DataError
from kd_core.limits import ONNX_SECONDS
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources import onnx as source
from kd_core.teachers.sources.onnx import OnnxModel
from tests.teachers.tables import dataset

pytestmark = pytest.mark.slow

W = np.arange(8, dtype=np.float32).reshape(4, 2) - 3


def network(inputs=(None, 4), softmax=False, dtype=TensorProto.FLOAT, names=("x",), outputs=("logits",), width=2):
    """Rows times W, or constants for outputs that nobody wants."""
    kinds = [helper.make_tensor_value_info(name, dtype, list(inputs)) for name in names]
    nodes = [helper.make_node("MatMul", [names[0], "w"], ["z"])]
    nodes += [helper.make_node("Softmax" if softmax else "Identity", ["z"], [name]) for name in outputs]
    made = [helper.make_tensor_value_info(name, dtype, [None, width]) for name in outputs]
    weights = numpy_helper.from_array(W.astype(np.float32), "w")
    graph = helper.make_graph(nodes, "g", kinds, made, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def ask(root, file, data=None, **settings):
    kept = DataLibrary(root, UPLOADS).add(file, "teacher.onnx").source
    entry, data = SOURCES.get("onnx"), data or dataset("binary")
    question = Ask(data, "table", 5, 0, None, "", "cpu", print, lambda: False)
    return entry.make(entry.spec.parse({"path": kept, **settings}), question)


def test_it_answers_every_part_as_the_model_does(own_workspace):
    data = dataset("binary")
    found = ask(own_workspace, network(), data)
    for split, x in data.view().parts.items():
        np.testing.assert_allclose(found.logits[split], x @ W, rtol=1e-5, atol=1e-6)
    assert (found.num_parameters, found.folds) == (8, 0) and found.size_bytes == len(network())
    assert found.latency_ms["onnxruntime"]["32"]["p95"] > 0
    said = [note["message"] for note in found.notes]
    assert (
        "reads the table view (float32 [rows, 4]); its output 'logits' is taken for the classes in the order no, yes"
        in said[0]
    )
    assert "read as logits" in said[1] and "has seen the training or test rows is not known" in said[2]


def test_probabilities_are_told_by_their_sum(own_workspace):
    found = ask(own_workspace, network(softmax=True))
    np.testing.assert_allclose(np.exp(found.logits["test"]).sum(1), 1, atol=1e-5)
    assert "read as probabilities" in found.notes[1]["message"]


def test_it_can_be_asked_about_new_rows_saved_and_opened(own_workspace, tmp_path):
    data = dataset("binary")

    class Plain:
        types = (0, 1, 2, 3)

        def read(self, rows):
            return rows.to_numpy(np.float32), ()

    viewed = data.view()
    data.views._made["table"] = Viewed(viewed.spec, viewed.parts, Plain())
    live = ask(own_workspace, network(), data).live
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(7, 4)))
    live.save(tmp_path)
    for one in (live, OnnxModel.load(tmp_path, data)):
        np.testing.assert_allclose(one.ask(rows), rows.to_numpy(np.float32) @ W, rtol=1e-5, atol=1e-6)


def test_the_output_with_answers_is_taken(own_workspace):
    found = ask(own_workspace, network(outputs=("hidden", "probabilities", "my_logits")))
    assert "its output 'my_logits'" in found.notes[0]["message"]


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        (
            network(inputs=(None, 7)),
            "onnx_input",
            r"reads 'x' float32 \[rows, 7\]; rows of this dataset can be read as table float32 \[rows, 4\]\. Export",
        ),
        (network(inputs=(None, 4), dtype=TensorProto.INT64), "onnx_input", r"reads 'x' int64 \[rows, 4\]"),
        (network(names=("x", "more")), "onnx_input", r"reads 'x' float32 \[rows, 4\] and 'more' float32 \[rows, 4\]"),
        (
            network(width=5),
            "onnx_output",
            r"No output of the ONNX file holds 2 numbers a row; found: 'logits' float32 \[rows, 5\]\. Export one with",
        ),
    ],
)
def test_what_does_not_fit_says_expected_and_found(own_workspace, file, code, words):
    with pytest.raises(DataError, match=words) as error:
        ask(own_workspace, file)
    assert error.value.code == code


def test_no_file_is_said(own_workspace):
    entry = SOURCES.get("onnx")
    with pytest.raises(DataError, match=r"No ONNX file is chosen\. Upload one"):
        entry.make(entry.spec(), Ask(dataset("binary"), "table", 5, 0, None, "", "cpu", print, lambda: False))


def test_no_number_is_no_answer(own_workspace):
    data = dataset("binary")
    parts = {split: np.where(np.arange(4) == 1, np.nan, x) for split, x in data.view().parts.items()}
    data.views._made["table"] = replace(data.view(), parts=parts)
    with pytest.raises(DataError, match=r"answers some rows with no number\. Check the model"):
        ask(own_workspace, network(), data)


def test_a_child_that_was_stopped_says_what_can_be_done(own_workspace, monkeypatch):
    asked = []

    def slow(function, *arguments, seconds):
        asked.append(seconds)
        raise DataError("Reading the file takes more than 1 s.", "Wait.", "parse_time")

    monkeypatch.setattr(source.sandbox, "call", slow)
    with pytest.raises(DataError, match=r"was stopped in its child process: Reading .+ 1 s\. Use a smaller model"):
        ask(own_workspace, network())
    assert asked == [ONNX_SECONDS]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("pixels", "dtype"), [("0_to_1", "float"), ("0_to_255", "float"), ("0_to_1", "bytes")])
def test_pictures_are_read_with_bands_first_or_last_and_as_fractions_or_not(own_workspace, last, pixels, dtype):
    rng = np.random.default_rng(0)
    data, shape = dataset("binary"), (2, 3, 4)
    x_of = {split: rng.integers(0, 256, (len(part), *shape), np.uint8) for split, part in data.parts.items()}
    viewed = Viewed(InputSpec("pixels", shape, "uint8", high=256), x_of)
    data = replace(data, views=Views({"pixels": lambda: viewed}))
    w = rng.normal(size=(24, 2)).astype(np.float32)
    kind = TensorProto.FLOAT if dtype == "float" else TensorProto.UINT8
    taken = [None, *shape[1:], shape[0]] if last else [None, *shape]
    nodes = [
        helper.make_node("Cast", ["x"], ["n"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["n"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["logits"]),
    ]
    ends = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None, 2])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, taken)], ends, [numpy_helper.from_array(w, "w")]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    found = ask(own_workspace, made, data, pixels=pixels)
    factor = 1 / 255 if (pixels, dtype) == ("0_to_1", "float") else 1
    for split, x in x_of.items():
        rows = np.moveaxis(x, 1, -1) if last else x
        np.testing.assert_allclose(found.logits[split], rows.reshape(len(x), -1) * factor @ w, rtol=1e-4, atol=1e-4)
    assert "reads the pixels view" in found.notes[0]["message"]
