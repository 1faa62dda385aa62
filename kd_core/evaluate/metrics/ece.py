"""Expected calibration error: mean gap between confidence and accuracy over 15 equal-width bins."""

from __future__ import annotations

from kd_core.evaluate.base import METRICS, Answers
from kd_core.evaluate.calibration import bins, expected_error
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "ece", title="Calibration error (ECE)", source="arXiv:1706.04599", tasks=CLASSIFICATION,
    better="lower", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def ece(answers: Answers) -> float | None:
    """Expected calibration error: mean gap between confidence and accuracy over 15 equal-width bins."""
    return expected_error(bins(answers))
