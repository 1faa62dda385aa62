"""How each layer of a network goes into whole numbers, and the file that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import onnx

from kd_core.compress.whole_numbers.computed import compute, looked_up, values_of
from kd_core.compress.whole_numbers.dynamic import compute_dynamically, works_dynamically
from kd_core.compress.whole_numbers.folding import fold
from kd_core.compress.whole_numbers.network import Layer, Network
from kd_core.compress.whole_numbers.rounding import INT8, NARROW, Range
from kd_core.compress.whole_numbers.stored import saved, store

Way = Literal["int8", "int8_weights", "int4_weights", "float"]
# A convolution over fewer takes three times as long in whole numbers (28 x 28 pixels, one band, one core).
_FEW_BANDS = 4

# watch(network, values) -> their ranges
Watch = Callable[[Network, Sequence[str]], Mapping[str, Range]]


def static_ways(network: Network, floats: Collection[str] = ()) -> dict[str, Way]:
    """Say by name how each layer goes into whole numbers when ranges are known: those named in `floats` do not."""
    layers = network.layers()
    found: dict[str, Way] = {one.name: "float" for one in layers}
    for one in layers:
        if one.name not in floats and one.computed and not _slow(one):
            found[one.name] = "int8"
    read = {one.node.input[0] for one in layers if found[one.name] == "int8"}
    for one in layers:
        if one.name in floats or one.computed:
            continue
        turned = {value for value in read if (node := looked_up(network, value)) is not None and node is one.node}
        found[one.name] = "int8" if turned else "int8_weights" if saved(one, 8) > 0 else "float"
    return found


def _slow(layer: Layer) -> bool:
    return layer.node.op_type == "Conv" and layer.values.shape[1] < _FEW_BANDS and not _apart(layer.node)


def _apart(node: onnx.NodeProto) -> bool:
    """Say whether a convolution keeps its bands apart."""
    return any(one.name == "group" and one.i > 1 for one in node.attribute)


def static_file(
    data: bytes, ways: Mapping[str, Way], watch: Watch, per_channel: bool, narrow: bool
) -> tuple[bytes, list[dict[str, Any]]]:
    """Write a network's file with its layers as they were chosen; say of each how."""
    network = Network(data)
    fold(network, _those(network, ways, "int8", computed=True))
    layers, tables = (_those(network, ways, "int8", computed=c) for c in (True, False))
    ranges = watch(network, list(values_of(network, layers)))
    compute(network, layers, tables, ranges, per_channel, NARROW if narrow else INT8)
    for one in network.layers():
        if ways.get(one.name) == "int8_weights":
            store(network, one, 8)
    return network.bytes(), [one.told(ways[one.name]) for one in Network(data).layers()]


def _those(network: Network, ways: Mapping[str, Way], way: Way, computed: bool) -> list[Layer]:
    return [one for one in network.layers() if ways.get(one.name) == way and one.computed == computed]


def dynamic_file(data: bytes, per_channel: bool, narrow: bool) -> tuple[bytes, list[dict[str, Any]]]:
    """Write a network's file with linear layers that round what they read, and other weights kept as bytes where that is smaller."""
    network = Network(data)
    linear = [one for one in network.layers() if works_dynamically(one)]
    rest = [one for one in network.layers() if not works_dynamically(one)]
    said = [one.told("int8") for one in linear]
    compute_dynamically(network, linear, per_channel, NARROW if narrow else INT8)
    return _kept(network, rest, 8, 0, said, data)


def stored_file(data: bytes, bits: int, block: int) -> tuple[bytes, list[dict[str, Any]]]:
    """Write a network's file with its weights in few bits, wherever that makes it smaller."""
    network = Network(data)
    return _kept(network, network.layers(), bits, block, [], data)


def _kept(
    network: Network, layers: Sequence[Layer], bits: int, block: int, said: list[dict[str, Any]], data: bytes
) -> tuple[bytes, list[dict[str, Any]]]:
    for one in layers:
        worth = saved(one, bits, block) > 0
        if worth:
            store(network, one, bits, block)
        said.append(one.told(f"int{bits}_weights" if worth else "float"))
    order = {one.name: place for place, one in enumerate(Network(data).layers())}
    return network.bytes(), sorted(said, key=lambda one: order[one["layer"]])
