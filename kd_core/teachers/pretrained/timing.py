"""How long a pretrained encoder takes for a text: measured, and foreseen before it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kd_core.errors import KDError
from kd_core.machine.device import threads
from kd_core.machine.timing import measure_latency
from kd_core.teachers.pretrained.config import read_config
from kd_core.teachers.pretrained.folders import MINILM, find

BATCHES = (1, 32)  # 256 texts at once take seconds, and are no faster by the text
TEXT_PIECES = 20  # of a usual short text; `pace` mends the estimate by what earlier runs took
OPERATIONS_PER_SECOND = 4.5e10  # of one core of a 2020s server on such products
OVERHEAD = 1e-3  # seconds a text beside them
MINILM_WEIGHTS = 10_616_832  # what a word piece passes; for estimates where it is not installed


def text_seconds(model: str) -> float:
    """Estimate the seconds to read one text on an idle core; of a model that can't be opened as of MiniLM."""
    try:
        weights = MINILM_WEIGHTS if model == MINILM else read_config(find(model)).weights
    except (KDError, OSError):  # whoever opens it says so
        weights = MINILM_WEIGHTS
    return OVERHEAD + 2 * TEXT_PIECES * weights / OPERATIONS_PER_SECOND


def text_latency(texts: Sequence[str], answer: Callable[[list[str]], object]) -> dict[str, Any]:
    """Time answers from texts on: cutting, encoding, answering. Units: milliseconds, one thread of the CPU."""

    def batch(count: int) -> list[str]:
        return [texts[i % len(texts)] for i in range(count)]

    with threads(1):
        return {
            "whole": measure_latency(answer, batch, BATCHES),
            "onnxruntime": {"reason": "a pretrained encoder is asked in its own library, from the text on"},
        }
