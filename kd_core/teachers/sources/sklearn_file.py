"""A scikit-learn model in skops format as a teacher: built of known types alone, and asked in a limited child process."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.encoding.text_block import texts_of
from kd_core.data.input_spec import TABLE
from kd_core.data.plain.counted import plural
from kd_core.errors import DataError, Problem, Says
from kd_core.models.building import SHORT_FORM
from kd_core.specs import Spec, unit
from kd_core.task import IN_FULL, task_of
from kd_core.teachers import foreign_files
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, logits_of, told
from kd_core.teachers.model_files.child import limited
from kd_core.teachers.model_files.class_names import class_order
from kd_core.teachers.model_files.columns import Reads, find_columns
from kd_core.teachers.model_files.spec import FILE_OR_NONE

OPENS = ("skops",)
_NOUN, _MODULE = "skops", "kd_core.data.model_files.skops_file"
How = Literal["columns", "numbers", "table", "text"]
_READS = Says("model_reads", "note", "The skops file holds {type}; it reads {what} and is asked by {function}.")
_VERSION = Says(
    "model_version",
    "warning",
    "The model was saved by scikit-learn {theirs}, here is {ours}: its answers may differ from those where it came from.",
    "Compare some of them, or save it again with this version.",
)
_FORMS = {"predict_proba": "probabilities", "decision_function": "logits", "predict": "auto"}


class SklearnFileSpec(Spec):
    """Which file, and what it reads."""

    path: str = Field(
        "",
        pattern=FILE_OR_NONE,
        description="The model, as skops.io.dump writes it.",
        json_schema_extra=unit("file", file=(".skops", *foreign_files.ENDINGS)),
    )
    reads: Literal["auto", "columns", "numbers", "table", "text"] = Field(
        "auto",
        description="columns: those that it names, as they are; numbers: the columns below as numbers; table: all columns as numbers, encoded "
        "as for the other teachers; text: one column of texts. Auto: columns where it names them, text where it begins with a vectoriser, "
        "numbers where columns are named below, else the table where the width fits.",
        json_schema_extra=unit("name"),
    )
    columns: tuple[str, ...] = Field(
        (),
        max_length=2000,
        description="Columns of the data in the order of the model's features, for numbers; or the one column of texts.",
        json_schema_extra=unit("names", columns=True),
    )


@dataclass(frozen=True)
class SklearnModel:
    """A file that can be asked about rows: `Live`."""

    file: Path
    spec: SklearnFileSpec
    facts: Mapping[str, Any]
    how: How
    reads: Reads
    dataset: Dataset
    order: Array | None
    notes: tuple[Problem, ...]

    def rows(self, rows: pd.DataFrame) -> pd.DataFrame | Array:
        """Bring typed rows into the form that the model reads. Shape: N rows -> (N, F)."""
        if self.how == "columns":
            return self.reads.frame(rows, self.facts["names"] or self.reads.columns)
        if self.how == "text":
            return pd.DataFrame({"text": texts_of(rows[self.reads.columns[0]])})
        return self.reads.numbers(rows)

    def answers(self, parts: Sequence[pd.DataFrame | Array]) -> tuple[list[Array], dict[str, Any]]:
        """Ask about rows in that form; with the time per batch. Shape: each (N, F) -> (N, C) float32 logits.

        Errors: DataError of the model, `model_nan`, `model_width`.
        """
        form = {"columns": "frame", "text": "text"}.get(self.how, "array")
        function = self.facts["function"]
        with tempfile.TemporaryDirectory(prefix="kd-sklearn-") as folder:
            names = [str(Path(folder) / str(i)) for i in range(len(parts))]
            for name, part in zip(names, parts, strict=True):
                if isinstance(part, pd.DataFrame):
                    part.to_parquet(f"{name}.parquet")
                else:
                    np.save(f"{name}.npy", part, allow_pickle=False)
            latency = limited(_NOUN, f"{_MODULE}:answer", str(self.file.resolve()), function, form, names)
            found = [np.load(f"{name}.answer.npy", allow_pickle=False) for name in names]
        return [self._logits(values) for values in found], latency

    def _logits(self, values: Array) -> Array:
        if np.isnan(values).any():
            raise DataError("The model answers some rows with no number.", "Check the model.", "model_nan")
        form = _FORMS[self.facts["function"]]
        if self.order is not None:
            if values.shape[1] == 1:
                values = np.concatenate([np.zeros_like(values), values], axis=1)
            if values.shape[1] != len(self.order):
                raise DataError(
                    "The model answers a row with {found} numbers for {classes} classes.",
                    "Save one whose decisions are one for each class (decision_function_shape 'ovr').",
                    "model_width",
                    found=values.shape[1],
                    classes=len(self.order),
                )
            values = values[:, self.order]
        return logits_of(values, self.dataset, form)[0]  # type: ignore[arg-type]

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer rows from outside. Shape: N rows -> (N, C) float32 logits."""
        if self.how == "table":
            view = self.dataset.view(TABLE).view
            assert view is not None
            return self.answers([view.encode(rows)])[0][0]
        return self.answers([self.rows(self.reads.typed(rows))])[0][0]

    def save(self, folder: Path) -> None:
        """Copy the file, with what was asked for."""
        shutil.copyfile(self.file, folder / "teacher.skops")
        (folder / "teacher.json").write_text(self.spec.to_json(), "utf-8")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset) -> SklearnModel:
        """Open what `save` wrote. Errors: DataError as `open_model`."""
        spec = SklearnFileSpec.parse(json.loads((folder / "teacher.json").read_text("utf-8")))
        return open_model(folder / "teacher.skops", spec, dataset)


def open_model(file: Path, spec: SklearnFileSpec, dataset: Dataset) -> SklearnModel:
    """Look into a file, and find what it reads and its classes in a dataset.

    Errors: DataError of the file, `model_task`, `model_names`, `model_columns`, `model_classes`.
    """
    facts = _described(str(file.resolve()), file.stat().st_mtime_ns, file.stat().st_size)
    has_classes = task_of(dataset.task).has_classes
    if has_classes is (facts["function"] == "predict"):
        raise DataError(
            "The model predicts {found}, the data's target is {wanted}.",
            "Take a model for this target.",
            "model_task",
            found=f"{len(facts['classes'])} classes" if facts["classes"] else "a number",
            wanted=f"{len(dataset.classes)} classes" if has_classes else "a number",
        )
    how = _how(spec, facts, dataset)
    columns = [] if how == "table" else _columns(how, spec, facts, dataset)
    what = {
        "columns": f"{plural(len(columns), 'column')} by {'its name' if len(columns) == 1 else 'their names'}",
        "numbers": f"{plural(len(columns), 'column')} as numbers ({', '.join(columns[:20])})",
        "table": f"the encoded table of {facts['features']} numbers",
        "text": f"the texts of {', '.join(columns)}",
    }[how]
    notes = [_READS.problem(type=facts["type"], what=what, function=facts["function"])]
    if facts["said"]:
        from sklearn import __version__

        notes.append(_VERSION.problem(theirs=", ".join(facts["said"]), ours=__version__))
    order = None
    if has_classes:
        order, found = class_order(facts["classes"], len(facts["classes"]), dataset, ())
        notes.append(found)
    return SklearnModel(file, spec, facts, how, Reads.of(dataset, columns), dataset, order, tuple(notes))


@functools.lru_cache(16)
def _described(path: str, changed: int, size: int) -> dict[str, Any]:
    """Look into a file once, as long as it stays the same: a child process takes some seconds to load scikit-learn."""
    found: dict[str, Any] = limited(_NOUN, f"{_MODULE}:describe", path)
    return found


def _how(spec: SklearnFileSpec, facts: Mapping[str, Any], dataset: Dataset) -> How:
    """Choose how rows are read."""
    if spec.reads != "auto":
        return spec.reads
    if facts["names"]:
        return "columns"
    if facts["text"]:
        return "text"
    if spec.columns:
        return "numbers"
    width = dataset.view(TABLE).spec.width if TABLE in dataset.views.kinds else None
    if width == facts["features"]:
        return "table"
    raise DataError(
        "The model reads {features} numbers and does not name them; the encoded table of this data has {width}.",
        "Name the columns of the data in the order of its features (columns).",
        "model_names",
        features=facts["features"],
        width=width if width is not None else "none",
    )


def _columns(how: How, spec: SklearnFileSpec, facts: Mapping[str, Any], dataset: Dataset) -> list[str]:
    """Find the columns that are read. Errors: DataError `model_names`, `model_text`, and those of `find_columns`."""
    if how == "text":
        names = spec.columns or dataset.texts
        if len(names) != 1:
            raise DataError(
                "The model reads one text a row; the data has {count} columns of free text.",
                "Name the one that it reads (columns).",
                "model_text",
                count=len(names),
            )
        return find_columns(names, dataset)
    names = (facts["names"] or spec.columns) if how == "columns" else spec.columns or facts["names"]
    if len(names) != facts["features"]:
        raise DataError(
            "The model reads {features} columns and {known}.",
            "Name the columns of the data in the order of its features (columns).",
            "model_names",
            features=facts["features"],
            known=f"{len(names)} are named" if names else "its file does not say which",
        )
    return find_columns(names, dataset)


def _missing(spec: SklearnFileSpec) -> DataError | None:
    return None if spec.path else DataError("No skops file is chosen.", "Upload one (path).", "no_file")


@SOURCES.register(
    "sklearn_file",
    title="scikit-learn file (skops)",
    spec=SklearnFileSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    opens=OPENS,
    live=lambda spec, dataset: open_model(foreign_files.check(spec.path, OPENS), spec, dataset),
    refuses=lambda spec: foreign_files.why_not(spec.path, OPENS),
)
def answer(spec: SklearnFileSpec, ask: Ask) -> Answered:
    """Ask the model about every row of the dataset. Errors: DataError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    file = foreign_files.check(spec.path, OPENS)
    model = open_model(file, spec, dataset)
    stop_if_asked(ask.should_stop)
    if model.how == "table":
        parts = [dataset.view(TABLE).parts[split] for split in SPLITS]
    else:
        parts = [model.rows(dataset.rows.iloc[dataset.parts[split].row_ids]) for split in SPLITS]
    found, latency = model.answers(parts)
    nothing = {"reason": "this teacher runs in scikit-learn, so only that was measured"}
    return Answered(
        dict(zip(SPLITS, found, strict=True)),
        model.facts["parameters"],
        file.stat().st_size,
        {"native": latency, "onnxruntime": nothing},
        time.perf_counter() - start,
        details={"model": model.facts["type"]},
        notes=tuple(told(problem) for problem in (*model.notes, MAYBE_SEEN.problem())),
        live=model,
    )
