"""What steps in whole numbers are given: the file so far, and rows to watch it by."""

from __future__ import annotations

import numpy as np

from kd_core.compress.base import Stage, Work
from kd_core.data.dataset import Array
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.base import OwnONNX
from kd_core.seeding import derive


def why_not(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why a network can't go into whole numbers at all, None where it can."""
    if isinstance(stage.module, OwnONNX):
        return "is made of trees, which compare numbers and multiply none: its file is as short as it gets"
    if stage.file is not None:
        return "has a file that a step changed already, and only what no step has written yet can be rounded"
    return None


def file_of(stage: Stage, inputs: InputSpec) -> bytes:
    """Return the network's file. Errors: KDError `compress_unsuited`, and as `onnx_bytes`."""
    if why := why_not(stage, inputs):
        raise KDError("The student can't be rounded: it {why}.", "Leave this step out.", "compress_unsuited", why=why)
    return onnx_bytes(stage.module, inputs)


def nothing_to_round() -> KDError:
    """Return the error for a network of which no weight would take fewer bytes."""
    return KDError(
        "The student can't be rounded: none of its weights would take fewer bytes than they do.",
        "Leave this step out: its file is as short as it gets.",
        "compress_unsuited",
    )


def watched_rows(work: Work, stage: Stage, count: int) -> Array:
    """Draw training rows by the seed, in their order. Shape: (N, ...), N at most `count`."""
    return _drawn(work.rows(stage).parts["train"], count, derive(work.seed, "calibration"))


def judged_rows(work: Work, stage: Stage) -> Array:
    """Return the validation rows, all of them: what is measured needs their labels."""
    found: Array = work.rows(stage).parts["validation"]
    return found


def _drawn(rows: Array, count: int, seed: int) -> Array:
    if len(rows) <= count:
        return rows
    found: Array = rows[np.sort(np.random.default_rng(seed).choice(len(rows), count, replace=False))]
    return found
