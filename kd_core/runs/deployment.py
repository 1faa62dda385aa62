"""The one file of a student that is deployed: made, checked against the engine's own answers, and timed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.data.encoding.vocabulary import Vocabulary
from kd_core.data.onnx_file import RUNTIME_ERRORS, open_session
from kd_core.data.pictures.column import as_files
from kd_core.data.views.table import TableView
from kd_core.errors import KDError
from kd_core.evaluate.latency import PARITY, network_latency, onnx_bytes
from kd_core.evaluate.threshold import Rule
from kd_core.export import compact
from kd_core.export.purpose import Purpose
from kd_core.export.raw_model import raw_model
from kd_core.export.raw_session import RawSession, RawStudent, ViewReader, open_front
from kd_core.machine import device as devices
from kd_core.machine.timing import measure_latency
from kd_core.models.base import ReadsFirst
from kd_core.models.building import viewed
from kd_core.runs import yes_no
from kd_core.specs import Choice
from kd_core.task import task_of
from kd_core.training.predict import predict

CHECKED_ROWS = 1000
FLIPPED_ROWS = 0.02  # a feature that differs in its last bit may fall on the other side of a step of whole numbers
OPENINGS = 9  # of each form, to tell how long it takes
WHOLE_BATCHES = (1, 1000)  # a row on its own, and as many as a file brings


@dataclass
class Deployment:
    """A student's ONNX file. `network` is the part of it that takes encoded rows; `session` answers raw rows by it; `reason` in words where there is no file.

    `names`: which names of category values it holds, where that is not all.
    `apart`: how far its answers to test rows are from the engine's: probabilities, or shares of the target's deviation.
    """

    data: bytes | None
    network: bytes | None = None
    session: RawSession | None = None
    apart: float | None = None
    reason: str | None = None
    names: Vocabulary | None = None
    threshold: float | None = None  # from which its answer is yes

    @functools.cached_property
    def compact(self) -> bytes | None:
        """The same file packed without loss, where it takes raw columns."""
        return compact.packed(self.data) if self.data is not None and self.session else None

    def told(self, timed: bool = False) -> dict[str, Any]:
        """Return what result.json says of it, with `timed` also how long each form takes to open. Units: bytes, milliseconds."""
        if self.data is None:
            return {"form": None, "bytes": None, "reason": self.reason}
        inputs = "encoded rows" if self.session is None else "columns" if self.session.view is None else "raw rows"
        found: dict[str, Any] = {"form": "onnx", "bytes": len(self.data), "inputs": inputs, "apart": self.apart}
        if self.names is not None:
            found["names"] = self.names.told()
        whole, short = self.data, self.compact
        if short is None:
            return found
        form = {"form": compact.SUFFIX.removeprefix("."), "bytes": len(short)}
        if timed:
            found["open_ms"] = _opening(lambda: RawStudent(whole))
            form["open_ms"] = _opening(lambda: RawStudent(compact.unpacked(short)))
        return found | {"compact": form}


def _opening(open_one: Callable[[], RawStudent]) -> float:
    """Time how long a file takes until it can answer: the median, in a program that has its libraries loaded. Units: milliseconds."""
    taken = []
    for _ in range(OPENINGS):
        before = time.perf_counter_ns()
        open_one()
        taken.append((time.perf_counter_ns() - before) / 1e6)
    return float(np.median(taken))


def purpose_of(dataset: Dataset, threshold: float | None = None) -> Purpose:
    """Say what models of a dataset are for; `threshold`: from which a model's answer is yes, where that is not the likelier class."""
    scale = dataset.target_mean, dataset.target_std
    task = task_of(dataset.task)
    group = dataset.spec.group if task.by_order else None
    target = str(dataset.spec.target)
    return Purpose(task, target, dataset.classes, *scale, dataset.settled, threshold, group)


def deploy(
    module: torch.nn.Module,
    dataset: Dataset,
    arch: Choice,
    split: Split = "test",
    rounded: bytes | None = None,
    rule: Rule | None = None,
) -> Deployment:
    """Write a student as one file that answers raw rows; of rows that were encoded already, one that takes those.

    A file that can't be made, or that answers otherwise than the engine, must not cost the finished trainings: why is told.
    `split`: the part whose rows the two are asked about; their labels are not read. `rounded`: the network's own file where a step
    changed that alone; it is then what the whole file is compared with. `rule`: chooses from which probability its answer is yes.
    """
    rows = viewed(dataset, arch)
    at = yes_no.chosen(dataset, _answered(module, rounded, rows.parts["validation"]), rule) if rule else None
    try:
        network = onnx_bytes(module, rows.spec) if rounded is None else rounded
        if rows.view is None:
            return Deployment(network, network, threshold=at)
        view = rows.view.first(module.reads()) if isinstance(module, ReadsFirst) else rows.view
        data = raw_model(network, view, purpose_of(dataset, at))
        session = RawStudent(data)
        names = view.names if isinstance(view, TableView) else None
        x = rows.parts[split][:CHECKED_ROWS]
        z = _answered(module, rounded, x)
        apart = _apart(session, z, dataset, split, 0.0 if rounded is None else FLIPPED_ROWS)
        return Deployment(data, network, session, apart, names=names, threshold=at)
    except KDError as error:
        return Deployment(None, reason=str(error), threshold=at)
    except RUNTIME_ERRORS as error:
        return Deployment(None, reason=f"ONNX Runtime can't run the file: {str(error).splitlines()[0]}", threshold=at)


def _answered(module: torch.nn.Module, rounded: bytes | None, x: Array) -> Array:
    """Ask the engine, or the network's own file where that is what counts. Shape: (N, ...) -> (N, C)."""
    if rounded is None:
        return predict(module, x, torch.device("cpu"))
    answers: Array = open_session(rounded).run(None, {"x": np.asarray(x)})[0]
    return answers


def _apart(session: RawStudent, z: Array, dataset: Dataset, split: Split, flipped: float = 0.0) -> float:
    """Compare a file's answers with `z`, the engine's; so large a share of the rows may be `flipped`, and is not counted. Errors: KDError `onnx_parity`."""
    purpose, frame = session.purpose, sample_rows(dataset, split)
    found, _ = session.run(frame)
    differences = purpose.task.apart(found, z, purpose.mean, purpose.std)
    rows = np.sort((differences / purpose.spread_W).max(axis=1, initial=0))
    apart = float(rows[: len(rows) - int(flipped * len(rows))].max(initial=0))
    if not apart <= PARITY:
        raise KDError(
            "The file answers otherwise than the engine: {apart:.2g} apart (allowed {allowed:.0e}).",
            "Do not deploy this student; report the data.",
            "onnx_parity",
            apart=apart,
            allowed=PARITY,
        )
    return apart


def sample_rows(dataset: Dataset, split: Split = "test") -> pd.DataFrame:
    """Take rows of a part as they came, every column that may be read. Shape: (N, columns), N at most `CHECKED_ROWS`."""
    return dataset.rows.iloc[dataset.parts[split].row_ids[:CHECKED_ROWS]]


def latency(module: torch.nn.Module, deployment: Deployment | None, dataset: Dataset, arch: Choice) -> dict[str, Any]:
    """Time a student: the network alone as `network_latency`, and `whole`, from raw rows to answers. Units: milliseconds."""
    exported = deployment.network if deployment else None
    found = network_latency(module, viewed(dataset, arch).spec, exported=exported)
    if deployment is None or deployment.session is None:
        return found
    return found | {"whole": whole_latency(deployment.session, sample_rows(dataset))}


def whole_latency(
    session: RawSession | ViewReader, rows: pd.DataFrame, batches: Sequence[int] = WHOLE_BATCHES
) -> dict[str, Any]:
    """Time answers to rows that come as dicts, reading included, pictures as files. Units: milliseconds, one thread."""
    named = as_files(rows[list(session.reader.types)])
    dicts: list[Any] = named.astype("object").where(named.notna(), None).to_dict("records")

    def batch(count: int) -> Any:
        return dicts[0] if count == 1 else [dicts[i % len(dicts)] for i in range(count)]

    with devices.threads(1):
        return measure_latency(session.run, batch, batches)


def with_reading(measured: Mapping[str, Any], dataset: Dataset, kind: str) -> dict[str, Any]:
    """Add what reading one raw row takes to what a teacher takes for it alone; nothing where that was not timed.

    The two are timed apart: the teacher was timed when it was trained, maybe by another run. Units: milliseconds.
    """
    if "whole" in measured:  # a teacher that reads texts itself is timed from the text on
        return {}
    view = dataset.view(kind).view
    alone = next((measured[n]["1"] for n in ("onnxruntime", "native", "torch") if "1" in measured.get(n, {})), None)
    if view is None or alone is None:
        return {}
    reading = whole_latency(open_front(view), sample_rows(dataset), (1,))["1"]
    return {"whole": {"1": {name: alone[name] + reading[name] for name in alone}}}
