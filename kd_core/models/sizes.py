"""How large a network is: known before it is made, with nothing allocated (meta device), or counted with the weights that it has."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kd_core.data.dataset import Dataset
from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS
from kd_core.models.building import build, viewed
from kd_core.specs import Choice

_NAMES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Sizes:
    """Size of a network.

    Units: `parameters` learned numbers; `flops` floating-point operations of the matrix products for
    one row (2 per multiply-accumulate; element-wise work is not counted), or what the architecture says of itself; `size_bytes` bytes of
    the safetensors file; `row_seconds` of one row of a training step on one core beside its matrix products.
    """

    parameters: int
    flops: int
    size_bytes: int
    row_seconds: float = 0.0


def file_bytes(state: Mapping[str, Tensor]) -> int:
    """Count the bytes of the safetensors file of a state dict without writing it.

    Source: safetensors format: 8 bytes of header length, JSON header padded to 8 bytes, then the tensors.
    """
    header: dict[str, object] = {}
    offset = 0
    for name, tensor in sorted(state.items(), key=lambda item: (-item[1].element_size(), item[0])):
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = len(json.dumps(header, separators=(",", ":")).encode())
    return 8 + (text + 7) // 8 * 8 + offset


def sizes(choice: Choice, inputs: InputSpec, num_outputs: int, task: str | None = None) -> Sizes:
    """Tell parameters, operations per row and bytes on disk of a choice, without allocating weights.

    `task`: as in `build`. Errors: UnknownName, SpecError.
    """
    return _sizes(choice.to_json(), inputs, num_outputs, task if num_outputs == 2 else None)


def sizes_for(dataset: Dataset, choice: Choice) -> Sizes:
    """Tell the sizes of a choice for a dataset's rows and outputs. Errors: UnknownName, SpecError."""
    return sizes(choice, viewed(dataset, choice).spec, dataset.num_outputs, dataset.task)


@functools.lru_cache(1024)  # 5 ms each, and a sweep asks for the same few architectures hundreds of times
def _sizes(choice_json: str, inputs: InputSpec, num_outputs: int, task: str | None) -> Sizes:
    choice = Choice.from_json(choice_json)
    with torch.device("meta"):
        module = build(choice, inputs, num_outputs, task).eval()
    parameters = sum(p.numel() for p in module.parameters())
    entry = ARCHS.get(choice.name)
    if "flops" in entry.facts:
        flops = int(entry.facts["flops"](module))
    else:
        flops = dense_flops(module) if entry.facts.get("dense") else traced_flops(module, inputs)
    beside = entry.facts["row_seconds"](inputs) if "row_seconds" in entry.facts else 0.0
    return Sizes(parameters, flops, file_bytes(module.state_dict()), beside)


def dense_flops(module: nn.Module) -> int:
    """Count the operations of a network in which each row meets every weight matrix once."""
    return 2 * sum(p.numel() for p in module.parameters() if p.dim() == 2)


def traced_flops(module: nn.Module, inputs: InputSpec) -> int:
    """Count the operations of one row by running a network on the meta device. The first call loads torch's compiler: 2 s."""
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), torch.no_grad(), counter:
        module(torch.empty(1, *inputs.shape, dtype=getattr(torch, inputs.dtype)))
    return int(counter.get_total_flops())


@dataclass(frozen=True)
class Counts:
    """Units: learned numbers, those of them that are not 0, and operations of one row as `sizes.Sizes` has them."""

    parameters: int
    nonzero: int
    flops: int

    def told(self) -> dict[str, int]:
        """Return plain values for JSON."""
        return asdict(self)


def counted(module: nn.Module, arch: str, inputs: InputSpec) -> Counts:
    """Count a network that stands here, also one whose shapes are no longer those of its recipe. A weight of 0 is counted as an operation: nothing here skips it. Errors: UnknownName."""
    weights = list(module.parameters())
    entry = ARCHS.get(arch)
    if "flops" in entry.facts:
        flops = int(entry.facts["flops"](module))
    elif entry.facts.get("dense"):
        flops = dense_flops(module)
    else:
        with torch.no_grad():
            flops = traced_flops(copy.deepcopy(module).to("meta"), inputs)
    return Counts(sum(w.numel() for w in weights), sum(int(torch.count_nonzero(w)) for w in weights), flops)
