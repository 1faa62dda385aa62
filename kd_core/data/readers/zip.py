"""A zip of tables: all of one schema together, or one chosen member."""

from __future__ import annotations

from pathlib import Path

from kd_core.data.archives.tables import part_in, tables_in
from kd_core.data.files.signatures import is_zip
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.specs import ReadSpec


def _is_plain_zip(path: Path, head: bytes) -> bool:
    return is_zip(head)


@READERS.register(
    "zip",
    title="Zip of tables",
    extensions=(".zip",),
    recognises=_is_plain_zip,
    noun="a zip archive",
    starts="PK",
    part=part_in,
)
def read_zip(path: Path, read: ReadSpec, name: str) -> Table:
    """Read the tables in a zip. Errors: as `tables_in`."""
    return tables_in(path, read, name)
