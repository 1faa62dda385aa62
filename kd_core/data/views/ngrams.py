"""The n-gram view: texts as numbers of the pieces that stand in them, each with its weight, the most frequent pieces first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.saved import pack, unpack
from kd_core.data.encoding.text_block import spaced
from kd_core.data.encoding.text_columns import TextsView, count_texts, why_no_texts
from kd_core.data.input_spec import MOST_TERMS, TERM, InputSpec
from kd_core.data.plain.weighted_pieces import known_pieces, pieces, weighed
from kd_core.data.split import row_keys
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.view import VIEWS, Array

VERSION = 2  # raise it when encoded values change
FIT_ROWS = 50_000  # training texts that pieces are looked for in, drawn by a hash
LEAST_LENGTH, MOST_LENGTH = 8, 512
FINE = 32  # weights are kept as whole numbers of 1/32, so that they do not depend on what else a text holds
_COVERED = 0.99  # share of the training texts of which no piece is cut off


def _foresee(profile: Profile) -> InputSpec | None:
    return _inputs(128, min(MOST_TERMS, 4 * profile.num_rows)) if count_texts(profile) else None


def _inputs(length: int, terms: int) -> InputSpec:
    return InputSpec("ngrams", (length,), "int32", high=(terms + 1) * TERM)


@VIEWS.register(
    "ngrams",
    title="Weighted pieces of words",
    source="doi:10.1016/0306-4573(88)90021-0",
    fits=why_no_texts,
    foresee=_foresee,
    version=VERSION,
    reads="pieces of the words of text columns, the rare ones weighing more",
    example=_inputs(12, 30),
)
class NgramsView(TextsView):
    """Pieces of 3 and 4 letters of each word with the spaces around it and pairs of words, or 1 to 3 letters where words are not spaced.

    Pieces come from the training texts (at most 50,000 of them), those of most texts first; one of a single text is none. Each number of a row is
    `TERM` times a piece's number (from 1), plus its weight in 1/32: TF-IDF, times counted as 1 + log n. Rows are in the order of pieces and are
    filled up with 0; a network brings them to length 1. So a view of the first pieces alone reads a row as this one, but for the
    others. Shape: N rows -> (N, L) int32; L covers 99 % of the training texts, at most 512; longer ones lose their rarest pieces.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        super().__init__(types, task, seed)
        self.length, self.spaced = LEAST_LENGTH, True
        self.terms: tuple[str, ...] = ()
        self.idf = np.zeros(0, np.uint16)
        self._numbers: dict[str, int] = {}

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Find the pieces that stand in two training texts or more, and in how many of them."""
        texts = self.texts(frame)
        if len(texts) > FIT_ROWS:
            texts = [texts[at] for at in np.argsort(row_keys(len(texts), 3), kind="stable")[:FIT_ROWS]]
        self.spaced = spaced(np.array(texts, dtype=object))
        found = Counter[str]()
        for text in texts:
            found.update(set(pieces(text, self.spaced)))
        kept = sorted(((-n, term) for term, n in found.items() if n > 1))[:MOST_TERMS]
        counts = -np.array([n for n, _ in kept], np.float64)
        # Source: scikit-learn's smooth IDF, as if one more text held every term
        self._take([term for _, term in kept], np.rint(FINE * (np.log((1 + len(texts)) / (1 + counts)) + 1)))
        lengths = [len(np.unique(numbers)) for numbers in map(self._known, texts)]
        most = int(np.quantile(lengths, _COVERED)) if lengths else 0
        self.length = min(MOST_LENGTH, max(LEAST_LENGTH, most))
        return {}

    def _take(self, terms: Iterable[str], idf: Array) -> None:
        self.terms, self.idf = tuple(terms), idf.astype(np.uint16)
        self._numbers = {term: number for number, term in enumerate(self.terms, 1)}

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return _inputs(self.length, max(1, len(self.terms)))

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Number and weigh the pieces of texts; unknown ones count for nothing."""
        return weighed([self._known(text) for text in texts], self.idf, self.length)

    def _known(self, text: str) -> list[int]:
        return known_pieces(text, self.spaced, self._numbers)

    def first(self, count: int) -> NgramsView:
        """Return this view with the first pieces alone."""
        if count >= len(self.terms):
            return self
        made = type(self)(self.types, self.task, self.seed)
        made.length, made.spaced = self.length, self.spaced
        made._take(self.terms[:count], self.idf[:count])
        return made

    def learned(self) -> dict[str, bytes]:
        """Return the pieces with their weights, and how texts are cut."""
        told: dict[str, Any] = {
            "length": self.length,
            "spaced": self.spaced,
            "terms": list(self.terms),
            "idf": self.idf,
        }
        told["cut"] = (
            "lower case; words are what stands between white space; 'word next' of each two neighbours, and of ' word ' every piece of "
            "3 and of 4 letters"
            if self.spaced
            else "lower case; runs of white space are one space; every piece of 1, 2 and 3 letters"
        )
        told["rows"] = (
            f"of each known piece, in the order of terms: {TERM} x its number from 1 + rint(idf x (1 + log of its times)), at most "
            f"{TERM - 1} of that; filled up with 0"
        )
        return pack("ngrams", {"texts": told})

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Take those pieces again."""
        told = unpack("ngrams", files)["texts"]
        self.length, self.spaced = told["length"], told["spaced"]
        self._take(told["terms"], told["idf"])
