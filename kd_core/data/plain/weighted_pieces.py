"""Texts as numbers of the pieces that stand in them, each with its weight: what the view `ngrams` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.data.input_spec import TERM

_UNSPACED = (1, 2, 3)  # letters of a piece where words are not spaced
_TIMES = 1 + np.log(np.arange(1, 1001))  # a piece that stands there n times counts 1 + log n times


def pieces(text: str, spaced: bool) -> list[str]:
    """Cut a text; a word that is shorter than a piece is one. No piece of a word is a pair: that has its space inside."""
    if not spaced:
        whole = " ".join(text.lower().split())
        return [whole[at : at + n] for n in _UNSPACED for at in range(len(whole) - n + 1)]
    words = text.lower().split()
    found = [f"{first} {second}" for first, second in pairwise(words)]
    for word in words:
        padded, size = f" {word} ", len(word) + 2
        found += [padded[at : at + 3] for at in range(size - 2)]
        found += [padded[at : at + 4] for at in range(size - 3)]
    return found


def known_pieces(text: str, spaced: bool, numbers: Mapping[str, int]) -> list[int]:
    """Return the numbers of the pieces that are known, each as often as it stands there."""
    return [numbers[piece] for piece in pieces(text, spaced) if piece in numbers]


def weighed(known: Sequence[Sequence[int]], idf: npt.NDArray[Any], length: int) -> npt.NDArray[np.int32]:
    """Weigh the known pieces of texts, in their order; what is beyond the length is left out. Shape: N lists -> (N, length)."""
    rows = np.repeat(np.arange(len(known)), [len(numbers) for numbers in known])
    wide = len(idf) + 1
    keys = rows * wide + np.fromiter((n for numbers in known for n in numbers), np.int64, len(rows))
    keys, times = np.unique(keys, return_counts=True)
    rows, numbers = np.divmod(keys, wide)
    weights = np.rint(idf[numbers - 1] * _TIMES[np.minimum(times, len(_TIMES)) - 1])
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    x = np.zeros((len(known), length), np.int32)
    fits = place < length
    x[rows[fits], place[fits]] = (numbers * TERM + np.minimum(weights, TERM - 1))[fits]
    return x
