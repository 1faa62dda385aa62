"""How fast this machine is: what earlier runs took against what had been estimated, per kind of work."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.runs.store.events import Event
from kd_core.safe_io import read_json, write_json

_LOG = logging.getLogger("kd_workbench.runs")
FILE = "pace.json"
KEPT = 9  # newest ratios per kind; their median shrugs off the one run during which the machine did something else
WORTH_SECONDS = 0.5  # shorter work says more about the clock than about the machine
CHOOSING = "choosing"  # marks trainings of candidates for the best student, which are not counted among the run's own
OF_MOST = 0.9  # of the time that a work may take
LEAST, MOST = 0.05, 20.0  # a ratio beyond these is a mistake of the estimate that no factor should carry on


@dataclass(frozen=True)
class Pace:
    """Observed seconds over estimated ones of earlier runs, newest last, per kind of work."""

    ratios: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def factor(self, kind: str) -> float:
        """Return what to multiply an estimate by: the median of the earlier ratios, 1 where there are none."""
        return statistics.median(dict(self.ratios).get(kind) or (1.0,))

    def runs(self, kind: str) -> int:
        """Count the earlier runs behind a factor."""
        return len(dict(self.ratios).get(kind, ()))


def read(root: Path) -> Pace:
    """Read what is known of this machine from its workspace; nothing, with a line in the log, where it can't be read."""
    try:
        found: Any = read_json(root / FILE)
        kinds = {str(k): tuple(_within(float(v)) for v in values) for k, values in found["ratios"].items()}
    except FileNotFoundError:
        return Pace()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _LOG.warning("times of earlier runs can't be read from %s and are counted anew: %s", root / FILE, error)
        return Pace()
    return Pace(tuple(sorted(kinds.items())))


def learn(root: Path, ratios: Mapping[str, float]) -> None:
    """Remember how a finished run went. Errors: OSError when the disk refuses."""
    if not ratios:
        return
    kinds = dict(read(root).ratios)
    for kind, ratio in ratios.items():
        kinds[kind] = (*kinds.get(kind, ()), round(_within(ratio), 4))[-KEPT:]
    write_json(root / FILE, {"schema": 1, "ratios": {k: list(v) for k, v in sorted(kinds.items())}})


def _within(ratio: float) -> float:
    if not ratio > 0:  # also nan
        raise ValueError(f"{ratio} is no ratio of seconds")
    return min(MOST, max(LEAST, ratio))


class Meter:
    """Follows a run by its events and compares its seconds with its plan's."""

    def __init__(self) -> None:
        self._work: list[dict[str, Any]] = []
        self._planned = self._of = 0
        self._seconds: dict[str, float] = {}
        self._cached: set[str] = set()

    def take(self, event: Event) -> None:
        """Take note of an event."""
        kind = event.get("kind")
        if kind == "plan":
            self._work = self._work or list(event.get("work") or ())
            self._of = int(event.get("trainings") or 0)
            self._planned = self._planned or self._of
        elif kind == "trained" and event.get("arm") != "teacher" and not event.get(CHOOSING):
            self._of = max(self._of, int(event.get("of") or 0))
        elif kind == "part" and event.get("kept"):  # texts that a teacher had read before: its time says nothing
            self._cached.add(str(event["phase"]))
        elif kind == "phase" and event.get("state") == "end":
            self._seconds[str(event["phase"])] = float(event.get("seconds") or 0.0)
            if event.get("cached"):
                self._cached.add(str(event["phase"]))

    def ratios(self) -> dict[str, float]:
        """Return observed over estimated seconds per kind; what was kept, did not end or was over at once is left out."""
        found = {}
        for work in self._work:
            phases = [str(p) for p in work["phases"]]
            if not all(p in self._seconds for p in phases) or self._cached.intersection(phases):
                continue
            observed = sum(self._seconds[p] for p in phases)
            grown = self._of / self._planned if str(work["kind"]).startswith("training:") and self._planned else 1.0
            if work.get("most") and observed >= OF_MOST * float(work["most"]):
                continue  # the time was up: how long all of it would have taken is not known
            if observed >= WORTH_SECONDS and work["estimated"] > 0:
                found[str(work["kind"])] = observed / (float(work["estimated"]) * grown)
        return found
