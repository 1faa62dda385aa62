"""How long a pretrained network takes for a text or a picture: measured, and foreseen before it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kd_core.errors import KDError
from kd_core.machine.device import threads
from kd_core.machine.timing import measure_latency
from kd_core.teachers.pretrained.config import read_config
from kd_core.teachers.pretrained.folders import MINILM, PICTURES, find
from kd_core.teachers.pretrained.picture_config import read_pictures
from kd_core.teachers.pretrained.picture_encoder import operations

BATCHES = (1, 32)  # 256 texts at once take seconds, and are no faster by the text
TEXT_PIECES = 20  # of a usual short text; `pace` mends the estimate by what earlier runs took
OPERATIONS_PER_SECOND = 4.5e10  # of one core of a 2020s server on such products
OVERHEAD = 1e-3  # seconds a text or picture beside them
MINILM_WEIGHTS = 10_616_832  # what a word piece passes; for estimates where it is not installed
PICTURE_WEIGHTS = 25_000_000, 224, 224  # and sides, of a ResNet-50; for estimates of what can't be opened


def text_seconds(model: str) -> float:
    """Estimate the seconds to read one text on an idle core; of a model that can't be opened as of MiniLM."""
    try:
        weights = MINILM_WEIGHTS if model == MINILM else read_config(find(model)).weights
    except (KDError, OSError):  # whoever opens it says so
        weights = MINILM_WEIGHTS
    return OVERHEAD + 2 * TEXT_PIECES * weights / OPERATIONS_PER_SECOND


def picture_seconds(model: str) -> float:
    """Estimate the seconds to read one picture on an idle core, by the size of the model's file and of the pictures that it takes."""
    try:
        folder = find(model, PICTURES)
        weights = (folder / "model.safetensors").stat().st_size // 4, *read_pictures(folder).reading.size
    except (KDError, OSError):  # whoever opens it says so
        weights = PICTURE_WEIGHTS
    return OVERHEAD + operations(*weights) / OPERATIONS_PER_SECOND


def text_latency(texts: Sequence[str], answer: Callable[[list[str]], object]) -> dict[str, Any]:
    """Time answers from texts on: cutting, encoding, answering. Units: milliseconds, one thread of the CPU."""
    return _latency(texts, answer, "a pretrained encoder is asked in its own library, from the text on")


def picture_latency(pictures: Sequence[Any], answer: Callable[[list[Any]], object]) -> dict[str, Any]:
    """Time answers from pixels on: resizing, describing, answering. Units: milliseconds, one thread of the CPU."""
    return _latency(pictures, answer, "a pretrained network is asked in its own library, from the pixels on")


def _latency(rows: Sequence[Any], answer: Callable[[list[Any]], object], reason: str) -> dict[str, Any]:
    def batch(count: int) -> list[Any]:
        return [rows[i % len(rows)] for i in range(count)]

    with threads(1):
        return {"whole": measure_latency(answer, batch, BATCHES), "onnxruntime": {"reason": reason}}
