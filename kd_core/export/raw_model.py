"""A student as one ONNX file: the columns of a raw row in, the answer out.

The encoding is part of the graph wherever operations can do it; where they can't (texts, pictures), the fitted view lies in the
file's metadata. What a program must know to use the file stands inside: columns, classes, target, and what free text needs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kd_core.data.encoding.raw_graph import OPSETS, RawGraph
from kd_core.data.encoding.saved import pack
from kd_core.data.plain.history import with_catalogue, without_catalogue
from kd_core.data.plain.questions import CLASSES, FIRST, LABELS, NUMBER, Question
from kd_core.data.types.raw_rows import write_rules
from kd_core.data.view import View
from kd_core.export.carried_view import carried
from kd_core.export.onnx_writing import without_defaults, written
from kd_core.export.purpose import Purpose

if TYPE_CHECKING:
    from kd_core.data.encoding.text_block import TextBlock

FACTS = "kd_workbench"  # the name under which the file tells about itself
DRAWN, CARRYING = 1, 2  # schemas: the graph takes raw columns, or what the view in the metadata reads
IR_VERSION = 9
_CARRIED = (
    f"x: rows as a view reads them. The metadata '{FACTS}' is JSON: columns, how cells are read; view.kind and view.zip, base64 of a zip "
    "of what the view learned; task, target, classes. answer: each class's probability, or the target."
)
_SHARES = {CLASSES: "Softmax", LABELS: "Sigmoid"}
FEW = 32  # numbers that are not worth an operation
_X = "x"  # the encoded rows, as networks are exported


def raw_model(network: bytes, view: View, purpose: Purpose) -> bytes:
    """Put a view and the answer around a network.

    Shape: one (N, 1) input per column, or `x` as the view in the metadata reads rows -> `answer` (N, W): shares of classes or labels, the
    likeliest of a catalogue with their shares, or a value in the target's unit; of several targets all of theirs side by side.
    """
    drawn = view.graph()
    if drawn is None:
        return _carrying(network, view, purpose)
    model = onnx.load_from_string(network)
    _with_weights(model.graph)
    _renamed(model.graph, drawn.finish(_turned(model.graph)), drawn)
    return _finished(model, drawn, drawn.inputs, purpose, _facts(view, purpose))


def _carrying(network: bytes, view: View, purpose: Purpose) -> bytes:
    """Leave the rows to the view, which stands in the metadata as the files that it learned."""
    model = onnx.load_from_string(network)
    names = RawGraph([one.name for one in model.graph.input])
    _with_weights(model.graph)
    _renamed(model.graph, _X, names)
    told = _facts(view, purpose) | {"schema": CARRYING, "view": carried(view)}
    model.doc_string = _CARRIED
    return _finished(model, names, list(model.graph.input), purpose, told)


def _finished(
    model: onnx.ModelProto, drawn: RawGraph, inputs: list[onnx.ValueInfoProto], purpose: Purpose, facts: dict[str, Any]
) -> bytes:
    """Add the answer and the facts to a network that takes what is drawn, and write it in few bytes."""
    graph = model.graph
    logits = graph.output[0].name
    answer = _answer_name(inputs)
    last, weights = _answer(logits, answer, purpose, drawn)
    shares = len(purpose.questions.every) == 1 and purpose.questions.every[0].kind != NUMBER
    kind = onnx.TensorProto.FLOAT if shares else onnx.TensorProto.DOUBLE
    output = helper.make_tensor_value_info(answer, kind, ["rows", purpose.questions.width])
    nodes, weights = [*drawn.nodes, *graph.node, *last], [*drawn.weights, *graph.initializer, *weights]
    nodes = [*_packed(weights, nodes, drawn), *nodes]
    joined = helper.make_graph(nodes, "kd", inputs, [output], weights)
    made = _model(joined, {o.domain: o.version for o in model.opset_import}, model.ir_version)
    if model.doc_string:  # an empty one would take bytes
        made.doc_string = model.doc_string
    without_defaults(made)
    helper.set_model_props(made, {FACTS: json.dumps(facts, ensure_ascii=False, separators=(",", ":"))})
    onnx.checker.check_model(made)
    return written(made)


def front(view: View) -> bytes | None:
    """Write a view alone: raw columns in, `x` out, as a model that is no graph reads it. None where operations can't."""
    drawn = view.graph()
    if drawn is None:
        return None
    last = helper.make_node("Identity", [drawn.finish()], [_answer_name(drawn.inputs)])
    output = helper.make_tensor_value_info(last.output[0], onnx.TensorProto.FLOAT, ["rows", *view.spec.shape])
    graph = helper.make_graph([*drawn.nodes, last], "kd", drawn.inputs, [output], drawn.weights)
    return bytes(_model(graph, {}, IR_VERSION).SerializeToString())


def _model(graph: onnx.GraphProto, opsets: dict[str, int], ir_version: int) -> onnx.ModelProto:
    every = [helper.make_opsetid(*one) for one in (OPSETS | opsets).items()]
    return helper.make_model(graph, opset_imports=every, ir_version=ir_version, producer_name="kd-workbench")


def _facts(view: View, purpose: Purpose) -> dict[str, Any]:
    texts = {name: vars(block) for name, block in text_blocks(view).items()}
    state = {name: base64.b64encode(data).decode() for name, data in pack("texts", texts).items()} if texts else {}
    told, columns = purpose.told(), json.loads(write_rules(view.types))
    told["read"] = {name: value for name, value in told["read"].items() if value is not None}
    short = {name: {k: v for k, v in one.items() if (k, v) != ("kind", "number")} for name, one in columns.items()}
    return {"schema": DRAWN, **told, "columns": without_catalogue(short, told["classes"]), "texts": state}


def text_blocks(view: View) -> dict[str, TextBlock]:
    """Return the encodings of free text, which are no operations, by column."""
    return {n: block for n, block in getattr(view, "blocks", {}).items() if view.types[n].kind == "text"}


def facts_of(model: Mapping[str, str]) -> dict[str, Any]:
    """Read what a file tells about itself, from its metadata. Errors: KeyError, ValueError for a file of another kind."""
    told: dict[str, Any] = json.loads(model[FACTS])
    if told["schema"] not in (DRAWN, CARRYING):
        raise ValueError(f"schema {told['schema']}")
    return {**told, "columns": with_catalogue(told["columns"], told["classes"])}


def _answer_name(inputs: Iterable[onnx.ValueInfoProto]) -> str:
    name = "answer"
    while name in {one.name for one in inputs}:
        name += "_"
    return name


def _answer(
    logits: str, answer: str, purpose: Purpose, drawn: RawGraph
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    every = purpose.questions.every
    if len(every) == 1:
        if every[0].kind == FIRST:
            return _first(logits, answer, every[0], drawn)
        if (shares := _SHARES.get(every[0].kind)) is not None:
            return [helper.make_node(shares, [logits], [answer])], []
        return _number(logits, answer, purpose.scale(0), drawn)
    sizes = drawn.new()
    weights = [numpy_helper.from_array(np.array([one.end - one.start for one in every], np.int64), sizes)]
    apart, joined = [drawn.new() for _ in every], [drawn.new() for _ in every]
    steps = [helper.make_node("Split", [logits, sizes], apart, axis=1)]
    for at, one in enumerate(every):
        if (shares := _SHARES.get(one.kind)) is None:
            more, numbers = _number(apart[at], joined[at], purpose.scale(at), drawn)
            steps, weights = steps + more, weights + numbers
        else:
            between = drawn.new()
            steps.append(helper.make_node(shares, [apart[at]], [between]))
            steps.append(helper.make_node("Cast", [between], [joined[at]], to=onnx.TensorProto.DOUBLE))
    return [*steps, helper.make_node("Concat", joined, [answer], axis=1)], weights


def _first(
    logits: str, answer: str, one: Question, drawn: RawGraph
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Take the likeliest classes: their places, and then their shares."""
    shares, count, best, places, numbers = (drawn.new() for _ in range(5))
    steps = [
        helper.make_node("Softmax", [logits], [shares]),
        helper.make_node("TopK", [shares, count], [best, places]),
        helper.make_node("Cast", [places], [numbers], to=onnx.TensorProto.FLOAT),
        helper.make_node("Concat", [numbers, best], [answer], axis=1),
    ]
    return steps, [numpy_helper.from_array(np.array([(one.end - one.start) // 2], np.int64), count)]


def _number(
    logits: str, answer: str, scale: tuple[float, float], drawn: RawGraph
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Bring a scaled number into its unit."""
    std, mean, double, spread = (drawn.new() for _ in range(4))
    weights = [numpy_helper.from_array(np.array(v, np.float64), n) for n, v in ((std, scale[1]), (mean, scale[0]))]
    steps = [
        helper.make_node("Cast", [logits], [double], to=onnx.TensorProto.DOUBLE),
        helper.make_node("Mul", [double, std], [spread]),
        helper.make_node("Add", [spread, mean], [answer]),
    ]
    return steps, weights


def _renamed(graph: onnx.GraphProto, x: str, drawn: RawGraph) -> None:
    """Give every value of a network that takes `x` a name of the same graph."""
    short: dict[str, str] = {_X: x, "": ""}

    def of(name: str) -> str:
        if name not in short:
            short[name] = drawn.new()
        return short[name]

    for weight in graph.initializer:
        weight.name = of(weight.name)
    for node in graph.node:
        node.name = ""
        node.input[:] = [of(name) for name in node.input]
        node.output[:] = [of(name) for name in node.output]
    for output in graph.output:
        output.name = of(output.name)


def _turned(graph: onnx.GraphProto) -> bool:
    """Let a network take its rows upright, `x` (F, N), where that is no operation more; say whether it does."""
    readers = [node for node in graph.node if _X in node.input]
    if len(readers) != 1 or any(output.name == _X for output in graph.output):
        return False
    (first,) = readers
    if first.op_type == "Gemm" and first.input[0] == _X and not any(a.name == "transA" for a in first.attribute):
        first.attribute.append(helper.make_attribute("transA", 1))
        return True
    if first.op_type == "Transpose":
        (old,) = first.output
        for node in graph.node:
            node.input[:] = [_X if name == old else name for name in node.input]
        graph.node.remove(first)
        return True
    return False


def _with_weights(graph: onnx.GraphProto) -> None:
    """Turn constants into weights, which are shorter to write."""
    constants = [node for node in graph.node if node.op_type == "Constant" and node.attribute[0].name == "value"]
    for node in constants:
        weight = graph.initializer.add()
        weight.CopyFrom(node.attribute[0].t)
        weight.name = node.output[0]
        graph.node.remove(node)


def _bytes(
    weight: onnx.TensorProto, values: Any, drawn: RawGraph
) -> tuple[onnx.TensorProto, list[onnx.NodeProto]] | None:
    """Store vectors as bytes with a step each, the step being a weight that is returned; None where that is not the same numbers."""
    from kd_core.models.short_numbers import (
        from_bytes,
        in_bytes,
    )  # brings torch along, which reading a file does without

    if values.dtype != np.float32 or values.ndim != 2:
        return None
    numbers, steps = in_bytes(values)
    if not np.isfinite(steps).all() or not np.array_equal(from_bytes(numbers, steps), values):
        return None
    name, bare, wide, short, step = weight.name, *(drawn.new() for _ in range(4))
    weight.CopyFrom(numpy_helper.from_array(numbers, bare))
    to = onnx.TensorProto.FLOAT
    return numpy_helper.from_array(steps[:, None], short), [
        helper.make_node("Cast", [bare], [wide], to=to),
        helper.make_node("Cast", [short], [step], to=to),
        helper.make_node("Mul", [wide, step], [name]),
    ]


def _packed(weights: list[onnx.TensorProto], nodes: list[onnx.NodeProto], drawn: RawGraph) -> list[onnx.NodeProto]:
    """Store weights in the fewest bytes that hold exactly the same numbers; return the operations that make them what they were.

    Numbers become float16, or vectors that are looked up one byte each; positions one byte, or four. ONNX Runtime turns them back once, when a session is opened.
    """
    looked_up = {node.input[1] for node in nodes if node.op_type == "Gather"}
    vectors = {node.input[0] for node in nodes if node.op_type == "Gather"}
    steps: list[onnx.NodeProto] = []
    for weight in tuple(weights):
        values = numpy_helper.to_array(weight)
        if values.size <= FEW:
            continue
        if weight.name in vectors and (found := _bytes(weight, values, drawn)):
            steps += found[1]
            weights.append(found[0])
            continue
        if weight.name in looked_up and values.dtype in (np.int32, np.int64):
            kind: np.dtype[Any] = np.dtype(np.int32)
            wide = onnx.TensorProto.INT32
            short = values.astype(np.uint8 if values.min() >= 0 and values.max() < 256 else kind)
        elif values.dtype == np.float32:
            kind, wide = np.dtype(np.float32), onnx.TensorProto.FLOAT
            with np.errstate(over="ignore"):
                short = values.astype(np.float16)
        else:
            continue
        if not np.array_equal(short.astype(values.dtype), values, equal_nan=values.dtype == np.float32):
            continue
        name = weight.name if short.dtype == kind else drawn.new()
        if name != weight.name:
            steps.append(helper.make_node("Cast", [name], [weight.name], to=wide))
        weight.CopyFrom(numpy_helper.from_array(short, name))
    return steps
