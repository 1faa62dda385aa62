"""A teacher's answers kept on disk, so that the same data and teacher are never trained twice."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.safe_io import inside, read_json, sha256_file, write_bytes, write_json
from kd_core.specs import Choice
from kd_core.teachers.base import SOURCES, Notify

Entry = tuple[dict[str, Array], dict[str, Any]]
CODE = ("data", "evaluate", "models", "teachers", "training")  # a change in these makes old answers another teacher's


@functools.cache
def code_version(packages: tuple[str, ...] = CODE) -> str:
    """Hash the code of some packages, with the versions of the libraries that do the arithmetic."""
    found = hashlib.sha256(f"{sklearn.__version__}/{torch.__version__}/{np.__version__}".encode())
    package = Path(__file__).resolve().parent.parent
    for name in packages:
        for path in sorted((package / name).rglob("*.py")):
            found.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def cache_key(dataset_hash: str, teacher: Choice, folds: int, seed: int) -> str:
    """Name a teacher's answers by everything that decides them (sha256, hex); defaults are filled in first."""
    settings = SOURCES.get(teacher.name).spec.parse(teacher.settings, f"teacher {teacher.name}").to_json()
    parts = [dataset_hash, teacher.name, settings, folds, seed, code_version()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_entry(folder: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Write arrays and facts as one folder that appears in one step; the checksummed manifest is written last."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:16]}."))
    try:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            write_bytes(new / f"{name}.npy", buffer.getvalue())
        write_json(new / "meta.json", dict(meta))
        write_json(new / "manifest.json", {path.name: sha256_file(path) for path in sorted(new.iterdir())})
        if folder.exists():
            old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:16]}."))
            folder.replace(old / "old")
            shutil.rmtree(old)
        new.replace(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def read_entry(folder: Path) -> Entry:
    """Read what `write_entry` wrote.

    Errors: DataError with code `damaged_cache` when a file is missing, changed or unreadable.
    """
    try:
        manifest: dict[str, str] = read_json(folder / "manifest.json")
        changed = [name for name, digest in manifest.items() if sha256_file(folder / name) != digest]
        if not changed:
            names = [Path(name).stem for name in manifest if name.endswith(".npy")]
            arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in names}
            return arrays, read_json(folder / "meta.json")
        reason = f"{', '.join(changed)} changed since it was written"
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error)
    raise DataError(
        "The kept answers of a teacher are damaged: {reason}.", "They are made again.", "damaged_cache",
        reason=reason, folder=folder.name,
    )  # fmt: skip


class TeacherCache:
    """Answers of teachers in a folder, one sub-folder per key; unfinished ones keep their finished folds."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _read(self, folder: Path, notify: Notify) -> Entry | None:
        if not folder.exists():
            return None
        try:
            return read_entry(folder)
        except DataError as error:
            notify({"kind": "warning", "code": error.code, "message": error.message, "hint": error.hint})
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def load(self, key: str, notify: Notify) -> Entry | None:
        """Return the finished answers, or None. A damaged entry is reported as a warning and removed."""
        found = self._read(inside(self.root, key), notify)
        if found is not None:
            with contextlib.suppress(OSError):
                os.utime(self.root / key)  # the time of the last use, for whoever clears old entries
        return found

    def save(self, key: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Keep finished answers and forget their parts."""
        write_entry(inside(self.root, key), arrays, meta)
        shutil.rmtree(inside(self.root, f"{key}.partial"), ignore_errors=True)

    def load_part(self, key: str, part: str, notify: Notify) -> Entry | None:
        """Return one finished part (`full` or `fold-<k>`) of interrupted answers, or None."""
        return self._read(inside(self.root, f"{key}.partial", part), notify)

    def save_part(self, key: str, part: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Keep one finished part, so that an interrupted run goes on after it."""
        write_entry(inside(self.root, f"{key}.partial", part), arrays, meta)
