"""From logits to answers as operations of a file: shares of classes or labels, numbers in their unit, several of these side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kd_core.data.encoding.raw_graph import RawGraph
from kd_core.data.plain.questions import CLASSES, FIRST, LABELS, Question, Questions

Drawn: TypeAlias = "tuple[list[onnx.NodeProto], list[onnx.TensorProto]]"
_SHARES = {CLASSES: "Softmax", LABELS: "Sigmoid"}


def answer_nodes(
    logits: str, answer: str, questions: Questions, scale: Callable[[int], tuple[float, float]], drawn: RawGraph
) -> Drawn:
    """Draw what turns the value `logits` into the value `answer`. `scale`: mean and deviation of one of the questions."""
    every = questions.every
    if len(every) == 1:
        if every[0].kind == FIRST:
            return _first(logits, answer, every[0], drawn)
        if (shares := _SHARES.get(every[0].kind)) is not None:
            return [helper.make_node(shares, [logits], [answer])], []
        return _number(logits, answer, scale(0), drawn)
    sizes = drawn.new()
    weights = [numpy_helper.from_array(np.array([one.end - one.start for one in every], np.int64), sizes)]
    apart, joined = [drawn.new() for _ in every], [drawn.new() for _ in every]
    steps = [helper.make_node("Split", [logits, sizes], apart, axis=1)]
    for at, one in enumerate(every):
        if (shares := _SHARES.get(one.kind)) is None:
            more, numbers = _number(apart[at], joined[at], scale(at), drawn)
            steps, weights = steps + more, weights + numbers
        else:
            between = drawn.new()
            steps.append(helper.make_node(shares, [apart[at]], [between]))
            steps.append(helper.make_node("Cast", [between], [joined[at]], to=onnx.TensorProto.DOUBLE))
    return [*steps, helper.make_node("Concat", joined, [answer], axis=1)], weights


def _first(logits: str, answer: str, one: Question, drawn: RawGraph) -> Drawn:
    """Take the likeliest classes: their places, and then their shares."""
    shares, count, best, places, numbers = (drawn.new() for _ in range(5))
    steps = [
        helper.make_node("Softmax", [logits], [shares]),
        helper.make_node("TopK", [shares, count], [best, places]),
        helper.make_node("Cast", [places], [numbers], to=onnx.TensorProto.FLOAT),
        helper.make_node("Concat", [numbers, best], [answer], axis=1),
    ]
    return steps, [numpy_helper.from_array(np.array([(one.end - one.start) // 2], np.int64), count)]


def _number(logits: str, answer: str, scale: tuple[float, float], drawn: RawGraph) -> Drawn:
    """Bring a scaled number into its unit."""
    std, mean, double, spread = (drawn.new() for _ in range(4))
    weights = [numpy_helper.from_array(np.array(v, np.float64), n) for n, v in ((std, scale[1]), (mean, scale[0]))]
    steps = [
        helper.make_node("Cast", [logits], [double], to=onnx.TensorProto.DOUBLE),
        helper.make_node("Mul", [double, std], [spread]),
        helper.make_node("Add", [spread, mean], [answer]),
    ]
    return steps, weights
