"""Sessions of the latency lab beside the runs that they timed: as files of no manifest, since they tell of a machine, not of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kd_core import safe_io
from kd_core.runs.store.folder import RunFolder

SCHEMA = 1
PLACE = "latency"  # in a run's folder
MOST = 5  # sessions kept of a run


def keep(found: Mapping[str, Any], folders: Iterable[RunFolder]) -> None:
    """Write a session beside every run that it timed; the oldest make room. Errors: OSError."""
    name = "".join(c for c in str(found["utc"]) if c.isalnum()) + ".json"
    for folder in folders:
        place = folder.path / PLACE
        place.mkdir(exist_ok=True)
        safe_io.write_json(place / name, dict(found))
        for old in sorted(place.glob("*.json"))[:-MOST]:
            old.unlink(missing_ok=True)


def kept(folder: RunFolder) -> list[dict[str, Any]]:
    """Read a run's sessions, newest first; one that can't be read, or that a newer version wrote, is left out: it can be measured again."""
    found = []
    for path in sorted((folder.path / PLACE).glob("*.json"), reverse=True):
        try:
            told = safe_io.read_object(path)
        except (OSError, safe_io.Damaged):
            continue
        if told.get("schema") == SCHEMA and isinstance(told.get("times"), list):
            found.append(told)
    return found
