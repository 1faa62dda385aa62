"""An uploaded ONNX file: described and asked in a limited child process (`sandbox.call`); nothing in it is trusted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from kd_core.errors import DataError
from kd_core.limits import FILE_BYTES
from kd_core.machine.timing import BATCHES, measure_latency

OFFICIAL = ("", "ai.onnx", "ai.onnx.ml")  # operations of ONNX itself; others may run code or read files
_CHUNK_ROWS = 1024  # answered at once: bounds the memory


def describe(path: str) -> dict[str, Any]:
    """Tell inputs and outputs ({name, dtype, shape}; None: any size) and count the weights.

    Errors: DataError `onnx_damaged`, `onnx_external`, `onnx_custom`, `onnx_size`.
    """
    model = _checked(path)
    graph, given = model.graph, {one.name for one in model.graph.initializer}
    return {
        "inputs": [_described(one) for one in graph.input if one.name not in given],
        "outputs": [_described(one) for one in graph.output],
        "parameters": sum(
            prod(part.dims) if isinstance(part, onnx.TensorProto) else len(part.floats)
            for part in _parts(graph)
            if isinstance(part, onnx.TensorProto | onnx.AttributeProto)
        ),
    }


def answer(
    path: str, source: str, output: str, dtype: str, batch: int | None, parts: list[str], factor: float = 1.0
) -> dict[str, Any]:
    """Answer arrays of rows, from `<part>.npy` to `<part>.answer.npy`, and time batches of the first.

    `batch`: how many rows the model takes at once, None for any number; `factor`: of the numbers in a row. Errors: DataError as `describe`, `onnx_run`.
    """
    model, step = _checked(path), batch or _CHUNK_ROWS
    try:
        os.chdir(Path(parts[0]).parent)  # nothing of interest lies here
        session = open_session(model.SerializeToString())

        def run(x: Any) -> Any:
            return session.run([output], {source: x})[0]

        def given(x: Any) -> Any:
            rows = np.asarray(x, dtype=dtype)
            return rows if factor == 1 else rows * rows.dtype.type(factor)

        for part in parts:
            x = np.load(f"{part}.npy", mmap_mode="r", allow_pickle=False)
            found = []
            for start in range(0, len(x), step):
                rows = given(x[start : start + step])
                filled = rows if batch is None else rows[np.arange(batch) % len(rows)]
                found.append(np.asarray(run(filled), dtype=np.float32).reshape(len(filled), -1)[: len(rows)])
            np.save(f"{part}.answer.npy", np.concatenate(found), allow_pickle=False)
        sizes = BATCHES if batch is None else (batch,)
        x = np.load(f"{parts[0]}.npy", mmap_mode="r", allow_pickle=False)
        return measure_latency(run, lambda n: given(x[np.arange(n) % len(x)]), sizes)
    except MemoryError:
        raise
    except Exception as error:
        raise DataError(
            "The ONNX file can't answer these rows: {why}.",
            "Check that it was made for rows of this kind.",
            "onnx_run",
            why=str(error).splitlines()[0][:300] if str(error) else type(error).__name__,
        ) from None


def _checked(path: str) -> onnx.ModelProto:
    """Read a model and refuse what it must not have."""
    if Path(path).stat().st_size > FILE_BYTES:
        raise DataError(
            "The ONNX file has more than {most} MB.", "Use a smaller model.", "onnx_size", most=FILE_BYTES // 2**20
        )
    try:
        model = onnx.load_model_from_string(Path(path).read_bytes())
        if not model.graph.node:
            raise ValueError("it has no operations")
        own = {f.domain for f in model.functions}
        for part in _parts(model):
            if isinstance(part, onnx.TensorProto) and (part.data_location or part.external_data):
                raise DataError(
                    "The ONNX file keeps its weights in another file ({name}), which is not read.",
                    "Save it as one file with all weights inside.",
                    "onnx_external",
                    name=part.name[:80],
                )
            if isinstance(part, onnx.NodeProto) and part.domain not in (*OFFICIAL, *own):
                raise DataError(
                    "The ONNX file needs the operation {operation} of '{domain}', which is not part of ONNX.",
                    "Export it with standard operations only.",
                    "onnx_custom",
                    operation=part.op_type[:80],
                    domain=part.domain[:80],
                )
        onnx.checker.check_model(model)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            "This is no ONNX file that can be used: {why}.",
            "Export the model again as ONNX.",
            "onnx_damaged",
            why=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
        ) from None
    return model


def _parts(message: Any) -> Iterator[Any]:
    """Walk through everything in a model: graphs inside operations and functions, too."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in (value,) if hasattr(value, "ListFields") else value:
                yield from _parts(part)


def _described(one: Any) -> dict[str, Any]:
    """Tell name, numpy type and shape of an input or output; anything but a tensor has the type `other`."""
    if not one.type.HasField("tensor_type"):
        return {"name": one.name, "dtype": "other", "shape": []}
    tensor = one.type.tensor_type
    shape = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    return {"name": one.name, "dtype": str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)), "shape": shape}


# What ONNX Runtime raises for a file that it can't read or run; its errors have no class in common.
RUNTIME_ERRORS = (
    errors.NotImplemented,
    errors.InvalidProtobuf,
    errors.InvalidGraph,
    errors.InvalidArgument,
    errors.Fail,
)


def open_session(
    data: bytes, threads: int = 1, providers: Sequence[str] = ("CPUExecutionProvider",)
) -> onnxruntime.InferenceSession:
    """Open an ONNX model, on one thread of the CPU unless more are asked for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=list(providers))
