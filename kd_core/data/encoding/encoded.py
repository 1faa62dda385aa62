"""Encoded rows in files, for tables whose encoding would crowd the memory.

`<root>/<dataset hash>/`: one `.npy` per part, mapped into memory, and a checksummed manifest written last.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import sklearn

from kd_core import limits
from kd_core.data.input_spec import InputSpec
from kd_core.errors import DataError, Problem, Says
from kd_core.machine import memory
from kd_core.safe_io import inside, read_json, sha256_file, write_json

CHUNK_BYTES = 64 * 2**20  # encoded and written at once
MANIFEST = "manifest.json"
Encode = Callable[[slice], npt.NDArray[Any]]  # rows of a part by position -> (rows, *shape)
LIBRARIES = {
    "numpy": np.__version__,
    "pandas": pd.__version__,
    "scipy": scipy.__version__,
    "sklearn": sklearn.__version__,
}

_verified: set[tuple[str, int, int]] = set()  # files whose checksum this process has seen: path, time, size

_DAMAGED = Says(
    "damaged_encoding",
    "warning",
    "The encoded rows kept on disk are damaged or of another version.",
    "They were encoded again.",
)


def memory_budget() -> int:
    """Measure how many bytes of encoded rows may lie in memory: a share of what is free."""
    return int(limits.ENCODED_MEMORY_SHARE * memory.free_bytes())


class EncodedFolder:
    """Encodings of data sets in a folder, the least recently used of them dropped when they take too much room."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def parts(
        self, key: str, rows: Mapping[str, int], spec: InputSpec, encode: Mapping[str, Encode]
    ) -> tuple[dict[str, npt.NDArray[Any]], list[Problem]]:
        """Return every part as a mapped array, encoded chunk by chunk unless an earlier run left it here.

        The arrays are copies on write: nothing changes the files. What was found damaged is told and made again.
        Shape: per part (rows, *spec.shape). Errors: DataError `disk_full` with what is needed and what is free.
        """
        folder = inside(self.root, key)
        problems: list[Problem] = []
        what = {"rows": dict(rows), "shape": list(spec.shape), "dtype": spec.dtype, "libraries": LIBRARIES}
        if folder.exists() and not self._holds(folder, what):
            problems.append(_DAMAGED.problem())
            shutil.rmtree(folder)
        if not folder.exists():
            self._write(folder, what, spec, encode)
        os.utime(folder)  # the time of the last use
        self._drop_old(folder)
        return {name: np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False) for name in rows}, problems

    def _holds(self, folder: Path, what: dict[str, Any]) -> bool:
        """Say whether a folder holds what is asked for, unchanged since it was written."""
        try:
            manifest = read_json(folder / MANIFEST)
            if {key: manifest.get(key) for key in what} != what:
                return False
            return all(_unchanged(folder / f"{name}.npy", manifest["sha256"][name]) for name in what["rows"])
        except (OSError, ValueError, AttributeError, KeyError, TypeError):  # a missing or unreadable manifest or file
            return False

    def _write(self, folder: Path, what: dict[str, Any], spec: InputSpec, encode: Mapping[str, Encode]) -> None:
        """Write a folder that appears in one step."""
        rows = what["rows"]
        needed = spec.row_bytes * sum(rows.values())
        self.root.mkdir(parents=True, exist_ok=True)
        self._drop_old(folder, needed)
        self._require_room(needed)
        new = Path(tempfile.mkdtemp(dir=self.root, prefix=f".{folder.name[:16]}."))
        try:
            digests = {name: _write_part(new / f"{name}.npy", rows[name], spec, encode[name]) for name in rows}
            write_json(new / MANIFEST, {**what, "sha256": digests})
            for name in rows:
                _remember(new / f"{name}.npy", folder / f"{name}.npy")
            if folder.exists():  # another process was faster; its rows are the same
                shutil.rmtree(new)
            else:
                new.replace(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _require_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.root).free - limits.MIN_FREE_DISK_BYTES
        if needed > free:
            raise DataError(
                "The encoded rows take {needed:.3g} GB on disk, {free:.3g} GB are free in {root}.",
                "Free disk space, drop columns with many categories, or take a sample of the rows.",
                "disk_full",
                needed=needed / 1e9,
                free=max(0, free) / 1e9,
                root=self.root,
            )

    def _drop_old(self, keep: Path, num_bytes_coming: int = 0) -> None:
        """Remove the least recently used encodings beyond the limit, never the one in use."""
        found = sorted((p for p in self.root.iterdir() if p.name[0] != "."), key=lambda p: p.stat().st_mtime)
        held = {p: sum(f.stat().st_size for f in p.iterdir()) for p in found}
        total = num_bytes_coming + sum(held.values())
        for folder in found:
            if total <= limits.ENCODED_DISK_BYTES:
                return
            if folder != keep:  # a process that has it mapped keeps its rows until it ends
                shutil.rmtree(folder, ignore_errors=True)
                total -= held[folder]


def chunks(num_rows: int, row_bytes: int) -> Iterator[slice]:
    """Cut rows into slices of about `CHUNK_BYTES` encoded."""
    rows = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, num_rows, rows):
        yield slice(start, min(start + rows, num_rows))


class _Hashed:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.sha256 = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return self.file.write(data)


def _write_part(path: Path, num_rows: int, spec: InputSpec, encode: Encode) -> str:
    """Encode and write chunk by chunk; return the file's sha256."""
    dtype = np.dtype(spec.dtype).newbyteorder("<")
    with path.open("wb") as file:
        out = _Hashed(file)
        np.lib.format.write_array_header_1_0(
            out, {"descr": dtype.str, "fortran_order": False, "shape": (num_rows, *spec.shape)}
        )
        for rows in chunks(num_rows, spec.row_bytes):
            out.write(np.ascontiguousarray(encode(rows), dtype).data)
        file.flush()
        os.fsync(file.fileno())
    return out.sha256.hexdigest()


def _identity(path: Path, place: Path | None = None) -> tuple[str, int, int]:
    state = path.stat()
    return str(place or path), state.st_mtime_ns, state.st_size


def _remember(path: Path, place: Path) -> None:
    _verified.add(_identity(path, place))


def _unchanged(path: Path, sha256: str) -> bool:
    """Compare a file with its checksum, once per process as long as its time and size stay the same."""
    if _identity(path) in _verified:
        return True
    if sha256_file(path) != sha256:
        return False
    _remember(path, path)
    return True
