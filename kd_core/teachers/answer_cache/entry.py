"""One kept thing on disk: arrays and facts in a folder that appears whole, is checked, and is read by mapping."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.safe_io import read_json, sha256_file, write_json

Entry = tuple[dict[str, Array], dict[str, Any]]
MANIFEST, META = "manifest.json", "meta.json"
_ATTEMPTS = 10  # another process would have to come between each time
# Files whose checksum was right in this process, by what a change of a file changes; a file is hashed once.
_CHECKED: dict[Path, tuple[int, ...]] = {}


def write_entry(folder: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any], beside: Path | None = None) -> None:
    """Write arrays and facts as one folder that appears in one step; the checksummed manifest is written last.

    It is filled beside `folder`, or beside another one on the same disk whose parent nobody takes away meanwhile.
    """
    beside = beside or folder
    beside.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=beside.parent, prefix=f".{beside.name[:16]}."))
    try:
        for name, array in arrays.items():
            with (new / f"{name}.npy").open("xb") as out:
                np.save(out, array, allow_pickle=False)
                out.flush()
                os.fsync(out.fileno())
        write_json(new / META, dict(meta))
        write_json(new / MANIFEST, {path.name: sha256_file(path) for path in sorted(new.iterdir())})
        _publish(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _publish(new: Path, folder: Path) -> None:
    """Put a finished folder in its place, whatever other processes put there or take away meanwhile."""
    for left in reversed(range(_ATTEMPTS)):
        remove(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            new.replace(folder)
            return
        except OSError as error:
            if not left or error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise


def remove(folder: Path) -> bool:
    """Take a folder away in one step, then delete its files; False when somebody else took it first.

    Who has its arrays mapped keeps reading them: on Linux and macOS the bytes stay until the last mapping ends.
    """
    try:
        away = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:16]}."))
    except FileNotFoundError:
        return False
    try:
        folder.replace(away / "old")
        return True
    except FileNotFoundError:
        return False
    finally:
        shutil.rmtree(away, ignore_errors=True)


def read_meta(folder: Path) -> dict[str, Any]:
    """Read an entry's facts alone, unchecked. Errors: OSError or ValueError when they can't be read."""
    found: dict[str, Any] = read_json(folder / META)
    return found


def read_entry(folder: Path, part: str | None = None) -> Entry:
    """Read what `write_entry` wrote: the arrays memory-mapped, checked against the manifest's checksums.

    With a `part`, only the arrays `<part>.<what>` are checked and opened. A file is hashed once per process as long
    as its size, times and place on the disk stay the same. Pages of an array that are written to are copied in
    memory and never reach the file.
    Errors: DataError with code `damaged_cache` when a file is missing, changed or unreadable.
    """
    try:
        manifest: dict[str, str] = read_json(folder / MANIFEST)
        names = [n for n in manifest if n.endswith(".npy") and (part is None or n.startswith(f"{part}."))]
        changed = [name for name in (META, *names) if not _unchanged(folder / name, manifest[name])]
        if not changed:
            return {Path(name).stem: _mapped(folder / name) for name in names}, read_meta(folder)
        reason = f"{', '.join(changed)} changed since it was written"
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        reason = str(error)
    raise DataError(
        "The kept answers of a teacher are damaged: {reason}.",
        "They are made again.",
        "damaged_cache",
        reason=reason,
        folder=folder.name,
    )


def _unchanged(path: Path, digest: str) -> bool:
    found = path.stat()
    seal = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    if _CHECKED.get(path) == seal:
        return True
    if sha256_file(path) != digest:
        return False
    _CHECKED[path] = seal
    return True


def _mapped(path: Path) -> Array:
    """Map an array. Mode 'c', not 'r': torch warns of a read-only array, and writing to one would end the process."""
    return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
