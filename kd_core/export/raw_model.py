"""A student as one ONNX file: the columns of a raw row in, the answer out.

The encoding is part of the graph wherever operations can do it. What a program must know to use the file stands inside:
columns and how they are read, classes, target, and what free text needs to be encoded.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kd_core.data.encoding.raw_graph import OPSETS, RawGraph
from kd_core.data.encoding.saved import pack
from kd_core.data.encoding.text_block import TextBlock
from kd_core.data.types.raw_rows import write_rules
from kd_core.data.view import View
from kd_core.specs import ReadSpec
from kd_core.task import Task

FACTS = "kd_workbench"  # the name under which the file tells about itself
_X = "x"  # the encoded rows, as networks are exported


@dataclass(frozen=True)
class Purpose:
    """What a model is for: its task, its target with the scale it was learned in, its classes, and how its file was read."""

    task: Task
    target: str
    classes: tuple[str, ...]
    mean: float
    std: float
    read: ReadSpec

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        scale = {"mean": self.mean, "std": self.std}
        named = {"task": self.task.name, "target": self.target, "classes": list(self.classes)}
        return {**named, **scale, "read": self.read.model_dump(mode="json")}


def raw_model(network: bytes, view: View, purpose: Purpose) -> bytes:
    """Put a view and the answer around a network; a view that is no graph stays outside, and the file takes encoded rows.

    Shape: one (N, 1) input per column -> `answer`: probabilities (N, C), or values (N, 1) in the target's unit.
    """
    model = onnx.load_from_string(network)
    drawn = view.graph() or _taken(model)
    rows = drawn.finish()
    _renamed(model.graph, rows)
    _without_unused(model.graph)
    graph = model.graph
    logits = graph.output[0].name
    answer = _answer_name(drawn)
    last, weights = _answer(logits, answer, purpose)
    kind = onnx.TensorProto.FLOAT if purpose.task.has_classes else onnx.TensorProto.DOUBLE
    width = len(purpose.classes) if purpose.task.has_classes else 1
    output = helper.make_tensor_value_info(answer, kind, ["rows", width])
    nodes = [*drawn.nodes, *graph.node, *last]
    joined = helper.make_graph(nodes, "kd", drawn.inputs, [output], [*drawn.weights, *graph.initializer, *weights])
    opsets = OPSETS | {o.domain: o.version for o in model.opset_import}
    made = helper.make_model(
        joined,
        opset_imports=[helper.make_opsetid(*one) for one in opsets.items()],
        ir_version=model.ir_version,
        producer_name="kd-workbench",
    )
    helper.set_model_props(made, {FACTS: json.dumps(_facts(view, purpose), ensure_ascii=False)})
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def _facts(view: View, purpose: Purpose) -> dict[str, Any]:
    texts = {name: vars(block) for name, block in getattr(view, "blocks", {}).items() if isinstance(block, TextBlock)}
    state = {name: base64.b64encode(data).decode() for name, data in pack("texts", texts).items()} if texts else {}
    return {"schema": 1, **purpose.told(), "columns": json.loads(write_rules(view.types)), "texts": state}


def _taken(model: onnx.ModelProto) -> RawGraph:
    """Take rows that are encoded outside, as the network does."""
    return _Encoded(model.graph.input[0])


class _Encoded(RawGraph):
    """No operations before the network."""

    def __init__(self, source: onnx.ValueInfoProto) -> None:
        super().__init__()
        self.inputs = [source]

    def finish(self) -> str:
        return _X


def _answer_name(drawn: RawGraph) -> str:
    name = "answer"
    while name in {one.name for one in drawn.inputs}:
        name += "_"
    return name


def _answer(logits: str, answer: str, purpose: Purpose) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    if purpose.task.has_classes:
        return [helper.make_node("Softmax", [logits], [answer], axis=1)], []
    weights = [
        numpy_helper.from_array(np.array(v, np.float64), f"/{n}")
        for n, v in (("std", purpose.std), ("mean", purpose.mean))
    ]
    steps = [
        helper.make_node("Cast", [logits], ["/double"], to=onnx.TensorProto.DOUBLE),
        helper.make_node("Mul", ["/double", "/std"], ["/spread"]),
        helper.make_node("Add", ["/spread", "/mean"], [answer]),
    ]
    return steps, weights


def _renamed(graph: onnx.GraphProto, rows: str) -> None:
    """Give every value of a network a short name: a file's names would take as many bytes as a small student's weights."""
    short: dict[str, str] = {_X: rows, "": ""}

    def of(name: str) -> str:
        return short.setdefault(name, f"//{len(short)}")

    for weight in graph.initializer:
        weight.name = of(weight.name)
    for node in graph.node:
        node.name = ""
        node.input[:] = [of(name) for name in node.input]
        node.output[:] = [of(name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                raise NotImplementedError("a network with a branch inside")
    for output in graph.output:
        output.name = of(output.name)


def _without_unused(graph: onnx.GraphProto) -> None:
    """Turn constants into weights, so that both are counted and stored alike."""
    constants = [node for node in graph.node if node.op_type == "Constant" and node.attribute[0].name == "value"]
    for node in constants:
        weight = graph.initializer.add()
        weight.CopyFrom(node.attribute[0].t)
        weight.name = node.output[0]
        graph.node.remove(node)
