"""Inside the limited child process: a Parquet file unpacked column by column, so that what explodes or crashes does so there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kd_core import limits
from kd_core.data.files.caps import check_bytes, check_counts, nested_column
from kd_core.errors import DataError, Problem, Says, raise_problems

BATCH_ROWS = 65_536  # read at once
SLICE_BYTES = 64 * 2**20  # expanded at once: a dictionary may repeat a long text in each row

_BAD_TEXT = Says(
    "bad_text",
    "error",
    "Column '{column}': {count:,} {count:cell is|cells are} not valid UTF-8 text, in row {where}.",
    "Write the column as UTF-8 text, or as bytes if it holds no text.",
)


def unpack(path: str, folder: str, name: str) -> dict[str, Any]:
    """Write each column, expanded, to `<folder>/<place>.arrow`; bytes are counted before they are expanded.

    Errors: DataError with code `incomplete`, `nested_column`, `bad_text`, `unpacks_too_large` or a cap's code.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            names = list(schema.names)
            check_counts(name, file.metadata.num_rows, len(schema))
            raise_problems([nested_column(field) for field in schema if pa.types.is_nested(field.type)])
            widths = [f.type.byte_width for f in schema if pa.types.is_fixed_size_binary(f.type)]
            check_bytes(name, file.metadata.num_rows * sum(widths))
        # As dictionaries, repeated texts stay small until they have been counted.
        kept = [field.name for field in schema if _is_text(field.type)]
        with pq.ParquetFile(path, read_dictionary=kept) as file:
            size, problems = 0, []
            for place, label in enumerate(names):
                batches = file.reader.iter_batches(
                    BATCH_ROWS, row_groups=range(file.num_row_groups), column_indices=[place], use_threads=False
                )
                column = _Column(str(label), name, size, Path(folder) / f"{place}.arrow")
                size = column.write(batch.column(0) for batch in batches)
                problems += column.problems
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if "No space left" in str(error):
            raise DataError(
                "The disk is full: unpacking {name} needs up to {limit:,} MB in {folder}.",
                "Make room and try again.",
                "disk_full",
                name=name,
                limit=limits.ZIP_TOTAL_BYTES // 2**20,
                folder=str(Path(folder).parent),
            ) from None
        raise DataError(
            "{name} is incomplete or damaged ({reason}).",
            "Upload it again.",
            "incomplete",
            name=name,
            reason=str(error).split("\n")[0][:200],
        ) from None
    raise_problems(problems)
    return {"names": [str(n) for n in names], "size_bytes": size}


class _Column:
    """One column on its way to a file of its own. `size`: bytes that the columns before it took."""

    def __init__(self, label: str, name: str, size: int, target: Path) -> None:
        self.label, self.name, self.size, self.target = label, name, size, target
        self.rows = self.bad = 0
        self.bad_rows: list[int] = []

    def write(self, arrays: Iterator[Any]) -> int:
        """Expand and write piece by piece; return the bytes taken so far."""
        writer = None
        try:
            for array in arrays:
                held = array.storage if isinstance(array.type, pa.BaseExtensionType) else array
                size = expanded_bytes(held)
                self.size += size
                check_bytes(self.name, self.size)
                step = max(1, int(len(held) * SLICE_BYTES / max(size, 1)))
                for start in range(0, len(held), step):
                    piece = self._checked(_expanded(held.slice(start, step)))
                    self.rows += len(piece)
                    if writer is None:
                        writer = pa.ipc.new_file(str(self.target), pa.schema([pa.field("0", piece.type)]))
                    writer.write_batch(pa.record_batch([piece], names=["0"]))
        finally:
            if writer is not None:
                writer.close()
        return self.size

    def _checked(self, piece: Any) -> Any:
        """Count texts that are no UTF-8: pandas and Arrow would stumble over them far from here."""
        if not pa.types.is_large_string(piece.type):
            return piece
        try:
            piece.validate(full=True)
        except pa.ArrowInvalid:
            for number, value in enumerate(pc.cast(piece, pa.large_binary()).to_pylist(), self.rows + 1):
                try:
                    (value or b"").decode("utf-8")
                except UnicodeDecodeError:
                    self.bad += 1
                    self.bad_rows += [number] if len(self.bad_rows) < limits.EXAMPLE_ROWS else []
            return pa.nulls(len(piece), pa.large_string())
        return piece

    @property
    def problems(self) -> list[Problem]:
        if not self.bad:
            return []
        shown = ", ".join(f"{row:,}" for row in self.bad_rows)
        return [_BAD_TEXT.problem(self.label, self.bad, tuple(self.bad_rows), where=shown)]


def _is_text(kind: Any) -> bool:
    kinds = pa.types
    return any(
        is_kind(kind) for is_kind in (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    )


def expanded_bytes(array: Any) -> int:
    """Count the bytes an array takes when every row holds its own value; bytes are written as two hex digits each.

    Example: 100,000 rows that share one text of 50 KB in a dictionary take 5 GB.
    """
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes) * (2 if _is_bytes(array.type) else 1)
    values = array.dictionary
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not _is_text(values.type):
        return len(array) * max(1, int(values.nbytes) // max(1, len(values)))
    length = pc.cast(pc.binary_length(values), pa.int64())
    taken = int(pc.sum(pc.take(length, array.indices)).as_py() or 0)
    return taken * (2 if _is_bytes(values.type) else 1) + 8 * len(array)


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _expanded(array: Any) -> Any:
    """Give every row its own value: dictionaries decoded, bytes as hexadecimal text, text with wide offsets."""
    while pa.types.is_dictionary(array.type):
        kind = array.type.value_type
        if pa.types.is_string(kind) or pa.types.is_binary(kind):  # 32-bit offsets end at 2 GB
            kind = pa.large_string() if pa.types.is_string(kind) else pa.large_binary()
        array = pc.take(pc.cast(array.dictionary, kind), array.indices)
    if _is_bytes(array.type):
        return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.large_string())
    return pc.cast(array, pa.large_string()) if pa.types.is_string(array.type) else array
