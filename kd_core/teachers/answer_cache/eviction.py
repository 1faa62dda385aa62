"""Keeping the cache below its size: the least recently used answers go first."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from kd_core import limits
from kd_core.errors import KDError
from kd_core.teachers.answer_cache.entry import remove

_LOG = logging.getLogger("kd_workbench.teachers")
VARIABLE = "KD_TEACHER_CACHE_MB"
# Only folders named like this are ever listed or removed, so that a cache opened on a wrong folder takes nothing.
_KEPT = re.compile(r"[0-9a-f]{64}(\.partial)?")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.[a-z0-9_]{8}")  # as `entry.write_entry` and `entry.remove` name theirs
_UNFINISHED_SECONDS = 3600.0  # a folder still being written is younger; an older one is left from a killed process


@dataclass(frozen=True)
class Stored:
    """One folder of the cache: a finished entry, or the finished parts of an interrupted one (`partial`)."""

    path: Path
    size_bytes: int
    last_used: float
    partial: bool


def limit_bytes() -> int:
    """Return how much may be kept: `KD_TEACHER_CACHE_MB`, or limits.TEACHER_CACHE_BYTES.

    Errors: KDError with code `bad_cache_limit`.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return limits.TEACHER_CACHE_BYTES
    if not named.isascii() or not named.isdecimal() or int(named) < 1:
        raise KDError(
            "{variable} is {value!r}; it must be a whole number of megabytes, 1 or more.",
            "Correct it, or leave it out to keep up to {default} MB.",
            "bad_cache_limit",
            variable=VARIABLE,
            value=named,
            default=limits.TEACHER_CACHE_BYTES // 2**20,
        )
    return int(named) * 2**20


def stored(root: Path) -> list[Stored]:
    """List what is kept, the least recently used first; what vanishes meanwhile is left out."""
    found = []
    for folder in (one for one in _folders(root) if _KEPT.fullmatch(one.name)):
        try:
            used = folder.stat().st_mtime
        except FileNotFoundError:
            continue
        found.append(Stored(folder, folder_bytes(folder), used, folder.suffix == ".partial"))
    return sorted(found, key=lambda one: one.last_used)


def _folders(root: Path) -> list[Path]:
    """List sub-folders; none where the folder itself has vanished (a glob would fail there)."""
    try:
        with os.scandir(root) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def folder_bytes(folder: Path) -> int:
    """Add up a folder's files; those that vanish meanwhile count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def remove_unfinished(root: Path, before: float) -> None:
    """Delete what processes that were killed while writing have left, last changed before a time (seconds)."""
    for folder in (one for one in _folders(root) if _UNFINISHED.fullmatch(one.name)):
        with contextlib.suppress(FileNotFoundError):  # its writer has just finished
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def evict(root: Path, limit: int, spare: Collection[str] = ()) -> list[Stored]:
    """Remove the least recently used until the rest fits; return what went. `spare` names folders that stay.

    A spared folder stays even when it is larger than the limit alone. Answers that somebody is reading may go:
    their mapping stays good until the last reader lets go, and a damaged read is impossible.
    """
    remove_unfinished(root, time.time() - _UNFINISHED_SECONDS)
    everything = stored(root)
    total, gone = sum(one.size_bytes for one in everything), []
    for one in everything:
        if total <= limit:
            break
        if one.path.name in spare:
            continue
        try:
            if remove(one.path):
                gone.append(one)
            total -= one.size_bytes
        except OSError as error:  # somebody else's folder: what was just kept is kept all the same
            _LOG.warning("kept teacher answers %s could not be removed: %s", one.path.name, error)
    return gone
