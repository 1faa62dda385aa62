"""An uploaded ONNX file in its child process: described, asked, or refused in words."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from kd_core.data import onnx_file
from kd_core.data.files import sandbox
from kd_core.errors import DataError

pytestmark = pytest.mark.slow


def model(nodes=None, inputs=(None, 4), outputs=(None, 2), more=(), **graph):
    """A linear model of 4 numbers, or other operations."""
    weights = numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(4, 2), "w")
    made = helper.make_graph(
        nodes or [helper.make_node("MatMul", ["x", "w"], ["logits"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(inputs))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, list(outputs))],
        [weights, *more],
        **graph,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.fixture
def saved(tmp_path):
    def save(made):
        path = tmp_path / "m.onnx"
        path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
        return str(path)

    return save


def test_it_is_described(saved):
    found = onnx_file.describe(saved(model(inputs=("rows", 4))))
    assert found == {
        "inputs": [{"name": "x", "dtype": "float32", "shape": [None, 4]}],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [None, 2]}],
        "parameters": 8,
    }


@pytest.mark.parametrize("batch", [None, 3])
def test_it_answers_in_the_child_in_any_number_of_rows(saved, tmp_path, batch):
    x = np.random.default_rng(0).normal(size=(1030, 4)).astype(np.float32)
    np.save(tmp_path / "p.npy", x)
    path = saved(model(inputs=(batch, 4), outputs=(batch, 2)))
    found = sandbox.call("kd_core.data.onnx_file:answer", path, "x", "logits", "float32", batch, [str(tmp_path / "p")])
    np.testing.assert_allclose(np.load(tmp_path / "p.answer.npy"), x @ np.arange(8).reshape(4, 2), rtol=1e-5)
    assert sorted(found) == (["1", "256", "32"] if batch is None else ["3"]) and found[min(found)]["p50"] > 0


def external():
    made = model()
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL
    made.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    return made


def external_inside():
    """The same, hidden in a branch."""
    tensor = numpy_helper.from_array(np.ones((1, 2), np.float32), "hidden")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    out = helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 2])
    branch = helper.make_graph([helper.make_node("Constant", [], ["b"], value=tensor)], "b", [], [out])
    other = helper.make_graph(
        [helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(np.ones((1, 2), np.float32)))],
        "c",
        [],
        [out],
    )
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return model([helper.make_node("If", ["yes"], ["logits"], then_branch=branch, else_branch=other)], more=[yes])


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (
            lambda: b"not onnx at all",
            "onnx_damaged",
            r"This is no ONNX file that can be used: .+\. Export the model again",
        ),
        (lambda: b"", "onnx_damaged", r"it has no operations"),
        (
            external,
            "onnx_external",
            r"keeps its weights in another file \(w\), which is not read\. Save it as one file",
        ),
        (external_inside, "onnx_external", r"another file \(hidden\)"),
        (
            lambda: model([helper.make_node("Shell", ["x"], ["logits"], domain="evil.ops")]),
            "onnx_custom",
            r"needs the operation Shell of 'evil\.ops', which is not part of ONNX",
        ),
        (
            lambda: model([helper.make_node("MatMul", ["nobody", "w"], ["logits"])]),
            "onnx_damaged",
            r"no ONNX file that can be used",
        ),
    ],
)
def test_what_is_not_one_plain_file_is_refused(saved, make, code, words):
    path = saved(make())
    for call in (
        lambda: onnx_file.describe(path),
        lambda: onnx_file.answer(path, "x", "logits", "float32", None, [path]),
    ):
        with pytest.raises(DataError, match=words) as error:
            call()
        assert error.value.code == code


def test_too_many_bytes_are_not_even_read(saved, monkeypatch):
    monkeypatch.setattr(onnx_file, "FILE_BYTES", 100)
    with pytest.raises(DataError, match=r"has more than 0 MB\. Use a smaller model"):
        onnx_file.describe(saved(model()))


def test_rows_that_it_can_not_answer_are_said(saved, tmp_path):
    np.save(tmp_path / "p.npy", np.zeros((3, 5), np.float32))
    arguments = (saved(model()), "x", "logits", "float32", None, [str(tmp_path / "p")])
    with pytest.raises(DataError, match=r"can't answer these rows: .+ Check that it was made for rows"):
        sandbox.call("kd_core.data.onnx_file:answer", *arguments)


def test_one_that_takes_all_memory_ends_in_the_child(saved, tmp_path):
    huge = numpy_helper.from_array(np.array([2**16, 2**20], dtype=np.int64), "size")
    made = model(
        [
            helper.make_node("ConstantOfShape", ["size"], ["big"]),
            helper.make_node("ReduceSum", ["big"], ["s"]),
            helper.make_node("Add", ["s", "x"], ["logits"]),
        ],
        more=[huge],
    )
    np.save(tmp_path / "p.npy", np.zeros((3, 4), np.float32))
    with pytest.raises(DataError) as error:
        sandbox.call(
            "kd_core.data.onnx_file:answer", saved(made), "x", "logits", "float32", None, [str(tmp_path / "p")]
        )
    assert error.value.code in ("parse_memory", "onnx_run")
