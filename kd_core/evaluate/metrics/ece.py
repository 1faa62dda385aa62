"""Expected calibration error: mean gap between confidence and accuracy over 15 equal-width bins."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.evaluate.calibration import bins, expected_error, places
from kd_core.task import CLASSIFICATION


def parts(answers: Answers) -> tuple[Array, Array]:
    """Each row's bin and its gap, right or wrong less the confidence. Shape: (N,), (N,)."""
    assert answers.p is not None
    return places(answers), np.asarray((answers.predicted == answers.y) - answers.p.max(axis=1))


def from_parts(mean_gaps: Array) -> Array:
    """Sum of the bins' absolute mean gaps. Shape: (..., bins) to (...)."""
    return np.asarray(np.abs(mean_gaps).sum(axis=-1))


@METRICS.register(
    "ece",
    title="Calibration error (ECE)",
    source="arXiv:1706.04599",
    tasks=CLASSIFICATION,
    better="lower",
    unit="share",
    margin=0.005,
    relative=False,
    influence=None,
    no_influence="a bin's absolute gap has a kink at 0, where well calibrated models lie",
    parts=parts,
    from_parts=from_parts,
)
def ece(answers: Answers) -> float | None:
    """Expected calibration error: mean gap between confidence and accuracy over 15 equal-width bins."""
    return expected_error(bins(answers))
