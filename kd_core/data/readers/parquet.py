"""Parquet: unpacked in a child process with limits; the server only takes the finished columns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kd_core.data.files import sandbox
from kd_core.data.files.frames import frame_of_columns
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.specs import ReadSpec


def _is_parquet(path: Path, head: bytes) -> bool:
    return head.startswith(b"PAR1")


@READERS.register(
    "parquet",
    title="Parquet",
    extensions=(".parquet", ".pq"),
    recognises=_is_parquet,
    noun="a Parquet file",
    starts="PAR1",
)
def read_parquet(path: Path, read: ReadSpec, name: str) -> Table:
    """Read a Parquet file with its own column types, one column at a time.

    Errors: DataError with code `incomplete`, `nested_column`, `bad_text`, `parse_memory`, `parse_crash` or a cap's code.
    """
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        found = sandbox.call("kd_core.data.files.parquet_check:unpack", str(path.resolve()), folder, name)
        frame, problems = frame_of_columns(tuple(found["names"]), _columns(Path(folder), len(found["names"])))
    return Table(frame, "parquet", {"format": "Parquet"}, tuple(problems), (), path.stat().st_size)


def _columns(folder: Path, count: int) -> Iterator[pa.ChunkedArray]:
    """Take the columns one by one; each file goes as soon as its column is in memory."""
    for place in range(count):
        file = folder / f"{place}.arrow"
        with pa.OSFile(str(file)) as source:
            column = pa.ipc.open_file(source).read_all().column(0)
        file.unlink()
        yield column
