"""How long calls take, whatever is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

BATCHES = (1, 32, 256)
WARM_UP_CALLS = 10
MIN_CALLS, MAX_CALLS = 30, 1000
SECONDS_PER_BATCH = 0.1  # enough for 1,000 calls with a row of a small model; a slow one gets the minimum


def measure_latency(
    predict: Callable[[Any], Any], make_batch: Callable[[int], Any], batches: Sequence[int] = BATCHES
) -> dict[str, dict[str, float]]:
    """Time calls after a warm-up, for a bounded time. Units: milliseconds; keys are batch sizes as text.

    Example: {"1": {"p50": 0.05, "p95": 0.06, "p99": 0.08}, ...}
    """
    found = {}
    for size in batches:
        batch = make_batch(size)
        start = time.perf_counter()
        for _ in range(WARM_UP_CALLS):
            predict(batch)
            if time.perf_counter() - start > SECONDS_PER_BATCH:
                break
        taken: list[float] = []
        start = time.perf_counter()
        while len(taken) < MAX_CALLS and (len(taken) < MIN_CALLS or time.perf_counter() - start < SECONDS_PER_BATCH):
            before = time.perf_counter_ns()
            predict(batch)
            taken.append((time.perf_counter_ns() - before) / 1e6)
            if len(taken) >= 5 and time.perf_counter() - start > 4 * SECONDS_PER_BATCH:
                break
        p50, p95, p99 = np.percentile(taken, (50, 95, 99))
        found[str(size)] = {"p50": float(p50), "p95": float(p95), "p99": float(p99)}
    return found


def p50(latency: Mapping[str, Any]) -> float | None:
    """Return the median milliseconds of one answer: from the raw row on, else of the network alone, on ONNX Runtime before torch."""
    for runtime in ("whole", "onnxruntime", "torch"):
        one = latency.get(runtime, {}).get("1")
        if one:
            return float(one["p50"])
    return None
