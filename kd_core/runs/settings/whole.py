"""What can be compared of a what-if that trains: the seeds that have ended in every cell that is to have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kd_core.evaluate.intervals.compare import Better, paired

Cell = Mapping[str, Any]
PER_SEED = ("seeds", "scores", "baseline", "done", "baseline_done")


def seeds(cells: Iterable[Cell]) -> frozenset[int]:
    """Name the seeds that have ended, with their baselines, in every cell that is to have them."""
    told = [
        (seed, own and alone)
        for c in cells
        for seed, own, alone in zip(c["seeds"], c["done"], c["baseline_done"], strict=True)
    ]
    return frozenset(seed for seed, _ in told) - {seed for seed, ended in told if not ended}


def held(cells: Iterable[Cell], better: Better) -> list[Cell]:
    """Cut cells down to such seeds, with mean and gain over these alone; none where no seed has ended everywhere.

    Before, the best would be the best of those that happened to end first.
    """
    every = list(cells)
    known = seeds(every)
    return [_cut(c, known, better) for c in every] if known else []


def _cut(cell: Cell, known: frozenset[int], better: Better) -> Cell:
    rows = [row for row in zip(*(cell[n] for n in PER_SEED), strict=True) if row[0] in known]
    kept = {name: [row[i] for row in rows] for i, name in enumerate(PER_SEED)}
    scores = [s for s in kept["scores"] if s is not None]
    both = [(s, b) for s, b in zip(kept["scores"], kept["baseline"], strict=True) if s is not None and b is not None]
    gain = paired([s for s, _ in both], [b for _, b in both], better) if both else None
    return {
        **cell,
        **kept,
        "mean": sum(scores) / len(scores) if scores else None,
        "gain": {
            "mean": gain and gain.mean,
            "ci95": [gain and gain.low, gain and gain.high],
            "n": gain.n if gain else 0,
        },
    }
