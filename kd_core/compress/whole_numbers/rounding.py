"""From numbers to whole numbers times a step, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
INT8, NARROW, INT4 = 127, 63, 7  # the largest whole number of a weight
# Processors without instructions for it add pairs of products of 8 bits in 16 bits, which overflow, unless weights take 7 bits.
# Source: onnxruntime.ai, quantisation, "When and why do I need to try U8U8" (reduce_range).
_LEAST_STEP = 2.0**-14  # smaller ones have fewer digits in float16


def steps_of(values: Floats, axes: tuple[int, ...], most: int) -> Floats:
    """Return the steps of weights: the largest number / `most`, up to the next float16, one per place of `axes`, 1 elsewhere.

    Shape: any -> the same number of dimensions. Rounding again what was rounded gives the same steps.
    """
    others = tuple(i for i in range(values.ndim) if i not in {a % values.ndim for a in axes})
    largest = np.abs(values).max(axis=others, keepdims=True, initial=0).astype(np.float64) / most
    return shortened(largest)


def shortened(steps: npt.NDArray[Any]) -> Floats:
    """Return steps that float16 holds, not below the wanted ones where that can be; beyond its numbers they stay."""
    with np.errstate(over="ignore"):
        short = np.maximum(steps, _LEAST_STEP).astype(np.float16)
        above = np.where(short.astype(np.float64) < steps, np.nextafter(short, np.float16(np.inf)), short)
    found: Floats = np.where(np.isfinite(above), above.astype(np.float32), steps.astype(np.float32))
    return found


def rounded(values: Floats, steps: Floats, most: int) -> npt.NDArray[np.int8]:
    """Return whole numbers that, times the steps, are next to the values."""
    found: npt.NDArray[np.int8] = np.rint(values / steps).clip(-most, most).astype(np.int8)
    return found


@dataclass(frozen=True)
class Range:
    """What values of a tensor lie between; they are written in 256 steps of it, and 0 is one of them."""

    low: float
    high: float

    @property
    def step(self) -> float:
        """The step between two neighbours."""
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        step = (high - low) / 255
        return float(np.float32(step)) if math.isfinite(step) and step > 1e-30 else 1.0

    @property
    def zero(self) -> int:
        """The whole number that means 0."""
        return int(np.clip(np.rint(-min(self.low, 0.0) / self.step), 0, 255))
