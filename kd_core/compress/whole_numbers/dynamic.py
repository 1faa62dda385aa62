"""Linear layers that round what they read by itself, batch by batch: nothing has to be known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

from kd_core.compress.whole_numbers.network import Layer, Network, attributes
from kd_core.compress.whole_numbers.rounding import rounded, steps_of


def compute_dynamically(network: Network, layers: Sequence[Layer], per_channel: bool, most: int) -> None:
    """Let linear layers multiply whole numbers, of which they make numbers again at once.

    Rows of one batch share a step, so a row's answer depends a little on the rows beside it.
    """
    for layer in layers:
        node = layer.node
        upright = bool(attributes(node).get("transB"))
        values = layer.values.T if upright else layer.values
        steps = steps_of(values, (1,) if per_channel else (), most)
        whole = network.add_weight("whole", rounded(values, steps, most))
        step = network.add_weight("steps", steps.reshape(-1) if per_channel else steps.reshape(()))
        names = [network.new(f"{node.output[0]}.{part}") for part in ("read", "step", "zero", "sum", "wide", "both")]
        read, own, zero, added, wide, both = names
        bias = node.input[2] if node.op_type == "Gemm" and len(node.input) > 2 else None
        said = network.new(f"{node.output[0]}.times") if bias else node.output[0]
        made = [
            helper.make_node("DynamicQuantizeLinear", [node.input[0]], [read, own, zero]),
            helper.make_node("MatMulInteger", [read, whole, zero], [added]),
            helper.make_node("Cast", [added], [wide], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [own, step], [both]),
            helper.make_node("Mul", [wide, both], [said]),
        ]
        if bias:
            made.append(helper.make_node("Add", [said, bias], [node.output[0]]))
        network.insert(node, made)
        network.graph.node.remove(node)


def works_dynamically(layer: Layer) -> bool:
    """Say whether a layer is one that rounds by itself: convolutions take up to six times as long then, and stay as they are."""
    return layer.computed and layer.node.op_type != "Conv" and np.ndim(layer.values) == 2
