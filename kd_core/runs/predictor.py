"""A finished run put to use: raw rows in, answers out, by the rules and weights that the run kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.torch

from kd_core.data.dataset import Array
from kd_core.data.files.reading import read_table
from kd_core.data.types.raw_rows import Rows, typed_rows
from kd_core.data.views import VIEWS
from kd_core.errors import DataError, KDError, raise_problems
from kd_core.machine.device import threads
from kd_core.models.building import build
from kd_core.runs.artifacts import MODEL
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.safe_io import Damaged
from kd_core.specs import Choice, ReadSpec
from kd_core.task import task_of
from kd_core.training.predict import predict
from kd_core.workspace import workspace

_UNFIT = (
    OSError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    safetensors.SafetensorError,
)  # files that don't fit together


def load(run: Path | str, student: str | None = None) -> Predictor:
    """Open a student of a finished run, by the run's folder or id; the best on validation unless one is named.

    Errors: KDError `no_model`, `no_student`, `run_damaged`, `no_run`.
    """
    folder = RunFolder(run) if Path(run).is_dir() else RunStore(workspace()).folder(str(run))
    result, told = folder.result(), folder.read(MODEL)
    if result is None or told is None:
        raise KDError(
            "Run {run} has no model that takes raw rows: it has not ended, or an earlier version made it.",
            "Resume it, or run it again: open the run and press Clone.",
            "no_model",
            run=folder.id,
        )
    outcome = read_outcome(result)
    name = student or outcome.students[outcome.best].name
    try:
        known = {one["name"]: one for one in told["students"]}
        if name in known:
            return Predictor(folder, told, known[name])
    except _UNFIT as error:
        why = f"does not fit the other files ({type(error).__name__}: {str(error)[:200]})"
        raise folder.damaged(MODEL, Damaged(why)) from None
    raise KDError(
        "Run {run} has no student '{name}'.",
        "Its students: {known}.",
        "no_student",
        run=folder.id,
        name=name,
        known=", ".join(known),
    )


class Predictor:
    """A trained student with its view and its target. Legend: N rows, C outputs."""

    def __init__(self, folder: RunFolder, told: Mapping[str, Any], student: Mapping[str, Any]) -> None:
        self.task, self.target, self.classes = task_of(told["task"]), str(told["target"]), tuple(told["classes"])
        self.scale, self.read = (float(told["mean"]), float(told["std"])), ReadSpec.model_validate(told["read"])
        files = [folder.artifact(name.removeprefix("artifacts/")) for name in (*student["view"], student["weights"])]
        *learned, weights = [(path.name, path.read_bytes()) for path in files]
        self.view = VIEWS.get(student["kind"]).make.from_state(dict(learned))
        arch = Choice.model_validate(student["arch"])
        self.module = build(arch, self.view.spec, self.task.num_outputs(len(self.classes)))
        self.module.load_state_dict(safetensors.torch.load(weights[1]))

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns that a row must have, in the order of rows that are lists."""
        return tuple(self.view.types)

    def logits(self, rows: Rows) -> Array:
        """Answer raw rows with logits; warnings name columns that are not used and values that could not be read.

        Shape: N rows -> (N, C) float32.
        Errors: DataError `columns_missing`, `columns_twice`, `row_width`, `cell_of_many`, `pictures_not_read`.
        """
        if any(column.kind == "picture" for column in self.view.types.values()):
            raise DataError(
                "This student reads pictures ({names}), which can't be given as rows yet.",
                "Use its ONNX file; pixels.json beside it says how it takes pixels.",
                "pictures_not_read",
                names=", ".join(self.columns),
            )
        frame, extra, lost = typed_rows(rows, self.view.types)
        unused = (f"{len(extra)} column(s) are not used: {', '.join(extra[:20])}",) if extra else ()
        for said in (*unused, *lost):
            warnings.warn(said, stacklevel=3)
        if not len(frame):  # a batch may be empty
            return np.zeros((0, self.task.num_outputs(len(self.classes))), np.float32)
        with threads(1):
            return predict(self.module, self.view.encode(frame))

    def predict(self, rows: Rows) -> pd.DataFrame:
        """Answer raw rows: dicts by column name, lists in the order of `columns`, or a data frame.

        The column named as the target holds the likeliest class, and `p_<class>` the probabilities; or it holds the number in
        the target's unit. The index is that of a data frame given, else 0 to N - 1.
        Errors: as `logits`.
        """
        found = self.task.answers(self.logits(rows), *self.scale)
        index = rows.index if isinstance(rows, pd.DataFrame) else None
        if not self.task.has_classes:
            return pd.DataFrame({self.target: found["values"]}, index)
        labels = np.array(self.classes, dtype=object)[found["p"].argmax(axis=1)]
        shares = {f"p_{name}": found["p"][:, at] for at, name in enumerate(self.classes)}
        return pd.DataFrame({self.target: labels, **shares}, index)

    def predict_file(self, path: Path | str, name: str | None = None) -> pd.DataFrame:
        """Answer the rows of a file, laid out as the file of the run was: separator, encoding and first row.

        What the reader found odd is told by warnings.
        Errors: DataError as for any file, `ragged_rows` where rows would be left out; as `logits`.
        """
        table = read_table(path, self.read, name)
        raise_problems([replace(p, severity="error") for p in table.problems if p.code == "ragged_rows"])
        for problem in table.problems:
            warnings.warn(problem.message, stacklevel=2)
        return self.predict(table.frame)
