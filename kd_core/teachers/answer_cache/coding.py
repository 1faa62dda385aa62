"""How logits are kept: exactly up to 100 outputs; beyond that in two bytes a value, or only the largest of each row.

Legend: N rows, C outputs, K kept values. A coding is taken only when no logit of any row moves by more than
`TOLERANCE`, so softened probabilities move by less than TOLERANCE / T in all (total variation) at any temperature
T, and losses on plain logits see the same numbers to that bound. The smallest coding that keeps the bound is taken:

- the K largest of each row, where the others of a row are as good as equal, as a forest answers classes that none of
  its trees knows: float16 values, their class numbers, and one logit that spreads the remaining mass evenly;
- float16, which keeps |z| < 64 to the bound; log-probabilities lie between -14 and 0;
- float32 where neither does.

Keeping only the largest in any case would be smaller and wrong: 32 of 1,000 logits of trained teachers moved up to
48 % of the softened mass at T = 4, float16 0.04 % (`benchmarks/teacher_cache.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kd_core.data.dataset import Array
from kd_core.errors import DataError

EXACT_OUTPUTS = 100  # up to here four bytes a value are few
TOLERANCE = 1 / 64
_LARGEST = (8, 32)  # numbers of kept values that are tried
_CHUNK_VALUES = 2**22  # values handled at once: bounds the memory beside a large array


def encode(z_NC: Array) -> dict[str, Array]:
    """Code logits (N, C) float32 as named arrays for `decode`."""
    outputs = z_NC.shape[1]
    if outputs > EXACT_OUTPUTS:
        for count in _LARGEST:
            if (found := largest(z_NC, count)) is not None:
                return found
        with np.errstate(over="ignore"):  # what overflows is not within the bound
            half = z_NC.astype(np.float16)
        if all(_near(half[rows], z_NC[rows]) for rows in _chunks(z_NC)):
            return {"logits": half}
    return {"logits": np.asarray(z_NC, dtype=np.float32)}


def decode(coded: Mapping[str, Array], outputs: int, rows: Array | None = None) -> Array:
    """Give back (N, C) float32, or only the rows at some positions; float32 kept whole is given as it lies.

    Errors: DataError with code `damaged_cache` when an array is missing or has another shape.
    """
    try:
        if "logits" in coded:
            kept = coded["logits"]
            if kept.ndim != 2 or kept.shape[1] != outputs:
                raise ValueError(f"logits of shape {kept.shape} are not {outputs} outputs")
            found: Array = kept if rows is None else kept[rows]
            return found if found.dtype == np.float32 else found.astype(np.float32)
        top, places, rest = (coded[name] if rows is None else coded[name][rows] for name in ("top", "classes", "rest"))
        z_NC = np.repeat(rest.astype(np.float32).reshape(-1, 1), outputs, axis=1)
        np.put_along_axis(z_NC, places.astype(np.int64), top.astype(np.float32), axis=1)
        return z_NC
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(
            "The kept answers of a teacher are damaged: {reason}.",
            "They are made again.",
            "damaged_cache",
            reason=f"no array {error}" if isinstance(error, KeyError) else str(error),
        ) from None


def largest(z_NC: Array, count: int, tolerance: float = TOLERANCE) -> dict[str, Array] | None:
    """Keep the largest values of each row and the others' mass, or None where the others are too far from equal."""
    rows, outputs = z_NC.shape
    if 4 * count + 4 >= 2 * outputs:
        return None
    top = np.empty((rows, count), dtype=np.float16)
    places = np.empty((rows, count), dtype=np.uint16 if outputs <= 2**16 else np.int32)
    rest = np.empty(rows, dtype=np.float32)
    for chunk in _chunks(z_NC):
        z = z_NC[chunk]
        if not np.isfinite(z).all():
            return None
        order = np.argpartition(z, outputs - count, axis=1)
        first = order[:, outputs - count :]
        z_top, others = np.take_along_axis(z, first, axis=1), np.take_along_axis(z, order[:, : outputs - count], axis=1)
        highest = others.max(axis=1, keepdims=True)
        even = highest + np.log(np.exp(others - highest).mean(axis=1, keepdims=True))
        with np.errstate(over="ignore"):
            top[chunk] = z_top
        if not _near(even, others, tolerance) or not _near(top[chunk], z_top, tolerance):
            return None
        places[chunk], rest[chunk] = first, even[:, 0]
    return {"top": top, "classes": places, "rest": rest}


def _near(coded: Array, exact: Array, tolerance: float = TOLERANCE) -> bool:
    """Say whether no value moved by more than the bound; False for what is not finite."""
    return bool((np.abs(coded.astype(np.float32) - exact) <= tolerance).all())


def _chunks(z_NC: Array) -> list[slice]:
    step = max(1, _CHUNK_VALUES // z_NC.shape[1])
    return [slice(start, start + step) for start in range(0, len(z_NC), step)]
