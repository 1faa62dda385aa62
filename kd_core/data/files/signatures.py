"""What a file really is, told from its first bytes and never from its name."""

from __future__ import annotations

import re
from pathlib import Path

from kd_core.errors import DataError

HEAD_BYTES = 4096

# Source: the file-signature tables of the formats' own specifications. (bytes, shown bytes, what it is)
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "89 50 4E 47", "a PNG picture"),
    (b"\xff\xd8\xff", "FF D8 FF", "a JPEG picture"),
    (b"GIF8", "GIF8", "a GIF picture"),
    (b"%PDF", "%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "D0 CF 11 E0", "an old Office file (.xls, .doc) or an encrypted workbook"),
    (b"7z\xbc\xaf", "7z", "a 7-Zip archive"),
    (b"Rar!", "Rar!", "a RAR archive"),
    (b"BZh", "BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "FD 37 7A 58 5A", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "28 B5 2F FD", "a Zstandard file"),
    (b"ARROW1", "ARROW1", "an Arrow/Feather file"),
    (b"FEA1", "FEA1", "a Feather file"),
    (b"\x89HDF", "89 48 44 46", "an HDF5 file"),
    (b"SQLite format 3", "SQLite format 3", "a SQLite database"),
    (b"\x93NUMPY", "93 4E 55 4D 50 59", "a NumPy array"),
    (b"\x7fELF", "7F 45 4C 46", "a program"),
    (b"Obj\x01", "Obj 01", "an Avro file"),
    (b"ORC", "ORC", "an ORC file"),
)
_PICKLE = re.compile(rb"\A\x80[\x02-\x05](?:\x95|[\]}\(c])")
_HTML = re.compile(rb"\A\s*(?:<!doctype html|<html|<head|<\?xml[^>]*>\s*<(?:!doctype html|html))", re.IGNORECASE)
_XML = re.compile(rb"\A\s*<(?:\?xml|[a-z][\w:-]*[\s>/])", re.IGNORECASE)
GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def head_of(path: Path) -> bytes:
    """Read the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def is_zip(head: bytes) -> bool:
    """Say whether the bytes begin a zip archive (also a modern Office file)."""
    return head.startswith(ZIP)


def without_bom(head: bytes) -> bytes:
    """Drop a UTF-8 byte order mark and white space from the front."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def refuse_foreign(head: bytes, name: str) -> None:
    """Refuse what no reader may open: pictures, programs, pickles, web pages, other archives.

    Errors: DataError with code `feather`, `pickle`, `web_page`, `xml` or `wrong_format`, naming the first bytes.
    """
    if head.startswith((b"ARROW1", b"FEA1")):
        raise DataError(
            "{name} is a Feather/Arrow file, which is refused because its format is unsafe to open from others.",
            "Save it as Parquet or CSV and upload that.",
            "feather",
            name=name,
        )
    if _PICKLE.match(head):
        raise DataError(
            "{name} is a Python pickle file. Pickle files can run code, so they are never opened.",
            "Save the table as Parquet or CSV and upload that.",
            "pickle",
            name=name,
        )
    for magic, shown, what in _MAGIC:
        if head.startswith(magic):
            raise DataError(
                "{name} starts with {bytes}: this is {what}, not a table.",
                "Upload CSV, Parquet, Excel (.xlsx), JSON lines or a zip of CSV files.",
                "wrong_format",
                name=name,
                bytes=shown,
                what=what,
            )
    start = without_bom(head)
    if _HTML.match(start):
        raise DataError(
            "{name} looks like a web page (it starts with {start!r}), not a table.",
            "A download that needed a login often saves the login page. Sign in and download the file again.",
            "web_page",
            name=name,
            start=start[:15].decode("latin-1"),
        )
    if _XML.match(start):
        raise DataError(
            "{name} looks like XML, not a table.", "Export the table as CSV and upload that.", "xml", name=name
        )
