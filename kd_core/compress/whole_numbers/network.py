"""The ONNX file of a network, as what rounds it reads it: its layers, their weights, and who reads what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from kd_core.data.onnx_file import open_session

Floats = npt.NDArray[np.float32]
PRODUCTS = ("Conv", "Gemm", "MatMul")  # whose sums can be added up in whole numbers
_RECURRENT = ("GRU", "LSTM", "RNN")
_KINDS = {"Conv": "convolution", "Gemm": "linear", "MatMul": "linear", "Gather": "embedding"}
_AT_ONCE = 256  # rows that are answered at once


@dataclass(frozen=True)
class Layer:
    """One weight of a network and the operation that reads it.

    `axes`: those along which each place has a step of its own, others share it; `computed`: whether the operation can work on whole numbers.
    """

    name: str
    node: onnx.NodeProto
    weight: str
    values: Floats
    axes: tuple[int, ...]
    computed: bool

    @property
    def kind(self) -> str:
        """Say in a word what the layer is."""
        return _KINDS.get(self.node.op_type, "recurrent")

    def told(self, precision: str) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"layer": self.name, "kind": self.kind, "parameters": int(self.values.size), "precision": precision}


class Network:
    """A network's graph, open for changes. Its answers stay what they are until something is rounded."""

    def __init__(self, data: bytes) -> None:
        self.model = onnx.load_from_string(data)
        self.graph = self.model.graph
        del self.graph.value_info[:]  # shapes of what is between operations would be wrong as soon as one comes between
        self._constants_are_weights()
        self.weights = {one.name: one for one in self.graph.initializer}
        self._shared = dict[bytes, str]()
        self._used = {name for node in self.graph.node for name in (*node.input, *node.output)} | set(self.weights)

    def _constants_are_weights(self) -> None:
        graph = self.graph
        for node in [n for n in graph.node if n.op_type == "Constant" and n.attribute[0].name == "value"]:
            weight = graph.initializer.add()
            weight.CopyFrom(node.attribute[0].t)
            weight.name = node.output[0]
            graph.node.remove(node)
        known = {one.name: one for one in graph.initializer}
        for node in [n for n in graph.node if n.op_type == "Identity" and n.input[0] in known]:
            self._reads(node.output[0], node.input[0])
            graph.node.remove(node)

    def _reads(self, old: str, new: str) -> None:
        for node in self.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]

    def layers(self) -> list[Layer]:
        """List the weights that can be rounded, in the order in which they are read."""
        found, seen = list[Layer](), set[str]()
        for node in self.graph.node:
            for weight, axes in _weights_of(node):
                if weight not in self.weights or weight in seen:
                    continue
                values = numpy_helper.to_array(self.weights[weight])
                if values.dtype != np.float32 or values.ndim < 2 or not np.isfinite(values).all():
                    continue
                seen.add(weight)
                flat = node.op_type in PRODUCTS and not (node.op_type == "MatMul" and values.ndim != 2)
                computed = flat and node.input[1] == weight and _plain(node)
                found.append(
                    Layer(_named(weight, node, [one.name for one in found]), node, weight, values, axes, computed)
                )
        return found

    def new(self, name: str) -> str:
        """Return a name that nothing in the graph has yet."""
        found, number = name, 0
        while found in self._used:
            number += 1
            found = f"{name}.{number}"
        self._used.add(found)
        return found

    def readers(self, value: str) -> list[onnx.NodeProto]:
        """List the operations that read a value."""
        return [node for node in self.graph.node if value in node.input]

    def maker(self, value: str) -> onnx.NodeProto | None:
        """Return the operation that makes a value; None of what is given."""
        return next((node for node in self.graph.node if value in node.output), None)

    def add_weight(self, name: str, values: npt.NDArray[Any]) -> str:
        """Add a weight; return its name, which is a new one."""
        return self.keep(numpy_helper.from_array(np.array(values, order="C"), self.new(name)))

    def shared(self, values: Any) -> str:
        """Return the name of a weight that holds just these numbers; it is added where there is none."""
        made = numpy_helper.from_array(np.array(values, order="C"), "")
        key = made.SerializeToString(deterministic=True)
        if key not in self._shared:
            made.name = self.new("shared")
            self._shared[key] = self.keep(made)
        return self._shared[key]

    def keep(self, weight: onnx.TensorProto) -> str:
        """Add a weight that has a name."""
        self.graph.initializer.append(weight)
        self.weights[weight.name] = self.graph.initializer[-1]
        return str(weight.name)

    def values(self, weight: str) -> npt.NDArray[Any]:
        """Return the numbers of a weight."""
        return numpy_helper.to_array(self.weights[weight])

    def insert(self, at: onnx.NodeProto, nodes: Iterable[onnx.NodeProto]) -> None:
        """Put operations before one of the graph's."""
        place = next(i for i, node in enumerate(self.graph.node) if node is at or node.output[:] == at.output[:])
        for one in reversed(list(nodes)):
            self.graph.node.insert(place, one)  # the others stay the objects that they are

    def drop_unread(self) -> None:
        """Take out weights that nothing reads any more."""
        read = {name for node in self.graph.node for name in node.input} | {o.name for o in self.graph.output}
        for one in [w for w in self.graph.initializer if w.name not in read]:
            self.graph.initializer.remove(one)
            self.weights.pop(one.name, None)

    def with_opset(self, least: int) -> None:
        """Say that the file uses operations of a version at least."""
        for one in self.model.opset_import:
            if one.domain == "":
                one.version = max(one.version, least)

    def bytes(self) -> bytes:
        """Write the file. Errors: onnx's own where it is no valid one."""
        self.drop_unread()
        onnx.checker.check_model(self.model)
        return bytes(self.model.SerializeToString(deterministic=True))


def answers_of(data: bytes, x: npt.NDArray[Any]) -> Floats:
    """Return what a network's file says of encoded rows. Shape: (N, ...) -> (N, C) float32."""
    session = open_session(data)
    parts = [session.run(None, {"x": x[at : at + _AT_ONCE]})[0] for at in range(0, max(1, len(x)), _AT_ONCE)]
    found: Floats = np.concatenate(parts).astype(np.float32)
    return found


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """Return the settings of an operation."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def _weights_of(node: onnx.NodeProto) -> list[tuple[str, tuple[int, ...]]]:
    """Return which inputs of an operation may be weights, and along which axes their steps differ."""
    if node.op_type == "Conv":
        return [(node.input[1], (0,))]
    if node.op_type == "Gemm":
        return [(node.input[1], (0,) if attributes(node).get("transB") else (1,))]
    if node.op_type == "MatMul":
        return [(node.input[1], (-1,))]
    if node.op_type == "Gather" and not attributes(node).get("axis"):
        return [(node.input[0], (0,))]
    if node.op_type in _RECURRENT:
        return [(name, (0, 1)) for name in node.input[1:3]]
    return []


def _plain(node: onnx.NodeProto) -> bool:
    told = attributes(node)
    return node.op_type != "Gemm" or (told.get("alpha", 1.0) == told.get("beta", 1.0) == 1.0 and not told.get("transA"))


def _named(weight: str, node: onnx.NodeProto, known: Collection[str]) -> str:
    """Name a layer as the network does: by its weight where the file still knows, else by where the operation stands."""
    if weight.startswith(("onnx::", "/")):
        places = node.name.strip("/").split("/")[1:-1]
        found = ".".join(
            p for i, p in enumerate(places) if not any(q.startswith(f"{p}.") for q in places[i + 1 : i + 2])
        )
    else:
        found = weight.removeprefix("module.").removesuffix(".weight")
    found, number = found or node.op_type, 1
    while (name := found if number == 1 else f"{found} ({number})") in known:
        number += 1
    return name
