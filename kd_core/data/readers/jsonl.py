"""JSON: one object per line, or one array of flat objects; read in a child process with limits."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from kd_core.data.files import sandbox
from kd_core.data.files.frames import frame_of
from kd_core.data.files.signatures import without_bom
from kd_core.data.files.text_source import plain_text
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.errors import Says
from kd_core.specs import ReadSpec

_STARTS = (b'{"', b"{}", b"{ ", b"{\r", b"{\n", b"[{", b"[ {", b"[\n", b"[\r", b"[]", b'["')

_MIXED_TYPES = Says(
    "mixed_types",
    "warning",
    "Column '{column}' mixes {kinds}; it was read as text.",
    "Give the column one type in the file.",
)


def _is_json(path: Path, head: bytes) -> bool:
    return without_bom(head).startswith(_STARTS)


@READERS.register(
    "jsonl",
    title="JSON lines",
    extensions=(".jsonl", ".ndjson", ".json"),
    recognises=_is_json,
    noun="JSON",
    starts="{ or [",
)
def read_jsonl(path: Path, read: ReadSpec, name: str) -> Table:
    """Read JSON lines, or an array of flat objects, with JSON's own types.

    Errors: DataError with code `bad_json` (line named), `not_a_table`, `nested_column`, `parse_memory`,
    `parse_crash` or a cap's code.
    """
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        text = plain_text(path, read.encoding, Path(folder))
        with text.path.open("rb") as file:
            array = without_bom(file.read(4096)).startswith(b"[")
        found = sandbox.call(
            "kd_core.data.files.json_rows:extract", str(text.path.resolve()), text.start, array, folder, name
        )
        frame, named = frame_of(pq.read_table(Path(folder) / "rows.parquet"))
    mixed = [_MIXED_TYPES.problem(column, rows, kinds=", ".join(kinds)) for column, kinds, rows in found["mixed"]]
    understood = {"format": "JSON array" if array else "JSON lines", "encoding": text.encoding}
    return Table(frame, "jsonl", understood, (*text.problems, *mixed, *named), (), path.stat().st_size)
