"""Parquet: bounded from its metadata, then tried in a child process with limits before it is read here."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from kd_core.data import sandbox
from kd_core.data.frames import frame_of_columns
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.specs import ReadSpec


def _is_parquet(path: Path, head: bytes) -> bool:
    return head.startswith(b"PAR1")


@READERS.register("parquet", title="Parquet", extensions=(".parquet", ".pq"), recognises=_is_parquet,
                  noun="a Parquet file", starts="PAR1")  # fmt: skip
def read_parquet(path: Path, read: ReadSpec, name: str) -> Table:
    """Read a Parquet file with its own column types, one column at a time.

    Errors: DataError with code `incomplete`, `nested_column`, `parse_memory`, `parse_crash` or a cap's code.
    """
    sandbox.call("kd_core.data.parquet_check:measure", str(path.resolve()), name)
    with pq.ParquetFile(path) as file:
        names = tuple(file.schema_arrow.names)
        # Nested columns were refused, so a column's place in the schema is its place in the file.
        columns = (file.reader.read_all(column_indices=[i], use_threads=False).column(0) for i in range(len(names)))
        frame, problems = frame_of_columns(names, columns)
    return Table(frame, "parquet", {"format": "Parquet"}, tuple(problems), (), path.stat().st_size)
