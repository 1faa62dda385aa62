"""An ONNX model as bytes, in fewer of them than `SerializeToString` takes; every reader of protobuf reads them alike."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx

_NODE, _ATTRIBUTE, _FLOATS, _INTS = 1, 5, 7, 8  # numbers of fields in onnx.proto: of a graph, a node, an attribute
_GRAPH = 7
_WORTH = 3  # numbers in a list: a shorter one takes as many bytes


def written(model: onnx.ModelProto) -> bytes:
    """Write a model with the lists of its operations packed: one tag a list instead of one a number.

    A list of trees' positions takes half the bytes so. The schema of ONNX does not ask for packed lists, but protobuf does of every
    reader. Source: protobuf.dev, encoding, packed repeated fields.
    """
    outside, graph = onnx.ModelProto(), onnx.GraphProto()
    outside.CopyFrom(model)
    outside.ClearField("graph")
    graph.CopyFrom(model.graph)
    graph.ClearField("node")
    nodes = b"".join(_field(_NODE, _node(node)) for node in model.graph.node)
    return bytes(outside.SerializeToString() + _field(_GRAPH, nodes + graph.SerializeToString()))


def without_defaults(model: onnx.ModelProto) -> None:
    """Take out the settings of operations that say what goes without saying."""
    versions = {one.domain: one.version for one in model.opset_import}
    for node in model.graph.node:
        known = onnx.defs.get_schema(node.op_type, versions[node.domain], node.domain).attributes
        usual = [a for a in node.attribute if a.name in known and known[a.name].default_value == a]
        for one in usual:
            node.attribute.remove(one)


def _node(node: onnx.NodeProto) -> bytes:
    bare = onnx.NodeProto()
    bare.CopyFrom(node)
    bare.ClearField("attribute")
    settings = b"".join(_field(_ATTRIBUTE, _attribute(one)) for one in node.attribute)
    return bytes(bare.SerializeToString()) + settings


def _attribute(setting: onnx.AttributeProto) -> bytes:
    if max(len(setting.ints), len(setting.floats)) < _WORTH:
        return bytes(setting.SerializeToString())
    bare = onnx.AttributeProto()
    bare.CopyFrom(setting)
    bare.ClearField("ints")
    bare.ClearField("floats")
    found = bytes(bare.SerializeToString())
    if setting.ints:
        found += _field(_INTS, _varints(setting.ints))
    if setting.floats:
        found += _field(_FLOATS, np.array(setting.floats, "<f4").tobytes())
    return found


def _field(number: int, content: bytes) -> bytes:
    return _varints([number << 3 | 2, len(content)]) + content


def _varints(numbers: Iterable[int]) -> bytes:
    """Write numbers, seven bits a byte, the lowest first; those below 0 as two's complement of 64 bits."""
    found = bytearray()
    for number in numbers:
        number &= 2**64 - 1
        while number > 127:
            found.append(number & 127 | 128)
            number >>= 7
        found.append(number)
    return bytes(found)
