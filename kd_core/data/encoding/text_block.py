"""Encoding of a column of free text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2
from threadpoolctl import threadpool_limits

from kd_core.data.split import row_keys
from kd_core.data.types.base import ColumnType

if TYPE_CHECKING:  # onnx takes a quarter of a second to import
    from kd_core.data.encoding.raw_graph import RawGraph

Array = npt.NDArray[Any]
_FIT_ROWS = 30_000  # rows that terms and topics are found in
_TERMS = 20_000
_WORDS = 20_000  # whose terms are remembered
_SPACED_ROWS = 2_000  # texts looked at to tell whether words are spaced
# Pieces of spaced words tell more than the words: one topic holds "card", "cards" and "carded" (banking77: .770, words .696).
_SPACED: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (3, 4)}
_UNSPACED: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 2)}


class TextBlock:
    """Free text: TF-IDF of pieces of words (of characters where words are not spaced), condensed to a few values, and its length.

    Terms and topics are found once, in the training texts, and every text is taken apart once.
    """

    def __init__(self, name: str, components: int, seed: int) -> None:
        self.name = name
        self.names: tuple[str, ...] = (name,)
        self.components, self.seed = components, seed
        self.spaced = True
        self.terms: tuple[str, ...] = ()
        self.idf, self.topics, self.spread = np.zeros(0), np.zeros((0, 0)), np.zeros(0)
        self._tools: tuple[Any, Any, OneText] | None = None  # made of the above when texts are first read

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        """Find terms and topics; return the encoding of the training texts when all of them were looked at."""
        texts = texts_of(values)
        some = (
            texts if len(texts) <= _FIT_ROWS else texts[np.argsort(row_keys(len(texts), 3), kind="stable")[:_FIT_ROWS]]
        )
        self.spaced = spaced(some)
        kept, counted = _counted(some, self._how)
        if len(kept) < 2:
            self.names = (f"{self.name} length",)
            return None
        weigh = TfidfTransformer(sublinear_tf=True)
        weighed = weigh.fit_transform(counted)
        self.terms, self.idf = tuple(kept), weigh.idf_
        self.components = max(1, min(self.components, weighed.shape[1] - 1, weighed.shape[0] - 1))
        # One thread: the small dense steps between the sparse ones take longer with several, many times so on a busy machine.
        with (
            threadpool_limits(1),
            np.errstate(invalid="ignore", divide="ignore"),
        ):  # texts that are all alike have no variance to share out
            self.topics = TruncatedSVD(self.components, random_state=self.seed, n_iter=4).fit(weighed).components_
        topics = weighed @ self.topics.T
        self.spread = np.maximum(topics.std(axis=0), 1e-6)
        self.names = (*(f"{self.name} topic {i + 1}" for i in range(self.components)), f"{self.name} length")
        return self._joined(topics, some) if some is texts else None

    def transform(self, values: pd.Series) -> Array:
        texts = texts_of(values)
        if not self.terms:
            return _lengths(texts)
        if self._tools is None:
            weigh = TfidfTransformer(sublinear_tf=True)
            weigh.idf_ = self.idf
            terms = CountVectorizer(**self._how, vocabulary=self.terms, dtype=np.float32)
            self._tools = terms, weigh, OneText(terms, self.spaced, self.idf, self.topics)
        terms, weigh, alone = self._tools
        if len(texts) == 1:
            return self._joined(alone.topics_of(texts[0]), texts)
        return self._joined(weigh.transform(_occurrences(terms, texts)) @ self.topics.T, texts)

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        """Take the encoded values: a graph can't tell the pieces of words apart."""
        graph.given(self.name, len(self.names))

    @property
    def _how(self) -> dict[str, Any]:
        return _SPACED if self.spaced else _UNSPACED

    def _joined(self, topics: Array, texts: Array) -> Array:
        return np.column_stack([np.clip(topics / self.spread, -10, 10), _lengths(texts)])


class OneText:
    """One text encoded without scikit-learn's checks, which take a row ten times as long: the same bits as among others.

    Which terms a word has is kept for the words met first. Legend: D topics.
    """

    def __init__(self, terms: CountVectorizer, spaced: bool, idf: Array, topics: Array) -> None:
        self.pieces, self.spaced, self.idf = terms.build_analyzer(), spaced, idf
        self.places = {term: place for place, term in enumerate(terms.vocabulary)}
        self.topics = np.ascontiguousarray(topics.T)
        self.words: dict[str, list[int]] = {}

    def topics_of(self, text: str) -> Array:
        """Count, weigh and condense. Shape: (1, D)."""
        counts: Counter[int] = Counter()
        for word in text.split() if self.spaced else [text]:
            counts.update(self._places(word))
        found = np.array(sorted(counts), np.int32)
        weights = np.array([counts[place] for place in found.tolist()], np.float32)
        weights = np.log(weights) + np.float32(1)
        weights *= self.idf[found]
        row = csr_array((weights, found, np.array([0, len(found)], np.int32)), shape=(1, len(self.places)))
        inplace_csr_row_normalize_l2(row)
        condensed: Array = row @ self.topics
        return condensed

    def _places(self, word: str) -> list[int]:
        if (known := self.words.get(word)) is None:
            known = [place for piece in self.pieces(word) if (place := self.places.get(piece)) is not None]
            if self.spaced and len(self.words) < _WORDS:
                self.words[word] = known
        return known


def spaced(texts: Array) -> bool:
    """Say whether words are written with spaces between them, by a look at some of the texts. Shape: (N,)."""
    return bool(np.mean([t.count(" ") * 12 >= len(t) for t in texts[:_SPACED_ROWS]]) > 0.3)


def texts_of(values: pd.Series) -> Array:
    """Return a column's texts, nothing where one is missing. Shape: (N,) of str."""
    if len(values) == 1:  # the same in a tenth of the time
        text = values.iloc[0]
        return np.array([text if isinstance(text, str) else ""], dtype=object)
    return values.fillna("").astype("object").to_numpy()


def _lengths(texts: Array) -> Array:
    found: Array = (np.log1p([len(t) for t in texts]) / 4)[:, None]
    return found


def _counted(texts: Array, how: dict[str, Any]) -> tuple[list[str], csr_array]:
    """Count the terms worth keeping, most frequent first. Shape: (N,) texts -> K terms, (N, K) counts."""
    vectoriser = CountVectorizer(**how, dtype=np.float32)
    try:
        counts = _occurrences(vectoriser, texts, fit=True)
    except ValueError:  # scikit-learn's way to say that no text holds a term
        return [], csr_array((len(texts), 0), dtype=np.float32)
    names = vectoriser.get_feature_names_out()
    times = np.bincount(counts.indices, minlength=len(names))
    # Terms of one text alone tell nothing about others; ties by name (the order of `names`), so that the choice is the same everywhere.
    order = np.argsort(-times, kind="stable")
    order = order[times[order] >= 2][:_TERMS]
    kept = counts[:, order]
    kept.sort_indices()
    return [str(n) for n in names[order]], kept


def _occurrences(terms: CountVectorizer, texts: Array, *, fit: bool = False) -> csr_array:
    """Count terms in texts. Shape: (N,) -> (N, K).

    Pieces of words are taken once from each different word, not from each place where it stands: a fifth of the time.
    """
    if terms.analyzer != "char_wb":
        return csr_array(terms.fit_transform(texts) if fit else terms.transform(texts))
    if not fit and not any(map(str.split, texts)):
        return csr_array((len(texts), len(terms.vocabulary)), dtype=np.float32)
    words = CountVectorizer(analyzer=str.split, dtype=np.float32)
    in_texts = words.fit_transform(texts)
    different = words.get_feature_names_out()
    counts = csr_array(in_texts @ (terms.fit_transform(different) if fit else terms.transform(different)))
    counts.sort_indices()  # sums over terms are then rounded alike, whatever other texts stand beside
    return counts
