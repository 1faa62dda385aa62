"""What is known of the candidates so far, kept on disk: a run that was cut off goes on and comes to the same choice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kd_core.runs.choosing.rule import Candidate, Decision
from kd_core.safe_io import Damaged, read_object, write_json

KEEP_SECONDS = 2.0  # between two notes of the time, while a candidate is trained


class Notebook:
    """Results by candidate, the decision once it is made, and the seconds spent over all attempts.

    `key` names all that decides them: what was noted under another one is left alone and written over, and `stale` counts it.
    """

    def __init__(self, path: Path, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.key, self._clock = path, key, clock
        self.known: dict[str, Candidate] = {}
        self.decision: Decision | None = None
        self.stale = 0
        self._before = 0.0
        try:
            kept = read_object(path)
            self._take(kept) if kept["key"] == key else self._count(kept)
        except FileNotFoundError:
            pass
        except (Damaged, KeyError, TypeError, ValueError):  # finished trainings are kept elsewhere
            self.known, self.decision, self._before, self.stale = {}, None, 0.0, 1
        self._begun = self._noted = clock()

    def _count(self, kept: dict[str, Any]) -> None:
        self.stale = max(1, len(kept["candidates"]))

    def _take(self, kept: dict[str, Any]) -> None:
        known = {c["name"]: Candidate(**c) for c in kept["candidates"]}
        chosen = kept["decision"]
        decision = Decision(**{**chosen, "missed": tuple(chosen["missed"])}) if chosen else None
        self._before, self.known, self.decision = float(kept["seconds"]), known, decision

    @property
    def seconds(self) -> float:
        """Return the seconds spent so far."""
        return self._before + self._clock() - self._begun

    def add(self, found: Candidate) -> None:
        """Note what came of a candidate."""
        self.known[found.name] = found
        self.write()

    def decide(self, decision: Decision) -> None:
        """Note the decision; from then on it stands."""
        self.decision = decision
        self.write()

    def tick(self) -> None:
        """Note the time now and then."""
        if self._clock() - self._noted >= KEEP_SECONDS:
            self.write()

    def write(self) -> None:
        """Write everything down in one step."""
        self._noted = self._clock()
        told = [c.told() for c in self.known.values()]
        chosen = self.decision.told() if self.decision else None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path, {"key": self.key, "seconds": round(self.seconds, 3), "candidates": told, "decision": chosen}
        )

    def in_order(self, names: Sequence[str]) -> list[Candidate]:
        """Return what is known, in the order of the candidates."""
        return [self.known[name] for name in names if name in self.known]
