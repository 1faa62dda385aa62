"""How the example's student learned, epoch by epoch: what the run wrote down while it trained.

Legend: S seeds, E epochs. Scores are those of the validation rows, in the metric that chose the epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from kd_core.evaluate import METRICS
from kd_core.runs.store.folder import RunFolder

ARMS = ("student", "baseline")
Seeds = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Arm:
    """One way to learn: each seed's score at each of its epochs, and the mean over seeds of the best that each had until then.

    A training that has ended keeps its best epoch, as the run does. Shape: `mean` (E,).
    """

    seeds: Seeds
    mean: tuple[float, ...]


@dataclass(frozen=True)
class Learning:
    """A student and the same student alone over as many epochs as the longest training had; the teacher's score beside them."""

    student: str
    metric: str
    lower_is_better: bool
    teacher: float
    arms: Mapping[str, Arm]

    @property
    def epochs(self) -> int:
        """How many epochs are drawn."""
        return len(self.arms["student"].mean)


def read(folder: Path, result: Mapping[str, Any], student: int) -> Learning | None:
    """Read a run's curves; None where it wrote down no epoch of one side or no score of its teacher."""
    events = folder / "events.jsonl"
    if not events.is_file():
        return None
    metric = result["metric"]
    return _read(
        str(folder),
        events.stat().st_mtime_ns,
        str(result["students"][student]["name"]),
        str(metric.get("selection") or metric["name"]),
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(folder: str, stamp: int, student: str, metric: str) -> Learning | None:
    return of_events(RunFolder(Path(folder)).events(), student, metric)


def of_events(events: Sequence[Mapping[str, Any]], student: str, metric: str) -> Learning | None:
    """Gather one student's curves from the events of a run."""
    found: dict[str, dict[int, dict[int, float]]] = {arm: {} for arm in ARMS}
    teacher = None
    for event in events:
        if event["kind"] == "teacher":
            teacher = event["metrics"].get(metric)
        elif event["kind"] == "epoch" and event["arm"] in found and event.get("student") == student:
            found[event["arm"]].setdefault(event["seed"], {})[event["epoch"]] = float(event["score"])
    if teacher is None or not all(found.values()):
        return None
    lower = METRICS.get(metric).facts["better"] == "lower"
    seeds = {
        arm: tuple(tuple(scores[epoch] for epoch in sorted(scores)) for _, scores in sorted(of.items()))
        for arm, of in found.items()
    }
    most = max(len(one) for every in seeds.values() for one in every)
    arms = {arm: Arm(every, tuple(best_so_far(every, most, lower).tolist())) for arm, every in seeds.items()}
    return Learning(student, metric, lower, float(teacher), arms)


def best_so_far(seeds: Seeds, epochs: int, lower: bool) -> npt.NDArray[np.float64]:
    """Average over seeds the best score that each had until an epoch. Shape: S times (at most E,) -> (E,)."""
    best = np.minimum.accumulate if lower else np.maximum.accumulate
    held = [best(np.asarray(one)) for one in seeds]
    return np.mean([np.append(one, np.full(epochs - len(one), one[-1])) for one in held], axis=0)
