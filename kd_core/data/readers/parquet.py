"""Parquet: bounded from its metadata before any value is read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kd_core.data.frames import check_counts, frame_of
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.errors import DataError, Problem, raise_problems
from kd_core.specs import ReadSpec


def _is_parquet(path: Path, head: bytes) -> bool:
    return head.startswith(b"PAR1")


@READERS.register("parquet", title="Parquet", extensions=(".parquet", ".pq"), recognises=_is_parquet,
                  noun="a Parquet file", starts="PAR1")  # fmt: skip
def read_parquet(path: Path, read: ReadSpec, name: str) -> Table:
    """Read a Parquet file with its own column types.

    Errors: DataError with code `incomplete`, `nested_column`, or a cap's code.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            check_counts(name, file.metadata.num_rows, len(schema))
            raise_problems([_nested(field) for field in schema if pa.types.is_nested(field.type)])
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "{name} is incomplete or damaged ({reason}).", "Upload it again.", "incomplete",
            name=name, reason=str(error).split("\n")[0][:200],
        ) from None  # fmt: skip
    frame, problems = frame_of(table)
    return Table(frame, "parquet", {"format": "Parquet"}, tuple(problems), (), path.stat().st_size)


def _nested(field: pa.Field) -> Problem:
    return Problem(
        "error", "nested_column", f"Column '{field.name}' is nested ({field.type}), not one value per row.",
        "Flatten it before uploading, or leave it out.", column=field.name, count=1,
    )  # fmt: skip
