"""Weights that are kept in few bits while the network answers in floating numbers: the file is smaller, the time the same.

They become numbers again by operations on constants alone, which runtimes carry out once, when the file is opened; a
`DequantizeLinear` would be carried out for every answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from kd_core.compress.whole_numbers.network import Layer, Network
from kd_core.compress.whole_numbers.rounding import INT4, INT8, rounded, steps_of

SPARE = 200  # bytes that the operations and names of a weight take in a file, about
INT4_OPSET = 21  # from which on a cast takes numbers of 4 bits
_MANY = 32  # steps that are worth an operation


def saved(layer: Layer, bits: int, block: int = 0) -> int:
    """Count the bytes that a file saves when a weight is kept so, against float16. Below 0: it grows."""
    steps = _blocks(layer, block)[0].size // _blocks(layer, block)[0].shape[-1]
    return int(layer.values.size) * (16 - bits) // 8 - 2 * int(steps) - SPARE


def store(network: Network, layer: Layer, bits: int, block: int = 0) -> None:
    """Keep a weight in whole numbers of 8 or 4 bits, each block of it times a step of its own.

    `block`: the most numbers that share a step, along what is added up; 0: all that belong to one place of `layer.axes`.
    """
    parts, back = _blocks(layer, block)
    most = INT8 if bits == 8 else INT4
    steps = steps_of(parts, tuple(range(parts.ndim - 1)), most)
    numbers = rounded(parts, steps, most)
    plain = back is None
    if plain and not block:  # as it lies in the file: no operation is needed to turn it
        steps = steps_of(layer.values, layer.axes, most)
        numbers = rounded(layer.values, steps, most)
    whole = _kept(network, numbers, bits)
    wide, first = network.new(f"{layer.weight}.wide"), _first_reader(network, layer)
    found = [helper.make_node("Cast", [whole], [wide], to=onnx.TensorProto.FLOAT)]
    step = network.add_weight("steps", steps.astype(np.float16) if steps.size > _MANY else steps)
    if steps.size > _MANY:
        found.append(helper.make_node("Cast", [step], [network.new(f"{layer.weight}.step")], to=onnx.TensorProto.FLOAT))
        step = found[-1].output[0]
    value = network.new(f"{layer.weight}.times")
    found.append(helper.make_node("Mul", [wide, step], [value]))
    for kind, told in back or []:
        said = network.new(f"{layer.weight}.{kind.lower()}")
        if kind == "Transpose":
            found.append(helper.make_node(kind, [value], [said], perm=told))
        else:
            found.append(helper.make_node(kind, [value, network.shared(np.array(told, np.int64))], [said]))
        value = said
    network.insert(first, found)
    for node in network.readers(layer.weight):
        node.input[:] = [value if name == layer.weight else name for name in node.input]
    if bits == 4:
        network.with_opset(INT4_OPSET)


def _first_reader(network: Network, layer: Layer) -> onnx.NodeProto:
    return network.readers(layer.weight)[0]


def _kept(network: Network, numbers: npt.NDArray[np.int8], bits: int) -> str:
    if bits == 8:
        return network.add_weight("whole", numbers)
    name = network.new("whole")
    return network.keep(helper.make_tensor(name, onnx.TensorProto.INT4, numbers.shape, numbers.reshape(-1).tolist()))


def _blocks(layer: Layer, block: int) -> tuple[npt.NDArray[np.float32], list[tuple[str, list[int]]] | None]:
    """Lay a weight out so that each row of the last axis shares a step; return the operations that undo it, None for none."""
    values, axes = layer.values, {a % layer.values.ndim for a in layer.axes}
    added = [i for i in range(values.ndim) if i not in axes]
    order = [*sorted(axes), *added]
    turned = values.transpose(order)
    places = turned.shape[: len(axes)]
    count = int(np.prod([values.shape[i] for i in added]))
    size = _share(count, block)
    rows: npt.NDArray[np.float32] = np.ascontiguousarray(turned).reshape(-1, size)
    if order == list(range(values.ndim)) and size == values.shape[-1]:
        return rows.reshape(values.shape), None
    if not block:
        return rows.reshape(*places, count), None
    back: list[tuple[str, list[int]]] = [("Reshape", list(turned.shape))]
    if order != list(range(values.ndim)):
        back.append(("Transpose", [int(i) for i in np.argsort(order)]))
    return rows, back


def _share(count: int, block: int) -> int:
    """Return the largest part of a number that is no larger than a block; the whole where that would be less than a quarter of one."""
    if not block or count <= block:
        return count
    found = next(size for size in range(block, 0, -1) if count % size == 0)
    return found if found >= max(4, block // 4) else count
