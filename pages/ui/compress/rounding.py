"""What rounding would do to the file of a student, known before anything is started; and whether any step makes it smaller."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kd_core.errors import KDError
from kd_core.registry import Entry
from kd_core.runs.store.folder import MODEL, RunFolder
from pages.ui.compress import chains
from pages.ui.shared.text import Safe, t

if TYPE_CHECKING:
    from kd_core.runs.compressing.rounded import Rounded

KEEP_SIZE = (chains.AGAIN["name"], "prune_magnitude")  # what is set to nothing is gone from the packed file alone


@functools.lru_cache(maxsize=8)
def _foreseen(path: Path, changed_ns: int, student: str) -> Rounded | None:
    from kd_core.runs.compressing import rounded

    try:
        return rounded.foresee(path, student)
    except KDError:
        return None


def _of(folder: RunFolder, student: str) -> Rounded | None:
    return _foreseen(folder.path, (folder.path / MODEL).stat().st_mtime_ns, student)


def idle(folder: RunFolder, student: str) -> dict[str, tuple[int, int]]:
    """Return the steps that would save no bytes of this student worth it: those of its file with each, and as it is."""
    found = _of(folder, student)
    return {} if found is None else {name: (size, found.whole) for name, size in found.idle().items()}


def no_smaller(folder: RunFolder, student: str, offered: Collection[tuple[Entry[Any], str | None]]) -> Safe | None:
    """Say that no step makes the file of this student smaller, and why; None where one does, or where that is not known.

    `offered`: steps, each with why it can't be carried out.
    """
    found = _of(folder, student)
    if found is None:
        return None
    worth = set(found.by) - set(found.idle())

    def shrinks(entry: Entry[Any]) -> bool:
        if entry.name in KEEP_SIZE or not entry.facts.get("saves", True):
            return False
        return entry.facts["changes"] != "file" or entry.name in worth

    if any(why_not is None and shrinks(entry) for entry, why_not in offered):
        return None
    why = next((why_not for entry, why_not in offered if entry.name == chains.HALF["name"]), None)
    key = "compress.no_smaller_cut" if why else "compress.no_smaller"
    return t(key, student=student, **({"why": why.rstrip(".")} if why else {}))
