"""A teacher's answers kept on disk, so that the same data and teacher are never trained twice."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
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
from kd_core.teachers.answer_cache import eviction, kept
from kd_core.teachers.answer_cache.entry import Entry, read_entry, remove, write_entry
from kd_core.teachers.answer_cache.usage import CacheUsage, Ledger
from kd_core.teachers.base import Notify, members

_LOG = logging.getLogger("kd_workbench.teachers")
# A change in these makes old answers another teacher's.
CODE = ("data", "tasks", "evaluate", "models", "teachers", "training")


@functools.cache
def code_version(packages: tuple[str, ...] = CODE) -> str:
    """Hash the code of some packages, with the versions of the libraries that do the arithmetic."""
    found = hashlib.sha256(f"{sklearn.__version__}/{torch.__version__}/{np.__version__}".encode())
    package = Path(__file__).resolve().parents[2]
    for name in packages:
        for path in sorted((package / name).rglob("*.py")):
            found.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def cache_key(
    dataset_hash: str,
    teacher: Choice,
    folds: int,
    seed: int,
    hidden: bool = False,
    metric: str | None = None,
    made: str | None = None,
    maps: bool = False,
    weights: bool = False,
) -> str:
    """Name a teacher's answers by everything that decides them (sha256, hex); defaults are filled in first.

    A teacher made here follows from its settings, the seed, the encoded data (`dataset_hash` holds the encoder) and
    the code, so these stand for its weights, which nobody knows before the answers are needed; the manifest of the
    entry holds the checksums of the answers themselves. The keys of the teachers that it asks are part of it.
    """
    parts = [
        dataset_hash,
        teacher.name,
        kept.teacher_settings(teacher),
        folds,
        seed,
        code_version(),
        *([hidden] if hidden else []),
        *([metric] if metric and kept.by_metric(teacher) else []),
        *(["made", made] if made else []),
        *(["maps"] if maps else []),
        *(["weights"] if weights else []),
    ]
    parts += [cache_key(dataset_hash, one, folds, seed, made=made) for one in members(teacher)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_still(folder: Path, handle: int) -> bool:
    """Say whether a path still names the folder that was opened."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


class TeacherCache:
    """Answers of teachers in a folder, one sub-folder per key; unfinished ones keep their finished folds.

    Beyond its size (`limit_bytes`, see `eviction`) the least recently used go. Several processes may share a folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = Ledger(root)

    def limit_bytes(self) -> int:
        """Return how much may be kept. Errors: KDError with code `bad_cache_limit`."""
        return eviction.limit_bytes()

    def _read(self, folder: Path, notify: Notify) -> Entry | None:
        while True:
            try:
                held = os.open(
                    folder, os.O_RDONLY | os.O_DIRECTORY
                )  # while it is held, its number is given to no other
            except FileNotFoundError:
                return None
            try:
                return read_entry(folder)
            except DataError as error:
                if not _is_still(folder, held):  # another process made room or put a newer one there: look again
                    continue
                if remove(folder):
                    notify({"kind": "warning", "code": error.code, "message": error.message, "hint": error.hint})
            finally:
                os.close(held)

    def _write(self, folder: Path, key: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        write_entry(folder, arrays, meta, beside=inside(self.root, key))
        for gone in eviction.evict(self.root, self.limit_bytes(), spare=(key, f"{key}.partial")):
            _LOG.info("kept teacher answers %s (%d bytes) made room for newer ones", gone.path.name, gone.size_bytes)

    def load(self, key: str, notify: Notify) -> Entry | None:
        """Return the finished answers, or None. A damaged entry is reported as a warning and removed."""
        found = self._read(inside(self.root, key), notify)
        if found is not None:
            with contextlib.suppress(OSError):  # a folder of somebody else: its age is then that of its making
                os.utime(self.root / key)  # the time of the last use
        return found

    def save(self, key: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Keep finished answers, forget their parts and make room. Errors: OSError when the disk is full."""
        self._write(inside(self.root, key), key, arrays, meta)
        remove(inside(self.root, f"{key}.partial"))

    def load_part(self, key: str, part: str, notify: Notify) -> Entry | None:
        """Return one finished part (`full` or `fold-<k>`) of interrupted answers, or None."""
        return self._read(inside(self.root, f"{key}.partial", part), notify)

    def save_part(self, key: str, part: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
        """Keep one finished part, so that an interrupted run goes on after it. Errors: OSError when the disk is full."""
        self._write(inside(self.root, f"{key}.partial", part), key, arrays, meta)

    def size_bytes(self, key: str) -> int:
        """Return what one entry takes on the disk; 0 for one that is not kept."""
        return eviction.folder_bytes(inside(self.root, key))

    def usage(self) -> CacheUsage:
        """Return what is kept (unfinished parts count in the bytes) and how often it was of use.

        Errors: KDError with code `bad_cache_limit`.
        """
        counts, kept_now = self.ledger.read(), eviction.stored(self.root)
        return CacheUsage(
            counts.hits,
            counts.misses,
            counts.seconds_saved,
            sum(not one.partial for one in kept_now),
            sum(one.size_bytes for one in kept_now),
            self.limit_bytes(),
        )

    def clear(self) -> int:
        """Remove everything kept and return the bytes freed; a run that reads some of it goes on undisturbed."""
        return sum(one.size_bytes for one in eviction.evict(self.root, -1))

    def holds(
        self,
        dataset: DatasetSpec,
        teacher: Choice,
        folds: int,
        seed: int,
        hidden: bool = False,
        metric: str | None = None,
        made_rows: int = 0,
        maps: bool = False,
        weights: bool = False,
        made_as: str = "",
    ) -> bool:
        """Say whether a run with this data, teacher, folds and seed (inner features, metric, made rows and how, maps, weights) would train no teacher, without reading a row.

        Errors: UnknownName and SpecError for a teacher that does not exist.
        """
        about = hidden, metric, made_rows, maps, weights, made_as
        return kept.is_kept(self.root, dataset, teacher, folds, seed, code_version(), *about)

    def size_told(self, dataset: DatasetSpec, teacher: Choice) -> tuple[int, int] | None:
        """Return parameters and bytes of a teacher as its newest kept answers tell them; None where nothing does, or nobody can know.

        Errors: UnknownName and SpecError for a teacher that does not exist.
        """
        return kept.size_told(self.root, dataset, teacher)

    def find(
        self, dataset: DatasetSpec, teacher: Choice, *, folds: int | None = None, seed: int | None = None
    ) -> kept.KeptAnswers | None:
        """Find kept answers for the validation rows without preparing the data; None where there are none.

        Any folds and seed will do where none are named. Answers of another version of the code are `stale`: good
        for a picture, never for training. Damaged entries, and data whose file hash isn't known, are not found.
        Errors: UnknownName and SpecError for a teacher that does not exist.
        """
        return kept.find(self.root, dataset, teacher, folds=folds, seed=seed, code=code_version())
