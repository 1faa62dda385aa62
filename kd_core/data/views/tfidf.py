"""The TF-IDF view: texts as weighted counts of their words and word pairs, sparse, for classic models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from kd_core.data.encoding.saved import pack, unpack
from kd_core.data.encoding.text_block import spaced, texts_of
from kd_core.data.encoding.text_columns import count_texts, text_columns, why_no_texts
from kd_core.data.input_spec import InputSpec
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.view import VIEWS, Array, View

VERSION = 1  # raise it when encoded values change
MOST_TERMS = 50_000
# Chinese and other unspaced text is cut into 1 to 3 characters, spaced text into words and pairs of them.
_SPACED: dict[str, Any] = {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 2)}
_UNSPACED: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 3)}
_COUNTED: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32}


def _foresee(profile: Profile) -> InputSpec | None:
    columns = count_texts(profile)
    return InputSpec("tfidf", (min(MOST_TERMS, 4 * profile.num_rows) * columns,), sparse=True) if columns else None


@VIEWS.register(
    "tfidf",
    title="Weighted terms",
    source="scikit-learn TfidfVectorizer",
    fits=why_no_texts,
    foresee=_foresee,
    version=VERSION,
    reads="the words of text columns",
    example=InputSpec("tfidf", (40,), sparse=True),
)
class TfidfView(View):
    """Every text column's terms side by side; terms and their weights come from the training texts.

    Shape: N rows -> (N, F) sparse float32.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        super().__init__({name: types[name] for name in text_columns(types)}, task, seed)
        self.vectorisers: dict[str, TfidfVectorizer] = {}

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Find the terms that stand in two training texts or more, the most frequent first."""
        for name in self.types:
            texts = texts_of(frame[name])
            how = _SPACED if spaced(texts) else _UNSPACED
            made = TfidfVectorizer(**how, min_df=2, max_features=MOST_TERMS, **_COUNTED)
            try:
                self.vectorisers[name] = made.fit(texts)
            except ValueError:  # scikit-learn's way to say that no term stands in two texts: the column tells nothing
                continue
        return {}

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return InputSpec("tfidf", (max(1, sum(len(v.vocabulary_) for v in self.vectorisers.values())),), sparse=True)

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> csr_array:
        """Weigh the terms of other rows; unknown ones count for nothing."""
        parts = [csr_array(made.transform(texts_of(frame[name]))) for name, made in self.vectorisers.items()]
        return csr_array(hstack(parts)) if parts else csr_array((len(frame), 1), dtype=np.float32)

    def learned(self) -> dict[str, bytes]:
        """Return every column's terms with their weights."""
        return pack(
            "tfidf",
            {
                name: {
                    "terms": made.get_feature_names_out().tolist(),
                    "idf": made.idf_,
                    "spaced": made.analyzer == "word",
                }
                for name, made in self.vectorisers.items()
            },
        )

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Weigh by those terms again."""
        for name, told in unpack("tfidf", files).items():
            how = _SPACED if told["spaced"] else _UNSPACED
            self.vectorisers[name] = TfidfVectorizer(**how, vocabulary=told["terms"], **_COUNTED)
            self.vectorisers[name].idf_ = told["idf"]
