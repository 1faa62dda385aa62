"""JSON: one object per line, or one array of flat objects."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pajson

from kd_core import limits
from kd_core.data.frames import check_counts, frame_of
from kd_core.data.readers import READERS
from kd_core.data.signatures import without_bom
from kd_core.data.table import Table
from kd_core.data.text_source import TextSource, plain_text
from kd_core.errors import DataError, Problem, raise_problems
from kd_core.specs import ReadSpec


def _is_json(path: Path, head: bytes) -> bool:
    start = without_bom(head)
    return start.startswith((b'{"', b"{}", b"{ ", b"{\r", b"{\n", b"[{", b"[ {", b"[\n", b"[\r", b"[]", b'["'))


@READERS.register("jsonl", title="JSON lines", extensions=(".jsonl", ".ndjson", ".json"), recognises=_is_json,
                  noun="JSON", starts="{ or [")  # fmt: skip
def read_jsonl(path: Path, read: ReadSpec, name: str) -> Table:
    """Read JSON lines, or an array of flat objects, with JSON's own types.

    Errors: DataError with code `bad_json` (line named), `not_a_table`, `nested_column` or a cap's code.
    """
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        text = plain_text(path, read.encoding, Path(folder))
        array = without_bom(text.path.read_bytes()[:4096]).startswith(b"[")
        table, problems = _read_objects(text, name, array)
    check_counts(name, table.num_rows, table.num_columns)
    raise_problems([_nested(f) for f in table.schema if pa.types.is_nested(f.type)])
    frame, named = frame_of(table)
    understood = {"format": "JSON array" if array else "JSON lines", "encoding": text.encoding}
    return Table(frame, "jsonl", understood, (*text.problems, *problems, *named), (), path.stat().st_size)


def _read_objects(text: TextSource, name: str, array: bool) -> tuple[pa.Table, list[Problem]]:
    if not array:
        try:
            with pa.OSFile(str(text.path)) as file:
                file.seek(text.start)
                return pajson.read_json(file, pajson.ReadOptions(block_size=16 * 2**20)), []
        except pa.ArrowInvalid:
            pass  # read again line by line, which names the broken line or the column of mixed types
    objects = _array_objects(text, name) if array else _line_objects(text, name)
    return _columns(objects, name)


def _line_objects(text: TextSource, name: str) -> Iterator[dict[str, Any]]:
    with text.path.open("rb") as file:
        file.seek(text.start)
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _object(line, number, name)


def _object(line: bytes, number: int, name: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        if number == 1:
            raise _no_table(name) from None
        raise DataError(
            "Line {line:,} is not valid JSON ({reason}).", "Every line must be one complete object.", "bad_json",
            line=number, reason=str(error),
        ) from None  # fmt: skip
    if not isinstance(value, dict):
        raise _no_table(name)
    return value


def _array_objects(text: TextSource, name: str) -> Iterator[dict[str, Any]]:
    try:
        values = json.loads(text.path.read_bytes()[text.start :])
    except (ValueError, RecursionError) as error:
        raise DataError(
            "{name} looks like JSON, but it is not valid ({reason}).", "Export it again.", "bad_json",
            name=name, reason=str(error),
        ) from None  # fmt: skip
    if not all(isinstance(value, dict) for value in values):
        raise _no_table(name)
    yield from values


def _no_table(name: str) -> DataError:
    return DataError(
        "{name} looks like JSON, but not like a table.",
        "Use one flat object per line, or one array of flat objects.", "not_a_table", name=name,
    )  # fmt: skip


def _columns(objects: Iterator[dict[str, Any]], name: str) -> tuple[pa.Table, list[Problem]]:
    """Gather objects into columns batch by batch; a column of mixed types becomes text, and that is said."""
    values: dict[str, list[Any]] = {}
    rows = 0
    for rows, item in enumerate(objects, 1):
        for key, value in item.items():
            column = values.get(key)
            if column is None:
                column = values[key] = []
                check_counts(name, 1, len(values))
            column.extend([None] * (rows - 1 - len(column)))
            column.append(value)
        if rows > limits.ROWS:
            check_counts(name, rows, len(values))
    arrays, problems = [], []
    for key, column in values.items():
        column.extend([None] * (rows - len(column)))
        try:
            arrays.append(pa.array(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            kinds = sorted({type(v).__name__ for v in column if v is not None})
            arrays.append(
                pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in column], pa.large_string())
            )
            problems.append(Problem(
                "warning", "mixed_types", f"Column '{key}' mixes {', '.join(kinds)}; it was read as text.",
                "Give the column one type in the file.", column=key, count=rows,
            ))  # fmt: skip
    return pa.table(arrays, names=list(values)), problems


def _nested(field: pa.Field) -> Problem:
    return Problem(
        "error", "nested_column", f"The file looks like JSON, and column '{field.name}' is nested ({field.type}), not one value per row.",
        "Flatten it before uploading, or leave it out.", column=field.name, count=1,
    )  # fmt: skip
