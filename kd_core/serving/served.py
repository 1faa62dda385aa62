"""What a service answers with: a bundle, a run's student or a student's file, opened without executing anything of it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kd_core.data.onnx_file import RUNTIME_ERRORS
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Array
from kd_core.errors import KDError
from kd_core.export.bundle_file import contents
from kd_core.export.purpose import Purpose
from kd_core.export.raw_session import RawStudent
from kd_core.runs.exporting.as_written import as_written
from kd_core.runs.predictor import FromFile, Predictor, load
from kd_core.specs import ReadSpec

EXAMPLES = 20  # rows that are kept to show what a row looks like
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Served:
    """A model that answers raw rows. `examples`: rows as a file would hold them, none where the file tells none."""

    name: str
    types: Mapping[str, ColumnType]
    purpose: Purpose
    model: Predictor | RawStudent
    examples: tuple[Row, ...] = ()

    def run(self, rows: Any) -> tuple[Array, tuple[str, ...]]:
        """Answer rows, and say what a person should be told. Shape: N rows -> (N, C) probabilities or (N, 1). Errors: as `RowReader.read`."""
        return self.model.run(rows) if isinstance(self.model, RawStudent) else self.model.ask(rows)

    @property
    def pictures(self) -> tuple[str, ...]:
        """Name the columns that hold pictures."""
        return tuple(name for name, column in self.types.items() if column.kind == "picture")


def open_served(place: str, student: str | None = None) -> Served:
    """Open a bundle (.zip), a student's file (.onnx, .onnx.xz), or a student of a run by folder or id.

    Errors: KDError `bundle_damaged`, `bundle_version`, `no_student`, and as `predictor.load`.
    """
    path = Path(place)
    if (path.is_file() and zipfile.is_zipfile(path)) or path.suffix.lower() == ".zip":
        return _bundle(path, student)
    predictor = load(place, student)
    types = predictor.deployed.reader.types if predictor.deployed else predictor.engine.view.types
    if isinstance(predictor, FromFile):
        return Served(path.name, types, predictor.purpose, predictor)
    return Served(str(predictor.student["name"]), types, predictor.purpose, predictor, _kept_rows(predictor, types))


def _bundle(path: Path, student: str | None) -> Served:
    if not path.is_file():
        raise KDError("There is no bundle {path}.", "Check the path.", "no_file", path=path)
    if student is not None:
        raise KDError(
            "{name} holds one student; '{student}' was asked for.",
            "Leave --student out, or serve the run instead of the bundle.",
            "no_student",
            name=path.name,
            student=student,
        )
    manifest, files = contents(path)
    try:
        model = RawStudent(files["model.onnx"])
    except (KeyError, TypeError, ValueError, RuntimeError, *RUNTIME_ERRORS) as error:
        raise KDError(
            "{name} holds no student's file that takes raw rows ({why}).",
            "Export it again from its run: export RUN --target bundle --out FILE.zip.",
            "bundle_damaged",
            name=path.name,
            why=f"{type(error).__name__}: {str(error)[:200]}",
        ) from None
    types = model.reader.types
    examples = tuple(_columns(row, types) for row in _sample(files, model.purpose.read, list(types)))
    return Served(str(manifest.get("name") or path.stem), types, model.purpose, model, examples)


def _sample(files: Mapping[str, bytes], read: ReadSpec, names: list[str]) -> list[Row]:
    """Read the sample rows of a bundle, which are laid out as the training file was; pictures are the bytes of the files that it names."""
    text = files.get("sample.csv", b"").decode(read.encoding or "utf-8", "replace")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=read.separator or ","))
    if read.header != "no" and lines:
        names = lines.pop(0)
    return [{n: files.get(cell, cell) for n, cell in zip(names, line, strict=False)} for line in lines[:EXAMPLES]]


def _columns(row: Row, types: Mapping[str, ColumnType]) -> Row:
    return {name: row.get(name) or None for name in types}


def _kept_rows(predictor: Predictor, types: Mapping[str, ColumnType]) -> tuple[Row, ...]:
    """Return the first test rows that a run kept, as a file would hold them; none where it kept none."""
    path = predictor.folder.artifact("rows.parquet")
    if not path.is_file():
        return ()
    frame = pd.read_parquet(path)
    if not set(types) <= set(frame.columns):
        return ()
    return tuple(as_written(frame[list(types)].head(EXAMPLES), types))
