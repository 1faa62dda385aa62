import numpy as np
import onnx
from onnx import TensorProto, helper

from kd_core.data.onnx_file import open_session
from kd_core.export.onnx_writing import without_defaults, written


def small_model():
    look_up = helper.make_node(
        "LabelEncoder",
        ["t"],
        ["n"],
        domain="ai.onnx.ml",
        keys_strings=["a", "b", "c", "d"],
        values_int64s=[300, -1, 0, 2**40],
        default_int64=-1,
    )
    other = helper.make_node(
        "LabelEncoder",
        ["t"],
        ["f"],
        domain="ai.onnx.ml",
        keys_strings=["a", "b", "c"],
        values_floats=[0.5, -2.0, 1e-30],
        default_float=7.0,
    )
    inputs = [helper.make_tensor_value_info("t", TensorProto.STRING, ["rows", 1])]
    outputs = [
        helper.make_tensor_value_info(n, k, ["rows", 1])
        for n, k in (("n", TensorProto.INT64), ("f", TensorProto.FLOAT))
    ]
    graph = helper.make_graph([look_up, other], "g", inputs, outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 4)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def test_fewer_bytes_are_the_same_model():
    model = small_model()
    data = written(model)
    assert onnx.load_from_string(data) == model
    assert len(data) < len(model.SerializeToString())
    found = open_session(data).run(None, {"t": np.array([["a"], ["b"], ["d"], ["?"]], dtype=object)})
    assert found[0].ravel().tolist() == [300, -1, 2**40, -1] and found[1].ravel().tolist() == [0.5, -2.0, 7.0, 7.0]


def test_what_goes_without_saying_is_left_out():
    model = small_model()
    without_defaults(model)
    names = [[a.name for a in node.attribute] for node in model.graph.node]
    assert [sorted(own) for own in names] == [
        ["keys_strings", "values_int64s"],
        ["default_float", "keys_strings", "values_floats"],
    ]
    softmax = helper.make_node("Softmax", ["x"], ["y"], axis=1)
    gemm = helper.make_node("Gemm", ["x", "w"], ["z"], alpha=1.0, beta=2.0, transB=1)
    both = helper.make_model(
        helper.make_graph([softmax, gemm], "g", [], []), opset_imports=[helper.make_opsetid("", 12)]
    )
    without_defaults(both)
    # by the version that the model asks for: before 13 the axis was 1 by default
    assert not both.graph.node[0].attribute and [a.name for a in both.graph.node[1].attribute] == ["beta", "transB"]
