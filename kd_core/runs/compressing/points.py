"""What a stage lost against another one, in points: hundredths of a share, or percent of an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import families
from kd_core.evaluate.intervals.compare import Gain
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.evaluate.intervals.row_spread import units_of
from kd_core.runs import assessment


def beside(dataset: Dataset, split: Split, first: Sequence[Array], second: Sequence[Array]) -> Evidence:
    """Set the seeds of one side, `first`, beside those of another, `second`, paired by position. Shape: logits (N, C)."""
    groups = dataset.parts[split].groups
    sides = {"first": first, "second": second}
    models = {name: [assessment.answers(dataset, split, z) for z in side] for name, side in sides.items()}
    return Evidence(models, None if groups is None else units_of(groups))


def in_points(metric: str, reference: Sequence[float | None]) -> float:
    """Return by what a difference is multiplied: 100, or for errors 100 over the reference's own mean."""
    if not METRICS.get(metric).facts["relative"]:
        return 100.0
    known = [abs(v) for v in reference if v is not None]
    mean = sum(known) / len(known) if known else 0.0
    return 100.0 / mean if mean > 0 else 100.0


def lost(gain: Gain, factor: float, statements: int = 1) -> dict[str, Any]:
    """Write what was lost, above 0 where it is worse: with its interval over seeds and rows, and one that holds for all `statements` together."""
    wide = families.simultaneous(gain, statements)
    half = {name: None if (v := getattr(gain, name)) is None else factor * v for name in ("seeds_half", "rows_half")}
    return {
        "mean": -factor * gain.mean,
        "ci95": _turned(gain, factor),
        "ci_family": _turned(wide, factor),
        **half,
        "n": gain.n,
    }


def won(gain: Gain, factor: float) -> dict[str, Any]:
    """Write what was won, above 0 where it is better."""
    low, high = (None if v is None else factor * v for v in (gain.low, gain.high))
    half = {name: None if (v := getattr(gain, name)) is None else factor * v for name in ("seeds_half", "rows_half")}
    return {"mean": factor * gain.mean, "ci95": [low, high], **half, "n": gain.n}


def _turned(gain: Gain, factor: float) -> list[float | None]:
    return [None, None] if gain.low is None or gain.high is None else [-factor * gain.high, -factor * gain.low]
