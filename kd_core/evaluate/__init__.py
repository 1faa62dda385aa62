"""Metrics, intervals, verdicts, soft labels and latency.

Metrics import scikit-learn when they are computed: to open a finished run takes none of its seconds.
"""

from kd_core.registry import import_siblings

from .base import METRICS as METRICS

import_siblings("kd_core.evaluate.metrics")
