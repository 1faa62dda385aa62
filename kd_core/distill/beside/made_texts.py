"""Texts made up from what is known of a column of texts: its words with their counts, and how long its texts are.

Words are drawn independently, so that nothing of how they go together is known but what the teacher answers. A word that occurs once
is left out: it would tell of the one text that holds it.
Legend: N texts, M made-up texts, V words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.data.encoding.text_block import spaced

_LEAST_COUNT = 2


@dataclass(frozen=True)
class Words:
    """All that is known of N texts. `lengths[n]`: how many of them have n words; `gap`: what stands between words.

    Shape: words V in alphabetical order, counts (V,), lengths (longest + 1,).
    """

    words: tuple[str, ...]
    counts: Array
    lengths: Array
    gap: str

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """Count the words of texts, or their characters where words are not spaced."""
        gap = " " if spaced(np.array(texts, dtype=object)) else ""
        cut = [text.split() if gap else list("".join(text.split())) for text in texts]
        found = Counter(word for words in cut for word in words)
        kept = sorted(word for word, count in found.items() if count >= _LEAST_COUNT) or sorted(found)
        lengths = np.bincount([len(words) for words in cut], minlength=1)
        return cls(tuple(kept), np.array([found[word] for word in kept], np.int64), lengths, gap)

    def drawn(self, texts: int, rng: np.random.Generator) -> list[str]:
        """Make up texts: a length by its share, then each word by its count."""
        lengths = rng.choice(len(self.lengths), size=texts, p=self.lengths / self.lengths.sum())
        if not self.words:
            return [""] * texts
        at = rng.choice(len(self.words), size=int(lengths.sum()), p=self.counts / self.counts.sum())
        drawn = np.array(self.words, dtype=object)[at]
        return [self.gap.join(some) for some in np.split(drawn, np.cumsum(lengths)[:-1])]


def drawn(column: pd.Series, rows: int, rng: np.random.Generator) -> Any:
    """Make up the cells of a column of texts; empty ones as often as there are."""
    known = column[column.notna()]
    if not len(known):
        return column.iloc[np.zeros(rows, np.int64)].reset_index(drop=True)
    empty = rng.random(rows) < 1 - len(known) / len(column)
    made = pd.Series(Words.of(known.tolist()).drawn(rows, rng), dtype=column.dtype)
    return made.where(~empty, other=pd.NA)
