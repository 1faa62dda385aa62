"""How sure a student is, before and after temperature scaling: the temperature is found on validation rows, its effect told on test rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.data.pictures.column import as_files
from kd_core.errors import KDError
from kd_core.evaluate import calibration
from kd_core.evaluate.base import METRICS, Answers
from kd_core.runs import artifacts
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.examining.subjects import Asked, Kept
from kd_core.runs.predictor import Predictor

MOST_ROWS = 5000  # of validation: a single number needs no more
_LEAST = 1e-12  # of a probability, before its logarithm is taken


def surest(model: Predictor, ask: Asked, kept: Kept, data: RunData) -> dict[str, Any]:
    """Return the temperature with calibration before and after it; nothing for numbers, the reason where validation rows are gone."""
    task = model.purpose.task
    if not task.has_classes:
        return {}
    try:
        dataset = data.dataset
    except KDError as error:
        return {"confidence": {"reason": str(error)}}
    part = dataset.validation
    some = artifacts.kept_rows(len(part), dataset.hash, MOST_ROWS)
    ids, y = part.row_ids[some], part.y[some]
    temperature = calibration.fitted_temperature(_logits(ask(as_files(dataset.rows.iloc[ids]))), y)
    z = _logits(ask(kept.frame))
    told = {}
    for name, scale in (("before", 1.0), ("after", temperature)):
        scaled = z / scale
        p = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        answers = Answers(task.name, kept.labels, p=p / p.sum(axis=1, keepdims=True), z=scaled)
        bins = calibration.bins(answers)
        loss = METRICS.get("log_loss").make(answers)
        told[name] = {"ece": calibration.expected_error(bins), "log_loss": loss, "bins": bins}
    return {"confidence": {"temperature": temperature, "validation_rows": len(y), "rows": len(kept.labels), **told}}


def _logits(p_NC: Array) -> Array:
    found: Array = np.log(np.maximum(np.asarray(p_NC, np.float64), _LEAST))
    return found
