"""Any supported file made into a table, told apart by content."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

from kd_core import limits
from kd_core.data.files.signatures import GZIP, head_of
from kd_core.data.readers import READERS, pick
from kd_core.data.table import Table
from kd_core.errors import DataError, Says
from kd_core.safe_io import shown_name
from kd_core.specs import ReadSpec

_CHUNK = 4 * 2**20

_CONTENT_DIFFERS = Says(
    "content_differs",
    "note",
    "The name ends in {ending}, but the file starts with {starts}: this is {noun}, not {expected}. "
    "It was read as {noun}.",
    "Nothing to do if the table below looks right.",
)


def accepted_extensions() -> list[str]:
    """List the file name endings of all readers, gzip included."""
    return sorted({end for entry in READERS.entries() for end in entry.facts["extensions"]} | {".gz"})


def read_table(path: Path | str, read: ReadSpec | None = None, name: str | None = None) -> Table:
    """Read a file as a table: the format is found by content, the name is only shown.

    Errors: DataError naming all problems found, with counts and places.
    Example: `read_table("visits.csv").frame`
    """
    path, read = Path(path), read or ReadSpec()
    shown = shown_name(name or path.name)
    if not path.is_file():
        raise DataError("There is no file {path!r}.", "Check the path.", "no_file", path=str(path))
    size = path.stat().st_size
    if size == 0:
        raise DataError("The file is empty (0 bytes).", "Choose another file.", "empty_file")
    if size > limits.FILE_BYTES:
        raise too_large(shown, size)
    if head_of(path).startswith(GZIP):
        with tempfile.TemporaryDirectory(prefix="kd-") as folder:
            table = _read_plain(_unpacked(path, Path(folder), size, shown), read, shown.removesuffix(".gz"))
        return replace(table, understood={**table.understood, "compression": "gzip"}, size_bytes=size)
    return replace(_read_plain(path, read, shown), size_bytes=size)


def too_large(name: str, size: int | None = None) -> DataError:
    """Make the error for a file over the size limit."""
    measured = f"{size / 2**20:,.1f} MB" if size is not None else f"more than {limits.FILE_BYTES // 2**20} MB"
    return DataError(
        "{name} is {measured}; at most {limit} MB are read.",
        "Take a sample of the rows, or save as Parquet.",
        "file_too_large",
        name=name,
        measured=measured,
        limit=limits.FILE_BYTES // 2**20,
    )


def _read_plain(path: Path, read: ReadSpec, name: str) -> Table:
    entry = pick(path, name)
    table = entry.make(path, read, name)
    if table.header is None and (read.header == "no" or read.names):
        raise DataError(
            "{name} is {noun}: its columns have names of their own, not in a first row.",
            "Leave the names and the first row to the file.",
            "own_names",
            name=name,
            noun=entry.facts["noun"],
        )
    ending = Path(name).suffix.lower()
    known = {end: e for e in READERS.entries() for end in e.facts["extensions"]}
    if ending in known and known[ending] is not entry:
        note = _CONTENT_DIFFERS.problem(
            ending=ending,
            starts=entry.facts["starts"],
            noun=entry.facts["noun"],
            expected=known[ending].facts["noun"],
            format=entry.name,
        )
        table = replace(table, problems=(note, *table.problems))
    return table


def _unpacked(path: Path, folder: Path, size: int, name: str) -> Path:
    """Unpack a gzip file, bounded by ratio and total size."""
    most = min(limits.ZIP_TOTAL_BYTES, max(size, 2**20) * limits.ZIP_RATIO)
    target, written = folder / "unpacked", 0
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as out:
            while chunk := packed.read(_CHUNK):
                written += len(chunk)
                if written > most:
                    raise DataError(
                        "{name} unpacks to more than {limit:,} MB ({ratio} times its size at most).",
                        "Upload the file unpacked, or take a sample of the rows.",
                        "unpacks_too_large",
                        name=name,
                        limit=most // 2**20,
                        ratio=limits.ZIP_RATIO,
                    )
                out.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            "{name} is incomplete or damaged ({error}).", "Upload it again.", "incomplete", name=name, error=str(error)
        ) from None
    if written == 0:
        raise DataError("The file is empty (0 bytes).", "Choose another file.", "empty_file")
    if head_of(target).startswith(GZIP):
        raise DataError("{name} is packed twice with gzip.", "Unpack it once and upload that.", "nested", name=name)
    return target
