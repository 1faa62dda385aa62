"""Free text of a table condensed to a few numbers: what `encoding/text_block.TextBlock` gives, term by term in the same order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

_SPACES = re.compile(r"\s\s+")
_SPACED, _UNSPACED = (3, 4), (1, 2)  # letters of a piece


class Topics:
    """Encodes texts of one column. Legend: N texts, D topics."""

    def __init__(self, learned: Mapping[str, Any]) -> None:
        self.spaced, self.idf, self.spread = learned["spaced"], learned["idf"], learned["spread"]
        self.places = {term: place for place, term in enumerate(learned["terms"])}
        self.topics = np.ascontiguousarray(learned["topics"].T)

    def encode(self, texts: Sequence[str]) -> Any:
        """Condense texts. Shape: (N,) -> (N, D + 1) float32, the length last."""
        lengths = (np.log1p([len(text) for text in texts]) / 4)[:, None]
        if not self.places:
            return lengths.astype(np.float32)
        found = np.array([self._one(text) for text in texts]).reshape(len(texts), -1)
        return np.column_stack([np.clip(found / self.spread, -10, 10), lengths]).astype(np.float32)

    def _one(self, text: str) -> Any:
        counts = Counter(place for piece in self._pieces(text) if (place := self.places.get(piece)) is not None)
        found = np.array(sorted(counts), np.int64)
        weights = np.log(np.array([counts[place] for place in found.tolist()], np.float32)) + np.float32(1)
        weights *= self.idf[found]
        norm = sum((weights * weights).astype(np.float64).tolist()) ** 0.5
        if norm:
            weights = (weights.astype(np.float64) / norm).astype(np.float32)
        return (weights[:, None] * self.topics[found]).sum(axis=0)  # row after row, as a sparse product adds them

    def _pieces(self, text: str) -> Iterator[str]:
        """Cut as scikit-learn's analyzers `char_wb` and `char` do."""
        if not self.spaced:
            whole = _SPACES.sub(" ", text.lower())
            for size in _UNSPACED:
                yield from (whole[at : at + size] for at in range(len(whole) - size + 1))
            return
        for word in text.lower().split():
            padded = f" {word} "
            for size in _SPACED:
                yield from (padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
                if len(padded) <= size:  # a short word counts once
                    break
