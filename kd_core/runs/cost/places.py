"""Where a run's teacher and its students learn, where nobody says: on the device that takes them less time.

A GPU's step of a small network is all dispatch: a run of two small students on lists of products took it more than
three times as long as four cores (docs/LAB.md, small students on a GPU), while a network teacher learns there in a
third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kd_core.machine import device as devices

ALIKE = "data", "evaluate"  # kinds of work that are counted as one, wherever they are done
START_SECONDS = 2.0  # of a GPU in a new process; what saves less is as well off on the processor


@dataclass(frozen=True)
class Places:
    """Where teacher and students learn: 'cpu' or 'cuda'. `saved`: seconds by size that this saves, against a GPU for both."""

    teacher: str = "cpu"
    students: str = "cpu"
    saved: float = 0.0

    def of(self, kind: str) -> str:
        """Return the place of a kind of work, as `pace` counts them."""
        return self.teacher if kind.startswith("teacher") else self.students

    def fields(self) -> dict[str, Any]:
        """Lay the places out for the `plan` event."""
        more = {"gpu_slower_seconds": round(self.saved)} if self.saved >= 1 else {}
        return {"device": self.students, "teacher_device": self.teacher, **more}


def choose_places(asked: str, by_size: Callable[[bool], Mapping[str, float]]) -> tuple[Places, dict[str, float]]:
    """Choose the places and return the seconds of each kind of work there; `by_size` tells them for a GPU (True) or a core.

    By size alone, not by what else the machine does: a run that is continued goes on where it was.
    """
    gpu = asked != "cpu" and devices.offers_gpu()
    if not gpu or asked == "cuda":
        both = "cuda" if gpu else "cpu"
        places, sides = Places(both, both), {both: by_size(gpu)}
    else:
        sides = {"cpu": by_size(False), "cuda": by_size(True)}
        places = _quicker(sides["cpu"], sides["cuda"])
    found = {kind: sides[places.of(kind)][kind] for kind in next(iter(sides.values()))}
    # another machine, as far as seconds go
    return places, {k if k in ALIKE or places.of(k) == "cpu" else f"{k}:cuda": s for k, s in found.items()}


def _quicker(cpu: Mapping[str, float], gpu: Mapping[str, float]) -> Places:
    first = Places("teacher", "students")

    def spent(side: Mapping[str, float], part: str) -> float:
        return sum(seconds for kind, seconds in side.items() if first.of(kind) == part)

    gains = {part: spent(cpu, part) - spent(gpu, part) for part in ("teacher", "students")}
    chosen = {part: "cuda" if gain > START_SECONDS else "cpu" for part, gain in gains.items()}
    saved = sum(max(0.0, -gain) for part, gain in gains.items() if chosen[part] == "cpu")
    return Places(chosen["teacher"], chosen["students"], saved)
