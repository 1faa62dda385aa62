"""Inside the limited child process: JSON objects written as Parquet columns.

Arrow's JSON parser is fast but ends the whole process on deep nesting (100,000 levels), so it must not run in the server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pajson
import pyarrow.parquet as pq

from kd_core import limits
from kd_core.data.files.caps import check_bytes, check_counts, nested_column
from kd_core.errors import DataError, raise_problems

_BLOCK_BYTES = 16 * 2**20
_GAP = re.compile(r"[\s,]*")


def extract(path: str, start: int, array: bool, folder: str, name: str) -> dict[str, Any]:
    """Write the objects of a UTF-8 file as `<folder>/rows.parquet`; return the columns of mixed types.

    Errors: DataError with code `bad_json` (line named), `not_a_table`, `nested_column` or a cap's code.
    """
    source = Path(path)
    if array:
        source, start = _as_lines(source, start, Path(folder) / "array.jsonl", name), 0
    mixed: list[list[Any]] = []
    try:
        with pa.OSFile(str(source)) as file:
            file.seek(start)
            table = pajson.read_json(file, pajson.ReadOptions(block_size=_BLOCK_BYTES))
    except pa.ArrowInvalid:  # Python reads again line by line and names the broken line or the mixed column
        table, mixed = _columns(_line_objects(source, start, name), name)
    check_counts(name, table.num_rows, table.num_columns)
    raise_problems(
        [nested_column(f, "The file looks like JSON, and column") for f in table.schema if pa.types.is_nested(f.type)]
    )
    check_bytes(name, table.nbytes)
    pq.write_table(table, Path(folder) / "rows.parquet", compression="NONE", use_dictionary=False)
    return {"mixed": mixed}


def _as_lines(source: Path, start: int, target: Path, name: str) -> Path:
    """Copy the objects of an array to one line each."""
    text = source.read_bytes()[start:].decode("utf-8").lstrip()
    decoder, position, rows = json.JSONDecoder(), 1, 0
    with target.open("w", encoding="utf-8") as out:
        while True:
            gap = _GAP.match(text, position)
            position = gap.end() if gap else position
            if text.startswith("]", position):
                return target
            try:
                value, end = decoder.raw_decode(text, position)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    "{name} looks like JSON, but it is not valid ({reason}).",
                    "Export it again.",
                    "bad_json",
                    name=name,
                    reason=str(error)[:200],
                ) from None
            if not isinstance(value, dict):
                raise _no_table(name)
            out.write(text[position:end].replace("\n", " ").replace("\r", " ") + "\n")
            position, rows = end, rows + 1
            if rows > limits.ROWS:
                check_counts(name, rows, 1)


def _line_objects(source: Path, start: int, name: str) -> Iterator[dict[str, Any]]:
    with source.open("rb") as file:
        file.seek(start)
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
            "Line {line:,} is not valid JSON ({reason}).",
            "Every line must be one complete object.",
            "bad_json",
            line=number,
            reason=str(error)[:200],
        ) from None
    if not isinstance(value, dict):
        raise _no_table(name)
    return value


def _no_table(name: str) -> DataError:
    return DataError(
        "{name} looks like JSON, but not like a table.",
        "Use one flat object per line, or one array of flat objects.",
        "not_a_table",
        name=name,
    )


def _columns(objects: Iterator[dict[str, Any]], name: str) -> tuple[pa.Table, list[list[Any]]]:
    """Gather objects into columns; a column of mixed types becomes text: [column, kinds, rows]."""
    values: dict[str, list[Any]] = {}
    rows = 0
    for rows, item in enumerate(objects, 1):
        for key, value in item.items():
            column = values.setdefault(key, [])
            column.extend([None] * (rows - 1 - len(column)))
            column.append(value)
        if rows > limits.ROWS or len(values) > limits.COLUMNS:
            check_counts(name, rows, len(values))
    arrays, mixed = [], []
    for key, column in values.items():
        column.extend([None] * (rows - len(column)))
        try:
            arrays.append(pa.array(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            text = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in column]
            arrays.append(pa.array(text, pa.large_string()))
            mixed.append([key, sorted({type(v).__name__ for v in column if v is not None}), rows])
    return pa.table(arrays, names=list(values)), mixed
