"""A step of compression that tests can rely on: it rounds the weights of a student's file, and nothing else."""

from __future__ import annotations

import contextlib

import numpy as np
import onnx
from onnx import numpy_helper
from pydantic import Field

from kd_core.compress.base import STEPS
from kd_core.evaluate.latency import onnx_bytes
from kd_core.specs import Spec

NAME = "test_rounding"


class RoundingSpec(Spec):
    """How coarse."""

    to: float = Field(0.01, gt=0, description="Weights become multiples of this.")


def step(spec, stage, work):
    model = onnx.load_from_string(stage.file or onnx_bytes(stage.module, work.rows(stage).spec))
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32:
            rounded = (np.round(values / spec.to) * spec.to).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(rounded, weight.name))
    return stage.after(NAME, file=model.SerializeToString(), to=spec.to)


@contextlib.contextmanager
def registered():
    """Offer the step inside."""
    STEPS.register(
        NAME, title="Round weights", spec=RoundingSpec, changes="file", suits=lambda stage, inputs: None, short="coarse"
    )(step)
    try:
        yield
    finally:
        del STEPS._entries[NAME]
