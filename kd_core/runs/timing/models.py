"""A model of a run opened to be timed: its file, its network, the rows that it answers, and how large it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import safetensors.torch
from onnx import numpy_helper

from kd_core.compress.base import STEPS
from kd_core.data.types.base import ColumnType
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.compact import packed
from kd_core.export.purpose import Purpose
from kd_core.export.raw_model import raw_model
from kd_core.models.base import ReadsFirst
from kd_core.models.sizes import counted
from kd_core.runs import predictor
from kd_core.runs.continuing import earlier
from kd_core.runs.exporting.as_written import as_written
from kd_core.runs.predictor import Predictor
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.kept_rows import frame_of
from kd_core.runs.timing.listed import Listed
from kd_core.runs.timing.network import Network

Row = dict[str, Any]


@dataclass
class Timed:
    """A model ready to be timed; what it lacks is None, and `lacks` says why, by the name of the runtime, in words.

    `file` takes raw rows, `network` rows that were read; `net` is what torch runs. `own`: a teacher that its own library answers for, from
    raw rows (`by_frame`: from a data frame), `own_read` from rows that were read. `rows`: raw rows as a program has them; `frame`: the same
    with all columns. `parts`: of which a fresh process makes `net` again.
    """

    listed: Listed
    rows: list[Row]
    frame: pd.DataFrame
    purpose: Purpose
    file: bytes | None = None
    network: bytes | None = None
    net: Network | None = None
    own: Callable[[Any], Any] | None = None
    own_read: Callable[[Any], Any] | None = None
    by_frame: bool = False
    lacks: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    size: dict[str, int | None] = field(default_factory=dict)
    parts: dict[str, Any] | None = None
    read: Any = None

    @property
    def x(self) -> Any:
        """Rows as its view reads them; None where nothing reads rows apart from the model."""
        if self.read is None and self.net is not None:
            self.read = self.net.view.read(self.rows)[0]
        return self.read


def open_model(folder: RunFolder, one: Listed) -> Timed:
    """Open a student, a stage, a plain model or a baseline. Errors: KDError, in words, where it can't be timed."""
    opened = predictor.load(folder.path, one.name)
    assert isinstance(opened, Predictor)
    if one.role == "baseline" and opened.student.get("arm") != "baseline":
        return _baseline(folder, one, opened)
    found = _timed(folder, one, opened.purpose, opened.deployed.reader.types if opened.deployed else None, opened)
    if opened.deployed is not None:
        found.file = opened.kept(opened.student["onnx"])
    network = opened.student.get("network") or (None if opened.deployed else opened.student.get("onnx"))
    found.network = opened.kept(network) if network else None
    if found.network is None:
        found.lacks["onnxruntime"] = _plain(str(opened.student.get("onnx_reason") or "the run kept no file of it"))
    compact = opened.student.get("compact")
    _sized(found, opened.student["arch"], opened.kept(compact) if compact else None)
    if why := _file_only(folder, one):
        found.lacks["torch"] = found.lacks["compile"] = why
    return found


def _plain(reason: str) -> str:
    return reason.rstrip(". ")


def _timed(
    folder: RunFolder, one: Listed, purpose: Purpose, types: Mapping[str, ColumnType] | None, opened: Predictor
) -> Timed:
    """Open the engine's form and the rows; a stage that only its file has goes without."""
    lacks: dict[str, str] = {}
    net, parts = None, None
    try:
        net = Network(opened.engine.view, opened.engine.module, purpose)
        parts = _parts(opened, opened.kept(opened.student["weights"]))
    except KDError as error:
        lacks["torch"] = lacks["compile"] = _plain(error.message)
        if types is None:
            raise
    frame = frame_of(folder)
    known = types if types is not None else net.view.types if net else {}
    return Timed(one, as_given(frame, known), frame, purpose, net=net, lacks=lacks, parts=parts)


def _parts(opened: Predictor, weights: bytes) -> dict[str, Any]:
    student = opened.student
    return {
        "entry": {name: student[name] for name in ("arch", "kind")},
        "view": {Path(name).name: opened.kept(name) for name in student["view"]},
        "weights": weights,
    }


def as_given(frame: pd.DataFrame, types: Mapping[str, ColumnType]) -> list[Row]:
    """Write rows as a program has them: numbers as numbers, all else as its file would hold it."""
    rows = as_written(frame, types)
    for name, column in types.items():
        if column.kind == "number":
            for row, value in zip(rows, frame[name].astype("object").tolist(), strict=True):
                row[name] = None if pd.isna(value) else value
    return rows


def _baseline(folder: RunFolder, one: Listed, opened: Predictor) -> Timed:
    """Make the deployed file of the student that learned alone, of the weights that the run kept, as the run makes a student's."""
    student = opened.student
    found = earlier.open_run(str(folder.path))
    key: earlier.Key = ("baseline", one.name, int(student["seed"]))
    if key not in found.files:
        raise KDError(
            "The run did not keep the weights of '{name}' trained alone.",
            "Time the student: its shape is the same.",
            "latency_baseline",
            name=one.name,
        )
    parts = _parts(opened, safetensors.torch.save(found.state(*key)))
    net = Network.again(parts["entry"], parts["view"], parts["weights"], opened.purpose)
    frame = frame_of(folder)
    made = Timed(one, as_given(frame, net.view.types), frame, opened.purpose, net=net, parts=parts)
    try:
        made.network = onnx_bytes(net.module, net.view.spec)
        reads = net.module.reads() if isinstance(net.module, ReadsFirst) else None
        made.file = raw_model(made.network, net.view if reads is None else net.view.first(reads), made.purpose)
    except KDError as error:
        made.lacks["onnxruntime"] = _plain(error.message)
    _sized(made, opened.student["arch"], packed(made.file) if made.file else None)
    return made


def _sized(found: Timed, arch: Mapping[str, Any], compact: bytes | None) -> None:
    """Count bytes and numbers; of what has only a file the numbers in it."""
    found.size = {
        "bytes": len(found.file or found.network or b"") or None,
        "compact": len(compact) if compact else None,
        "parameters": None,
        "nonzero": None,
        "flops": None,
    }
    if found.net is not None:
        found.size |= counted(found.net.module, str(arch["name"]), found.net.view.spec).told()
    elif found.network is not None:
        found.size |= numbers_in(found.network)


def numbers_in(network: bytes) -> dict[str, int]:
    """Count the numbers in a network's file that are weights, and those of them that are not 0: tensors of two dimensions and more with their vectors of float or whole numbers."""
    arrays = [numpy_helper.to_array(one) for one in onnx.load_from_string(network).graph.initializer]
    weights = [a for a in arrays if a.ndim >= 1 and a.dtype.kind in "fiu" and a.dtype != np.int64]
    return {"parameters": sum(a.size for a in weights), "nonzero": sum(int(np.count_nonzero(a)) for a in weights)}


def _file_only(folder: RunFolder, one: Listed) -> str | None:
    """Say why torch can't run a stage: a step before it, or its own, changed the file alone."""
    result = folder.result() or {}
    stages = {s["id"]: s for s in (result.get("compressed") or {}).get("stages", ())}
    at = next((s for s in stages.values() if s["name"] == one.name), None)
    while at is not None:
        step = (at.get("step") or {}).get("name")
        if step and STEPS.get(step).facts["changes"] == "file":
            return f"the step {step} changed its file alone, and torch has the network as it was before"
        at = stages.get(at.get("parent"))
    return None
