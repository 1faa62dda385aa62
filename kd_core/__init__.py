"""The engine of KD Workbench: data in, an honestly compared student model out."""

from __future__ import annotations

__version__ = "0.1.0"

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kd_core.runs.predictor import Predictor


def load(run: Path | str, student: str | None = None) -> Predictor:
    """Open a student of a finished run, to answer raw rows. Errors: as `runs.predictor.load`."""
    from kd_core.runs import predictor

    return predictor.load(run, student)
