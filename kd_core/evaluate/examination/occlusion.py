"""What a model looks at in one text or picture: how its answer changes when a part is taken away.

Source: Zeiler and Fergus 2014, arXiv:1311.2901.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from kd_core.data.dataset import Array
from kd_core.data.pictures.column import png
from kd_core.evaluate.examination.disturbance import pixels_of_file

MOST_PARTS = 60  # of a text; words of a longer one go together
GRID = 7  # squares along each side of a picture
_WORD = re.compile(r"[㐀-鿿豈-﫿]|[^\s㐀-鿿豈-﫿]+")  # a Chinese character, or letters without a space


def parts_of(text: str) -> list[tuple[int, int]]:
    """Return the parts of a text that are taken away in turn: words, or Chinese characters; several together in a long text. Units: (start, end) in letters."""
    words = [match.span() for match in _WORD.finditer(text)]
    together = -(-len(words) // MOST_PARTS) or 1
    return [(words[at][0], words[min(at + together, len(words)) - 1][1]) for at in range(0, len(words), together)]


def texts_without(text: str, parts: Sequence[tuple[int, int]]) -> list[str]:
    """Return the text once for each part that is missing."""
    return [text[:start] + text[end:] for start, end in parts]


def pictures_without(file: bytes) -> list[bytes]:
    """Return the picture once for each square of a grid, row by row, that has the picture's mean colour instead."""
    pixels = pixels_of_file(file)
    mean = np.rint(pixels.reshape(-1, pixels.shape[2]).mean(axis=0)).astype(np.uint8)
    rows, columns = (np.linspace(0, side, GRID + 1).astype(int) for side in pixels.shape[:2])
    made = []
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            changed = pixels.copy()
            changed[top:bottom, left:right] = mean
            made.append(png(changed))
    return made


def effect(whole: Array, without: Array, output: int) -> Array:
    """Tell by how much an output was higher with each part than without it. Shape: whole (C,), without (P, C) -> (P,)."""
    found: Array = np.asarray(whole[output] - without[:, output], np.float64)
    return found
