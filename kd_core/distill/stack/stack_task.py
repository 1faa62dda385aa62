"""One stack to train, and where it is saved."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kd_core.training.checkpoint import Saved


@dataclass(frozen=True)
class Task:
    """One stack to train: positions in the list that was asked for, what was saved of it, where to save it.

    `source` is where it was read from, when nobody else needs that.
    """

    positions: list[int]
    saved: Saved | None = None
    place: Path | None = None
    source: Path | None = None

    def clear(self, all_of_it: bool) -> None:
        """Remove what lies where it will be saved, unless it goes on from there; or all of it once it has ended."""
        for folder in {self.place, self.source} if all_of_it else {self.place} - {self.source}:
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
