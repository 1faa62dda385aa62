"""Numbers that say the same in fewer digits, so that a file of them packs well. Legend: K numbers, V values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

Floats = npt.NDArray[np.float32]
_LEAST_STEP = np.float16(2**-14)  # smaller ones have fewer digits
_DIGITS = 23  # binary digits of a float32 behind the first


def shortest_between(thresholds: npt.NDArray[Any], values: npt.NDArray[Any]) -> Floats:
    """Return for each threshold a number of the fewest binary digits that has the same values at its side: those up to it.

    0 where it can be; else the number so short that is next to the threshold. A threshold beyond all values stays beyond them.
    Shape: (K,) float32, (V,) float32 ascending and all different -> (K,) float32.
    """
    wanted = np.asarray(thresholds, np.float32)
    edges = np.concatenate([[-np.inf], values, [np.inf]]).astype(np.float32)
    at = np.searchsorted(edges, wanted, "right")
    low, high = edges[at - 1], edges[np.minimum(at, len(edges) - 1)]  # low <= found < high
    low = np.where(np.isinf(low), wanted, low)
    found = np.where((low <= 0) & (high > 0), np.float32(0), np.float32(np.nan))
    for digits in range(_DIGITS + 1):
        for tried in (_nearest(wanted, digits), _above(low, digits)):
            fits = np.isnan(found) & (low <= tried) & (tried < high)
            found[fits] = tried[fits]
        if not np.isnan(found).any():
            break
    return np.where(np.isnan(found), wanted, found)  # infinite ones


def step_of(deviation: float, terms: int) -> float:
    """Return the largest power of two to whose multiples so many terms may be rounded: their sum then moves by that deviation.

    A rounded number is off by a uniform error of deviation step / sqrt(12). 0 for a deviation of 0.
    """
    if not 0 < deviation < math.inf:
        return 0.0
    return float(2.0 ** math.floor(math.log2(deviation * math.sqrt(12 / terms))))


def in_bytes(vectors: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """Return vectors as whole numbers of one byte, each vector times a step of its own; what comes of that gives the same again.

    The step is the largest number / 127, rounded to the digits of a float16; numbers of a vector move by half a step at most.
    Shape: (K, D) float32 -> (K, D) and (K,). Errors: none; a vector beyond 127 x 65,504 has a step that is infinite.
    """
    wanted = np.abs(vectors).max(axis=1, initial=0).astype(np.float64) / 127
    with np.errstate(over="ignore"):
        steps = wanted.astype(np.float16)
    steps = np.maximum(steps, _LEAST_STEP)
    return np.rint(vectors / steps.astype(np.float32)[:, None]).astype(np.int8), steps


def from_bytes(numbers: npt.NDArray[np.int8], steps: npt.NDArray[np.float16]) -> Floats:
    """Return the vectors again. Shape: (K, D) and (K,) -> (K, D) float32."""
    found: Floats = numbers.astype(np.float32) * steps.astype(np.float32)[:, None]
    return found


def halve(tensors: Iterable[Tensor]) -> None:
    """Round weights in place to what float16 can hold; one beyond leaves its tensor as it is."""
    for tensor in tensors:
        short = tensor.data.half().to(tensor.dtype)
        if short.isfinite().all():
            tensor.data.copy_(short)


def _nearest(numbers: Floats, digits: int) -> Floats:
    dropped = _DIGITS - digits
    bits = numbers.view(np.int32)
    if dropped:  # sign and size are told apart, so this rounds away from 0 in the middle
        bits = (bits + (1 << (dropped - 1))) & ~((1 << dropped) - 1)
    return bits.view(np.float32)


def _above(numbers: Floats, digits: int) -> Floats:
    """Return the smallest number of so many digits that is not below."""
    rest = (1 << (_DIGITS - digits)) - 1
    bits = numbers.view(np.int32)
    return np.where(numbers > 0, (bits + rest) & ~rest, bits & ~rest).astype(np.int32).view(np.float32)
