"""Writing that survives a crash, and names and cells that can't hurt anybody."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
import unicodedata
from pathlib import Path
from typing import IO, Any

from kd_core.errors import DataError

NAME_BYTES = 255  # of one part of a path, on every common file system
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file in one step: temporary file, fsync, rename. A crash leaves the old file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace a text file (UTF-8) in one step."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file in one step. Errors: ValueError on NaN or infinity, which are not JSON."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file (UTF-8)."""
    return json.loads(path.read_text("utf-8"))


_DAMAGE = {
    errno.ELOOP: "is a link",
    errno.ENOTDIR: "does not lie in a folder",
    errno.ENXIO: "is no file",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.EIO: "can't be read from the disk",
}


class Damaged(ValueError):
    """A file of ours that can't be read as what it should be; its words finish the sentence 'result.json ...'."""


def open_own(path: Path) -> IO[bytes]:
    """Open a file of ours for reading: a link is not followed, a pipe is not waited for.

    Errors: FileNotFoundError; Damaged where there is something else than a readable file; OSError for the rest.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _DAMAGE:
            raise Damaged(_DAMAGE[error.errno]) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Damaged("is no file")
    return os.fdopen(handle, "rb")


def read_object(path: Path) -> dict[str, Any]:
    """Read a file of ours that holds a JSON object (UTF-8).

    Errors: FileNotFoundError; Damaged when it holds anything else.
    """
    with open_own(path) as file:
        data = file.read()
    try:
        found = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Damaged("is empty" if not data.strip() else "is not JSON") from None
    if not isinstance(found, dict):
        raise Damaged("holds no JSON object")
    return found


def sha256_file(path: Path) -> str:
    """Hash a file's bytes (sha256, hex) without holding it in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(name: str) -> bool:
    """Say whether a name can be written at all: JSON can spell half a letter, a file system can't."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def inside(root: Path, *parts: str) -> Path:
    """Join parts under a root and refuse everything that would leave it.

    Errors: DataError with code `outside_workspace`.
    """
    base = root.resolve()
    if any("\x00" in part for part in parts):
        raise DataError("The name {name!r} holds a NUL byte.", "Rename the file.", "outside_workspace", name=parts[-1])
    if any(
        len(piece.encode("utf-8", "replace")) > NAME_BYTES or not _is_whole(piece)
        for part in parts
        for piece in part.split("/")
    ):
        raise DataError(
            "No file can be named {name}.", "Rename the file.", "outside_workspace", name=ascii("/".join(parts))[:80]
        )
    found = base.joinpath(*parts).resolve()
    if found != base and not found.is_relative_to(base):
        raise DataError(
            "The path {name!r} leads out of the workspace.",
            "Use a plain name.",
            "outside_workspace",
            name="/".join(parts),
        )
    return found


def shown_name(name: str, most: int = 80) -> str:
    """Make an uploaded file's name safe to show: last path part, no control characters, shortened.

    Example:
        >>> shown_name("../../etc/pass\\x00wd.csv")
        'passwd.csv'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip() or "unnamed"
    return clean if len(clean) <= most else clean[: most - 12] + "…" + clean[-11:]


def export_cell(value: Any) -> Any:
    """Prefix text that a spreadsheet would run as a formula. Source: OWASP ASVS 1.2.10."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
