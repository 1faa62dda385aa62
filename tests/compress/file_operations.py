"""How many operations an exported file asks for, counted from the file itself: its nodes, its weights, and the sizes of what lies between."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import numpy_helper

from kd_core.data.onnx_file import open_session


def operations_in(file, x):
    """Count 2 per product and sum of one row's matrix products, as `sizes.Counts.flops` does. Shape: x (1, ...)."""
    model = onnx.load_from_string(file)
    outputs = {one.name for one in model.graph.output}
    between = list(dict.fromkeys(name for node in model.graph.node for name in node.output if name))
    for name in between:
        if name not in outputs:
            model.graph.output.add().name = name
    session = open_session(model.SerializeToString())
    names = [one.name for one in session.get_outputs()]
    shapes = {name: np.shape(value) for name, value in zip(names, session.run(None, {"x": x}), strict=True)}
    shapes |= {one.name: numpy_helper.to_array(one).shape for one in model.graph.initializer} | {"x": x.shape}
    total = 0
    for node in model.graph.node:
        given = [shapes.get(name, ()) for name in node.input]
        if node.op_type == "Conv":
            total += 2 * math.prod(shapes[node.output[0]]) * math.prod(given[1][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            turned = any(one.name == "transA" and one.i for one in node.attribute)
            total += 2 * math.prod(shapes[node.output[0]]) * given[0][0 if turned else -1]
        elif node.op_type in ("GRU", "LSTM"):
            total += 2 * given[0][0] * (math.prod(given[1]) + math.prod(given[2]))
    return total
