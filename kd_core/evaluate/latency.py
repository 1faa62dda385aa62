"""How long one prediction takes, on torch and on ONNX Runtime, one thread."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.data.input_spec import InputSpec
from kd_core.data.onnx_file import open_session
from kd_core.errors import KDError
from kd_core.machine import device as devices
from kd_core.machine.timing import BATCHES, measure_latency
from kd_core.models.base import OwnONNX, Settles

PARITY = 1e-5  # float32 networks differ by rounding only, about 1e-6
PARITY_ROWS = (1, 3)  # beside all of the example


class _Logits(nn.Module):
    """Only the logits: what is deployed has no use for features or members."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.module(x).logits
        return logits


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence what the exporter says about itself; its exceptions still come through."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def onnx_bytes(module: nn.Module, inputs: InputSpec) -> bytes:
    """Export a network as ONNX, input `x` as `inputs` describes it, output `logits`, any number of rows.

    The file is checked by ONNX itself and its answers against torch, for several numbers of rows. Torch's exporter by
    tracing takes milliseconds; the one by `torch.export` knows more operations and takes seconds, so it comes second. A module that
    is an `OwnONNX` writes the file itself and says on which rows to compare.
    Errors: KDError with code `onnx_export` or `onnx_parity`, as the second exporter has it.
    """
    alone = _Logits(copy.deepcopy(module)).cpu().float().eval()
    if isinstance(alone.module, Settles):
        alone.module.settle()
    if isinstance(module, OwnONNX):
        return _exported(alone, torch.from_numpy(module.trying_rows()), lambda *given: module.onnx_model())
    example = torch.from_numpy(inputs.example(8))
    try:
        return _exported(alone, example, _by_tracing)
    except KDError:
        return _exported(alone, example, _by_torch_export)


def _exported(alone: nn.Module, example: Tensor, export: Callable[[nn.Module, Tensor], onnx.ModelProto]) -> bytes:
    try:
        with _quiet_exporter():
            model = _without_traces(export(alone, example))
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise KDError(
            "The network can't be exported to ONNX: {error}.",
            "Use it from torch, or choose another architecture.",
            "onnx_export",
            error=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    data = bytes(model.SerializeToString())
    try:
        session = open_session(data)
        counts = (len(example), *PARITY_ROWS)
        answers = [session.run(None, {"x": example[:rows].numpy()})[0] for rows in counts]
    except Exception as error:
        raise KDError(
            "ONNX Runtime can't run the exported network: {error}.",
            "Use it from torch, or choose another architecture.",
            "onnx_export",
            error=str(error).splitlines()[0],
        ) from error
    for rows, found in zip(counts, answers, strict=True):
        with torch.inference_mode():
            check_parity(alone(example[:rows]).numpy(), found)
    return data


def _by_tracing(alone: nn.Module, example: Tensor) -> onnx.ModelProto:
    file = io.BytesIO()
    torch.onnx.export(
        alone,
        (example,),
        file,  # type: ignore[arg-type]  # this exporter takes files, too
        input_names=["x"],
        output_names=["logits"],
        dynamo=False,
        dynamic_axes={"x": {0: "rows"}, "logits": {0: "rows"}},
    )
    return onnx.load_from_string(file.getvalue())


def _by_torch_export(alone: nn.Module, example: Tensor) -> onnx.ModelProto:
    program = torch.onnx.export(
        alone,
        (example,),
        input_names=["x"],
        output_names=["logits"],
        dynamo=True,
        verbose=False,
        dynamic_shapes={"x": {0: torch.export.Dim("rows", min=1)}},
        external_data=False,
    )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out the stack traces that the exporter writes beside nodes: they name files of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    return model


def check_parity(expected: Array, found: Array) -> None:
    """Compare two runtimes' logits. Errors: KDError `onnx_parity` when they differ by more than rounding."""
    scale = max(1.0, float(np.abs(expected).max()))
    apart = float(np.abs(expected - found).max()) / scale if expected.shape == found.shape else float("inf")
    if not apart <= PARITY:
        raise KDError(
            "ONNX Runtime and torch differ by {apart:.2g} (allowed {allowed:.0e}).",
            "Do not deploy this file; report the architecture.",
            "onnx_parity",
            apart=apart,
            allowed=PARITY,
        )


def onnx_session(module: nn.Module, inputs: InputSpec) -> onnxruntime.InferenceSession:
    """Export a network and open it in ONNX Runtime with one thread. Errors: KDError as `onnx_bytes`."""
    return open_session(onnx_bytes(module, inputs))


def network_latency(
    module: nn.Module, inputs: InputSpec, batches: Sequence[int] = BATCHES, exported: bytes | None = None
) -> dict[str, Any]:
    """Time a network on the CPU: {"torch": {...}, "onnxruntime": {...}}, each as `measure_latency` has it.

    `exported`: its ONNX file where there is one already, else it is made. A network that ONNX can't express has {"reason": ...} instead of numbers.
    """
    alone = _Logits(copy.deepcopy(module)).cpu().eval()
    with devices.threads(1), torch.inference_mode():
        found: dict[str, Any] = {
            "torch": measure_latency(alone, lambda n: torch.from_numpy(inputs.example(n)), batches)
        }
    try:
        session = open_session(exported) if exported else onnx_session(module, inputs)
    except KDError as error:
        return found | {"onnxruntime": {"reason": str(error)}}
    return found | {"onnxruntime": measure_latency(lambda x: session.run(None, {"x": x}), inputs.example, batches)}
