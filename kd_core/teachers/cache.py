"""A teacher's answers kept on disk, so that the same data and teacher are never trained twice."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.safe_io import inside
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers import kept
from kd_core.teachers.base import Notify
from kd_core.teachers.entry import Entry, read_entry, write_entry

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
    parts = [dataset_hash, teacher.name, kept.teacher_settings(teacher), folds, seed, code_version()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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

    def find(
        self, dataset: DatasetSpec, teacher: Choice, *, folds: int | None = None, seed: int | None = None
    ) -> kept.KeptAnswers | None:
        """Find kept answers for the validation rows without preparing the data; None where there are none.

        Any folds and seed will do where none are named. Answers of another version of the code are `stale`: good
        for a picture, never for training. Damaged entries, and data whose file hash isn't known, are not found.
        Errors: UnknownName and SpecError for a teacher that does not exist.
        """
        return kept.find(self.root, dataset, teacher, folds=folds, seed=seed, code=code_version())
