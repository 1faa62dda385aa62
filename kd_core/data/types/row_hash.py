"""One hash per row of typed values, the same in every process."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

_MIX = np.uint64(0xBF58476D1CE4E5B9)
_STEP = np.uint64(0x9E3779B97F4A7C15)


def row_hashes(columns: list[pd.Series]) -> npt.NDArray[np.uint64]:
    """Hash rows by value. Shape: columns of (N,) float64, category, string or datetime64 -> (N,) uint64."""
    total = np.zeros(len(columns[0]) if columns else 0, np.uint64)
    for column in columns:
        total = (total ^ _bits(column)) * _MIX + _STEP
        total ^= total >> np.uint64(29)
    return total


def _bits(values: pd.Series) -> npt.NDArray[np.uint64]:
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(np.float64) + 0.0  # -0.0 and 0.0 are one value
        bits = np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64)
    elif pd.api.types.is_datetime64_any_dtype(values.dtype):
        bits = values.to_numpy().astype("datetime64[us]").view(np.uint64)
    else:
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes, labels = values.cat.codes.to_numpy(), list(values.cat.categories)
        else:
            codes, uniques = pd.factorize(values)
            labels = list(uniques)
        table = np.array([_text_bits(str(v)) for v in labels] + [1], np.uint64)
        bits = table[codes]
    mixed = (bits ^ (bits >> np.uint64(31))) * _STEP
    found: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(32))
    return found


def _text_bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
