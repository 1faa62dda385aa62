"""Metrics, intervals, verdicts, soft labels and latency."""

from kd_core.registry import import_siblings

from .base import METRICS as METRICS

import_siblings("kd_core.evaluate.metrics")
