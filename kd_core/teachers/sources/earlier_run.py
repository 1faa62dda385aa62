"""A model of an earlier run as a teacher: its student, or a plain model that it kept, asked about raw rows by its own encoding."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from torch import nn

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import typed_rows
from kd_core.data.types.row_hash import row_hashes
from kd_core.data.view import View
from kd_core.errors import DataError, KDError, Problem, Says
from kd_core.evaluate.latency import network_latency
from kd_core.machine.device import pick, threads
from kd_core.machine.timing import measure_latency
from kd_core.models.building import SHORT_FORM
from kd_core.models.sizes import file_bytes
from kd_core.specs import Spec, unit
from kd_core.task import IN_FULL, SOME_CLASSES
from kd_core.teachers import kept_models
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import class_order, logits_of, told
from kd_core.teachers.kept_models import Kept
from kd_core.training.predict import predict

_SAW = Says(
    "earlier_run_saw",
    "warning",
    "{test:,} of {tests:,} test rows are among the rows that the earlier run learned from or chose by; so are {train:,} of {trains:,} "
    "training rows.",
    "Its answers to them look better than they are for new rows, and so may the comparison with it.",
)
_SAW_NONE = Says(
    "earlier_run_saw_none",
    "note",
    "None of the {tests:,} test rows is among the rows that the earlier run learned from or chose by; {train:,} of {trains:,} training "
    "rows are.",
    "To those its answers are surer than to new rows.",
)
_NOT_KNOWN = Says(
    "earlier_run_rows",
    "warning",
    "Whether test rows are among the rows that the earlier run learned from can't be known: {why}",
    "If they are, its answers look better than they are for new rows, and so may the comparison with it.",
)
_MORE_COLUMNS = Says(
    "earlier_run_columns",
    "note",
    "The earlier run's model also reads {names}, which the students of this run do not see.",
)
_LOST = Says("earlier_run_values", "warning", "The earlier run's model: {said}")


class EarlierRunSpec(Spec):
    """Which run, and which of its models."""

    run: str = Field(
        "",
        pattern=f"^{kept_models.NAME}$|^$",
        description="A finished run; on the command line its id, its name, or the path of its folder.",
        json_schema_extra=unit("name", run=True),
    )
    student: str | None = Field(
        None,
        max_length=80,
        description="Which of its students, or of the plain models beside them; needed where it has several.",
        json_schema_extra=unit("name", model_of="run"),
    )


@dataclass(frozen=True)
class EarlierModel:
    """A kept model that answers in the classes, or the scale, of a dataset: `Live`."""

    kept: Kept
    view: View
    module: nn.Module
    dataset: Dataset

    def read(self, rows: pd.DataFrame) -> tuple[Array, tuple[str, ...]]:
        """Answer raw rows, and return what a person should be told. Errors: DataError `columns_missing`. Shape: N rows -> (N, C)."""
        x, said = self.view.read(rows[[name for name in self.view.types if name in rows]])
        with threads(1):
            z = predict(self.module, x, pick("cpu"))
        if SOME_CLASSES(self.kept.task):
            return z[:, list(class_order(self.kept.classes, self.dataset))], said
        scale = float(self.kept.run["mean"]), float(self.kept.run["std"])
        values = self.kept.task.answers(z.astype(np.float64), *scale)["values"]
        return logits_of(values[:, None], self.dataset)[0], said

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows -> (N, C) float32 logits."""
        return self.read(rows)[0]

    def save(self, folder: Path) -> None:
        """Copy the model's files, and the name by which it is found among them."""
        root = self.kept.folder.resolve()
        for file in (*self.kept.files(), root / kept_models.MODEL):
            target = folder / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        (folder / "model.txt").write_text(str(self.kept.model["name"]), "utf-8")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset) -> EarlierModel:
        """Open what `save` wrote. Errors: DataError as `kept_models.open_folder`."""
        return cls.of(kept_models.open_folder(folder, (folder / "model.txt").read_text("utf-8")), dataset)

    @classmethod
    def of(cls, kept: Kept, dataset: Dataset) -> EarlierModel:
        """Open a kept model for a dataset that it fits. Errors: DataError `earlier_run_other`, `other_classes`, `earlier_run_damaged`."""
        ours = {"target": str(dataset.spec.target), "task": dataset.task}
        theirs = {"target": str(kept.run["target"]), "task": str(kept.run["task"])}
        if differ := [
            f"its {name} is '{theirs[name]}', here it is '{ours[name]}'" for name in ours if ours[name] != theirs[name]
        ]:
            raise DataError(
                "Run {run} predicts something else: {differ}.",
                "Take a run with the same target, or rename the column.",
                "earlier_run_other",
                run=kept.folder.name,
                differ="; ".join(differ),
            )
        if SOME_CLASSES(kept.task):
            class_order(kept.classes, dataset)
        return cls(kept, *kept.open(), dataset)


def _missing(spec: EarlierRunSpec) -> DataError | None:
    return None if spec.run else DataError("No earlier run is chosen.", "Choose a finished run (run).", "no_run")


def _refuses(spec: EarlierRunSpec) -> KDError | None:
    try:
        if spec.run:
            kept_models.find(spec.run, spec.student or "")
    except KDError as error:
        return error
    return None


def _content(spec: EarlierRunSpec) -> str:
    try:
        return kept_models.find(spec.run, spec.student or "").content()
    except KDError:  # whoever opens it says so
        return ""


@SOURCES.register(
    "earlier_run",
    title="Earlier run",
    spec=EarlierRunSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    group="earlier",
    missing=_missing,
    refuses=_refuses,
    content=_content,
    live=lambda spec, dataset: EarlierModel.of(kept_models.find(spec.run, spec.student or ""), dataset),
)
def answer(spec: EarlierRunSpec, ask: Ask) -> Answered:
    """Ask the run's model about every row, and count the rows that it has seen. Errors: DataError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    kept = kept_models.find(spec.run, spec.student or "")
    model = EarlierModel.of(kept, dataset)
    logits, lost = {}, dict[str, None]()
    for split in SPLITS:
        stop_if_asked(ask.should_stop)
        logits[split], said = model.read(dataset.rows.iloc[dataset.parts[split].row_ids])
        lost |= dict.fromkeys(said)
    notes = [_seen(kept, model.view.types, dataset), *(_LOST.problem(said=one) for one in lost)]
    if more := [name for name in model.view.types if name not in dataset.columns]:
        notes.append(
            _MORE_COLUMNS.problem(
                names=", ".join(more[:20]) + (f" and {len(more) - 20} more" if len(more) > 20 else "")
            )
        )
    ids = dataset.validation.row_ids
    latency: dict[str, Any] = network_latency(model.module, model.view.spec)
    latency["whole"] = measure_latency(model.ask, lambda n: dataset.rows.iloc[ids[np.arange(n) % len(ids)]])
    return Answered(
        logits,
        sum(p.numel() for p in model.module.parameters()),
        file_bytes(model.module.state_dict()),
        latency,
        time.perf_counter() - start,
        details={"run": kept.folder.name, "model": kept.model["name"], "arch": kept.model["arch"]["name"]},
        notes=tuple(told(problem) for problem in notes),
        live=model,
    )


def _seen(kept: Kept, types: Mapping[str, ColumnType], dataset: Dataset) -> Problem:
    """Count the rows whose values, in the columns that the model reads, are those of rows that the earlier run learned from."""
    try:
        earlier = prepare(kept.data())
        ids = np.concatenate([earlier.train.row_ids, earlier.validation.row_ids])
        known = _hashes(earlier.rows.iloc[ids], types)
    except (KDError, OSError, KeyError, TypeError, ValueError) as error:
        return _NOT_KNOWN.problem(
            why=error.message if isinstance(error, KDError) else f"its data can't be read ({error})."
        )
    found = {
        s: int(np.isin(_hashes(dataset.rows.iloc[dataset.parts[s].row_ids], types), known).sum())
        for s in ("train", "test")
    }
    says = _SAW if found["test"] else _SAW_NONE
    return says.problem(test=found["test"], tests=len(dataset.test), train=found["train"], trains=len(dataset.train))


def _hashes(rows: pd.DataFrame, types: Mapping[str, ColumnType]) -> Array:
    typed, _, _ = typed_rows(rows[[name for name in types if name in rows]], types)
    return row_hashes([typed[name] for name in types])
