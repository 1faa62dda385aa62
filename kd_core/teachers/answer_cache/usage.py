"""How much the kept answers are used: hits, misses and seconds saved, counted in their folder by all processes."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kd_core.safe_io import read_json, write_json

_LOG = logging.getLogger("kd_workbench.teachers")


@dataclass(frozen=True)
class Counts:
    """What happened since the folder was made. Units: seconds_saved is the time of the fits not done again."""

    hits: int = 0
    misses: int = 0
    seconds_saved: float = 0.0


@dataclass(frozen=True)
class CacheUsage:
    """What the cache holds and what it was good for. Units: bytes, seconds."""

    hits: int
    misses: int
    seconds_saved: float
    entries: int
    size_bytes: int
    limit_bytes: int

    @property
    def hit_rate(self) -> float | None:
        """Share of teachers asked for that were there; None before the first was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class Ledger:
    """Counts in `<root>/usage.json`, changed by one process at a time."""

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / "usage.json"

    def read(self) -> Counts:
        """Return the counts; from zero, with a line in the log, where they can't be read."""
        try:
            found = read_json(self.path)
            return Counts(int(found["hits"]), int(found["misses"]), float(found["seconds_saved"]))
        except FileNotFoundError:
            return Counts()
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("the use of kept teacher answers is counted anew: %s can't be read (%s)", self.path, error)
            return Counts()

    def hit(self, seconds_saved: float) -> None:
        """Count answers that were there."""
        self._add(hits=1, seconds_saved=seconds_saved)

    def miss(self) -> None:
        """Count answers that had to be made."""
        self._add(misses=1)

    def _add(self, hits: int = 0, misses: int = 0, seconds_saved: float = 0.0) -> None:
        try:
            with self._alone():
                c = self.read()
                more = replace(
                    c, hits=c.hits + hits, misses=c.misses + misses, seconds_saved=c.seconds_saved + seconds_saved
                )
                write_json(self.path, asdict(more))
        except OSError as error:  # a count is not worth a run
            _LOG.warning("a use of kept teacher answers was not counted: %s", error)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the kernel's lock for the moment of one count; it ends with its process, however that ends."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / ".usage.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
