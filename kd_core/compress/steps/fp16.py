"""Weights of 16 bits, where the file holds wider ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.whole_numbers import given
from kd_core.compress.whole_numbers.given import file_of
from kd_core.compress.whole_numbers.network import Network
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.short_numbers import from_bytes, in_bytes
from kd_core.spec import Spec

FEW = 32  # numbers that the deployed file keeps in 32 bits anyway: they are not worth an operation
_LARGEST = float(np.finfo(np.float16).max)


def _suits(stage: Stage, inputs: InputSpec) -> str | None:
    if why := given.why_not(stage, inputs):
        return why
    if not _wide(Network(onnx_bytes(stage.module, inputs))):
        return "keeps all weights of its deployed file in 16 bits already: this would change nothing"
    return None


@STEPS.register(
    "fp16",
    title="Weights of 16 bits",
    spec=Spec,
    source="Micikevicius et al. 2018, arXiv:1710.03740 (half precision)",
    changes="file",
    suits=_suits,
    learns=False,
    usual={},
)
def fp16(spec: Spec, stage: Stage, work: Work) -> Stage:
    """Round the weights that take 32 bits in the deployed file, such as those that took over a normalisation; answers are computed in 32 bits.

    Errors: KDError `compress_unsuited` where there are none.
    """
    inputs = work.rows(stage).spec
    if why := _suits(stage, inputs):
        raise KDError("The student can't be rounded: it {why}.", "Leave this step out.", "compress_unsuited", why=why)
    network = Network(file_of(stage, inputs))
    layers = {one.weight: one for one in network.layers()}
    told, count = [], 0
    for name in _wide(network):
        values = network.values(name)
        count += values.size
        short = network.add_weight("half", values.astype(np.float16))
        wide = network.new(f"{name}.wide")
        first = network.readers(name)[0]
        network.insert(first, [helper.make_node("Cast", [short], [wide], to=onnx.TensorProto.FLOAT)])
        for node in network.readers(name):
            node.input[:] = [wide if one == name else one for one in node.input]
        if name in layers:
            told.append(layers[name].told("float16"))
    return stage.after("fp16", file=network.bytes(), numbers=count, layers=told)


def _wide(network: Network) -> list[str]:
    """Name the weights that the deployed file keeps in 32 bits and that float16 can hold."""
    found = []
    for name in network.weights:
        values = network.values(name)
        if values.dtype != np.float32 or values.size <= FEW or not np.isfinite(values).all():
            continue
        if any(n.op_type == "Gather" and n.input[0] == name for n in network.readers(name)) and _in_bytes(values):
            continue
        exact = np.abs(values).max() <= _LARGEST and np.array_equal(
            values.astype(np.float16).astype(np.float32), values
        )
        if not exact and np.abs(values).max() <= _LARGEST and network.readers(name):
            found.append(name)
    return found


def _in_bytes(values: np.ndarray[Any, Any]) -> bool:
    """Say whether the deployed file keeps vectors in one byte a number, being just that already."""
    if values.ndim != 2:
        return False
    numbers, steps = in_bytes(values)
    return bool(np.isfinite(steps).all()) and np.array_equal(from_bytes(numbers, steps), values)
