"""A network's graph with fewer operations and the same answers, so that more of it can be in whole numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import numpy_helper

from kd_core.compress.whole_numbers.network import Layer, Network, attributes


def fold(network: Network, layers: Iterable[Layer]) -> None:
    """Let convolutions do what stands after them: scale their channels, and be bent before the largest of neighbours is taken."""
    for node in [layer.node for layer in layers]:
        if node.op_type == "Conv":
            _scaled(network, node)
            _bent_first(network, node)


def _only(network: Network, value: str, kind: str) -> onnx.NodeProto | None:
    """Return the one operation that reads a value, where it is of that kind."""
    readers = network.readers(value)
    return readers[0] if len(readers) == 1 and readers[0].op_type == kind else None


def _scaled(network: Network, conv: onnx.NodeProto) -> None:
    """Take a batch normalisation behind a `MaxPool` into the weights: a factor above 0 leaves the largest the largest."""
    pool = _only(network, conv.output[0], "MaxPool")
    norm = _only(network, pool.output[0], "BatchNormalization") if pool else None
    if pool is None or norm is None or len(pool.output) != 1 or any(n not in network.weights for n in norm.input[1:]):
        return
    scale, shift, mean, variance = (network.values(name).astype(np.float64) for name in norm.input[1:])
    factor = scale / np.sqrt(variance + attributes(norm).get("epsilon", 1e-5))
    if not (factor > 0).all() or len(network.readers(conv.input[1])) > 1:
        return
    weights = network.values(conv.input[1]).astype(np.float64)
    bias = network.values(conv.input[2]).astype(np.float64) if len(conv.input) > 2 else 0.0
    folded = (weights * factor.reshape(-1, *[1] * (weights.ndim - 1))).astype(np.float32)
    network.weights[conv.input[1]].CopyFrom(numpy_helper.from_array(folded, conv.input[1]))
    kept = network.add_weight("bias", ((bias - mean) * factor + shift).astype(np.float32))
    conv.input[:] = [*conv.input[:2], kept]
    pool.output[0] = norm.output[0]
    network.graph.node.remove(norm)


def _bent_first(network: Network, conv: onnx.NodeProto) -> None:
    """Put a `Relu` behind a `MaxPool` before it: no larger number becomes the smaller one, and runtimes join it to the convolution."""
    pool = _only(network, conv.output[0], "MaxPool")
    bend = _only(network, pool.output[0], "Relu") if pool else None
    if pool is None or bend is None:
        return
    said = bend.output[0]
    network.graph.node.remove(bend)
    pool.output[0] = said
    between = network.new(f"{conv.output[0]}.bent")
    network.insert(pool, [onnx.helper.make_node("Relu", [conv.output[0]], [between])])
    pool.input[0] = between
