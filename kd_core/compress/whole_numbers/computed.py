"""Layers that add up in whole numbers: what they read is rounded, by ranges known beforehand or batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from kd_core.compress.whole_numbers.network import Layer, Network
from kd_core.compress.whole_numbers.rounding import Range, rounded, steps_of

_BENDS = ("Relu", "Clip")  # after which a convolution's values are rounded together with it
_PASSED = ("MaxPool", "ReduceMax")  # choose among whole numbers as among those that they mean
_INT32 = 2**31 - 1


def values_of(network: Network, layers: Sequence[Layer]) -> dict[str, str]:
    """Name the values that `compute` rounds and whose ranges it needs: each with the last value that stays in the same whole numbers.

    They are what convolutions say, and what layers read beside that.
    """
    said = [_said(network, layer.node) for layer in layers if layer.node.op_type == "Conv"]
    spans = {first: _passed(network, first) for first in said}
    for layer in layers:
        read = layer.node.input[0]
        if read not in spans.values():
            spans[read] = read
    return spans


def _said(network: Network, conv: onnx.NodeProto) -> str:
    """Name the value after a convolution at which it is rounded: ONNX Runtime has no convolution in whole numbers that says others."""
    said = str(conv.output[0])
    readers = network.readers(said)
    if len(readers) == 1 and readers[0].op_type in _BENDS:
        return str(readers[0].output[0])
    return said


def _passed(network: Network, value: str) -> str:
    """Name the value that stays in the same whole numbers the longest."""
    readers = network.readers(value)
    if len(readers) == 1 and readers[0].op_type in _PASSED and len(readers[0].output) == 1:
        return _passed(network, str(readers[0].output[0]))
    return value


def looked_up(network: Network, value: str) -> onnx.NodeProto | None:
    """Return the look-up in a table of weights that a value is, turned at most, where nothing else reads it."""
    maker = network.maker(value)
    if maker is not None and maker.op_type == "Transpose" and len(network.readers(maker.input[0])) == 1:
        maker = network.maker(maker.input[0])
    if maker is None or maker.op_type != "Gather" or maker.input[0] not in network.weights:
        return None
    return maker if len(network.readers(maker.input[0])) == 1 else None


def compute(
    network: Network,
    layers: Sequence[Layer],
    tables: Sequence[Layer],
    ranges: Mapping[str, Range],
    per_channel: bool,
    most: int,
) -> None:
    """Let layers add up in whole numbers: `QuantizeLinear` and `DequantizeLinear` around them, which runtimes make one operation of.

    `tables`: those of the embeddings that are whole numbers themselves, and stay so until a layer reads them.
    """
    read = dict[str, float]()
    held = {layer.node.output[0]: layer for layer in tables}
    for first, last in values_of(network, layers).items():
        node = looked_up(network, first)
        table = held.get(node.output[0]) if node is not None else None
        back = _table(network, table, first, ranges[first]) if table else _around(network, first, last, ranges[first])
        read[back] = ranges[first].step
    for layer in layers:
        node = layer.node
        steps = steps_of(layer.values, layer.axes if per_channel else (), most)
        node.input[1] = _weight(network, layer, rounded(layer.values, steps, most), steps)
        if len(node.input) > 2 and node.input[2] in network.weights:
            _bias(network, node, read[node.input[0]] * steps.reshape(-1).astype(np.float64))


def _scale(network: Network, told: Range) -> list[str]:
    return [network.shared(np.float32(told.step)), network.shared(np.uint8(told.zero))]


def _table(network: Network, table: Layer, value: str, told: Range) -> str:
    """Write a table as the whole numbers that its reader takes."""
    numbers = (np.rint(table.values / np.float32(told.step)) + told.zero).clip(0, 255).astype(np.uint8)
    table.node.input[0] = network.add_weight("whole", numbers)
    back, readers = network.new(f"{value}.back"), network.readers(value)
    network.insert(readers[0], [helper.make_node("DequantizeLinear", [value, *_scale(network, told)], [back])])
    for node in readers:
        node.input[:] = [back if name == value else name for name in node.input]
    return back


def _around(network: Network, first: str, last: str, told: Range) -> str:
    """Round a value for all who read it; numbers again after the last value that stays whole. Return that one's new name."""
    scale = _scale(network, told)
    whole, back = network.new(f"{first}.whole"), network.new(f"{last}.back")
    readers = network.readers(last)
    network.insert(network.readers(first)[0], [helper.make_node("QuantizeLinear", [first, *scale], [whole])])
    held = whole if first == last else last
    network.insert(readers[0], [helper.make_node("DequantizeLinear", [held, *scale], [back])])
    for node in network.graph.node:
        if node.output[0] in (whole, back):
            continue
        old, new = (last, back) if last in node.input else (first, whole)
        node.input[:] = [new if name == old else name for name in node.input]
    return back


def _weight(network: Network, layer: Layer, numbers: Any, steps: Any) -> str:
    axis = next((i for i, n in enumerate(steps.shape) if n > 1), None)
    return _back(
        network,
        layer.node,
        f"{layer.weight}.back",
        numbers,
        steps.reshape(-1) if axis is not None else steps.reshape(()),
        axis,
    )


def _bias(network: Network, node: onnx.NodeProto, steps: Any) -> None:
    """Keep what is added in the steps of the sums, 32 bits a number."""
    values = network.values(node.input[2]).astype(np.float64).reshape(-1)
    steps = (steps if len(steps) > 1 else steps.reshape(())).astype(np.float32)
    numbers = np.rint(values / steps).clip(-_INT32, _INT32).astype(np.int32)
    node.input[2] = _back(network, node, f"{node.input[2]}.back", numbers, steps, 0 if steps.ndim else None)


def _back(network: Network, node: onnx.NodeProto, name: str, numbers: Any, steps: Any, axis: int | None) -> str:
    """Keep whole numbers and make numbers of them again before an operation."""
    given = [network.add_weight("whole", numbers), network.shared(steps)]
    if node.op_type != "Conv":
        # ONNX Runtime joins products with what has a zero alone, even though 0 goes without saying.
        given.append(network.shared(np.zeros(steps.shape, numbers.dtype)))
    found = network.new(name)
    made = helper.make_node("DequantizeLinear", given, [found])
    if axis is not None:
        made.attribute.append(helper.make_attribute("axis", axis))
    network.insert(node, [made])
    return found
