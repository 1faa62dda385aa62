"""Rows as they come on a worse day: cells that are missing, numbers that are off, letters that were mistyped, grain on pictures.

Every way gives the same rows for the same seed, so that models are compared on the very same ones.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.data.pictures.column import png
from kd_core.data.types.base import ColumnType

STRENGTHS = (0.05, 0.1, 0.2)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Disturbance:
    """A way to disturb rows. `kinds`: of the columns that it touches. `change(values, strength, rng)` returns changed values. Shape: (N,)."""

    name: str
    kinds: frozenset[str]
    change: Callable[[pd.Series, float, np.random.Generator], pd.Series]

    def columns(self, types: Mapping[str, ColumnType]) -> list[str]:
        """Name the columns that it touches; none where it has nothing to disturb."""
        return [
            name for name, one in types.items() if one.kind in self.kinds and not (one.codes and self.name == NOISE)
        ]

    def disturbed(
        self, frame: pd.DataFrame, types: Mapping[str, ColumnType], strength: float, seed: int
    ) -> pd.DataFrame:
        """Return the rows with the columns of its kinds disturbed; what was missing stays so. Units: strength as a share."""
        rng = np.random.default_rng(seed)
        found = frame.copy()
        for name in self.columns(types):
            found[name] = self.change(frame[name], strength, rng)
        return found


MISSING, NOISE, TYPOS, GRAIN = "missing", "noise", "typos", "grain"


def _missing(values: pd.Series, strength: float, rng: np.random.Generator) -> pd.Series:
    """Leave so large a share of the cells empty."""
    return values.mask(pd.Series(rng.random(len(values)) < strength, index=values.index))


def _noise(values: pd.Series, strength: float, rng: np.random.Generator) -> pd.Series:
    """Move numbers by so large a share of the column's standard deviation."""
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    off = rng.normal(size=len(numbers)) * strength * (known.std() if len(known) else 0.0)
    return pd.Series(numbers + off, index=values.index)


def _typos(values: pd.Series, strength: float, rng: np.random.Generator) -> pd.Series:
    """Replace, drop or swap so large a share of the letters."""
    return pd.Series(
        [mistyped(text, strength, rng) if isinstance(text, str) else text for text in values.astype("object")],
        index=values.index,
        dtype=values.dtype,
    )


def mistyped(text: str, strength: float, rng: np.random.Generator) -> str:
    """Mistype a text: each letter is replaced by another, left out, or swapped with the next with so large a chance in all.

    Letters beyond ASCII are left out or swapped, as no keyboard's neighbours are known for them.
    """
    letters, at = list(text), 0
    hit, way = rng.random(len(letters)) < strength, rng.integers(0, 3, len(letters))
    other = rng.integers(0, len(_LETTERS), len(letters))
    made: list[str] = []
    while at < len(letters):
        letter = letters[at]
        if not hit[at] or letter.isspace():
            made.append(letter)
        elif way[at] == 0 and letter.isascii():
            made.append(_LETTERS[other[at]])
        elif way[at] == 1 and at + 1 < len(letters):
            made += [letters[at + 1], letter]
            at += 1
        at += 1
    return "".join(made)


def _grain(values: pd.Series, strength: float, rng: np.random.Generator) -> pd.Series:
    """Add grain to pictures, whose standard deviation is so large a share of white."""
    made = []
    for file in values:
        if not isinstance(file, bytes):
            made.append(file)
            continue
        pixels = pixels_of_file(file)
        grain = rng.normal(size=pixels.shape) * 255 * strength
        made.append(png(np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)))
    return pd.Series(made, index=values.index, dtype="object")


def pixels_of_file(file: bytes) -> Array:
    """Read a picture as a run keeps it. Shape: (H, W, K) uint8."""
    from PIL import Image

    with Image.open(io.BytesIO(file), formats=("PNG",)) as picture:
        pixels = np.asarray(picture)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


_EVERY = frozenset({"number", "category", "boolean", "datetime", "text", "picture"})
DISTURBANCES = (
    Disturbance(MISSING, _EVERY, _missing),
    Disturbance(NOISE, frozenset({"number"}), _noise),
    Disturbance(TYPOS, frozenset({"text"}), _typos),
    Disturbance(GRAIN, frozenset({"picture"}), _grain),
)
