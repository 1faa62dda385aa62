"""The token view: texts as numbers of word pieces, in order; Chinese characters are pieces of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.text_columns import TextsView, count_texts, why_no_texts
from kd_core.data.input_spec import InputSpec
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.view import VIEWS, Array
from kd_core.errors import Problem, Says

VERSION = 1  # raise it when encoded values change
PAD, UNKNOWN = "[PAD]", "[UNK]"
VOCABULARY = 8000
LEAST_LENGTH, MOST_LENGTH = 8, 256
_COVERED = 0.99  # share of the training texts that is not cut
_LONG = Says(
    "cut_texts",
    "warning",
    "{share:.0%} of the training texts are longer than {length} word pieces; what is beyond is not read by word order.",
    "Nothing to do where a text's beginning tells enough; students that count terms (bag, terms) read all of it.",
)


def _foresee(profile: Profile) -> InputSpec | None:
    return InputSpec("tokens", (64,), "int32", high=VOCABULARY) if count_texts(profile) else None


@VIEWS.register(
    "tokens",
    title="Word pieces",
    source="arXiv:1508.07909",
    fits=why_no_texts,
    foresee=_foresee,
    version=VERSION,
    reads="the words of text columns, in order",
    example=InputSpec("tokens", (12,), "int32", high=30),
)
class TokensView(TextsView):
    """Text columns one after the other, cut into word pieces that are found in the training texts.

    Shape: N rows -> (N, L) int32; 0 fills up. L covers 99 % of the training texts, at most 256; longer texts are cut at
    their end. Source: byte-pair encoding of words (arXiv:1508.07909) by the tokenizers library, texts
    cleaned and cut into words as BERT does.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        super().__init__(types, task, seed)
        self.length, self.cut = LEAST_LENGTH, 0.0
        self.tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
        self.tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Find the word pieces of the training texts and how long most of them are."""
        from tokenizers import trainers

        texts = self.texts(frame)
        # Not the trainer of WordPiece: it numbers pieces in the order of a hash table, another one in each process.
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY, min_frequency=2, special_tokens=[PAD, UNKNOWN], show_progress=False
        )
        self.tokenizer.train_from_iterator(texts, trainer=trainer, length=len(texts))
        lengths = [len(found.ids) for found in self.tokenizer.encode_batch_fast(texts)]
        most = int(np.quantile(lengths, _COVERED)) if lengths else 0
        self.length = min(MOST_LENGTH, max(LEAST_LENGTH, most))
        self.cut = float(np.mean(np.array(lengths) > self.length)) if lengths else 0.0
        return {}

    def told(self) -> tuple[Problem, ...]:
        """Say how many of the training texts are cut, where they are more than the few that any length leaves out."""
        if self.cut <= 1 - _COVERED:
            return ()
        return (_LONG.problem(share=self.cut, length=self.length),)

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return InputSpec("tokens", (self.length,), "int32", high=max(2, self.tokenizer.get_vocab_size()))

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Number the pieces of texts; what is unknown gets the number of `[UNK]`."""
        x = np.zeros((len(texts), self.length), np.int32)
        for i, found in enumerate(self.tokenizer.encode_batch_fast(texts)):
            ids = found.ids[: self.length]
            x[i, : len(ids)] = ids
        return x

    def learned(self) -> dict[str, bytes]:
        """Return `tokenizer.json`, by which any program cuts texts the same way; it also pads and cuts off."""
        self.tokenizer.enable_truncation(self.length)
        self.tokenizer.enable_padding(pad_id=0, pad_token=PAD, length=self.length)
        try:
            return {"tokenizer.json": self.tokenizer.to_str().encode()}
        finally:
            self.tokenizer.no_truncation()
            self.tokenizer.no_padding()

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Cut by that file again."""
        self.tokenizer = type(self.tokenizer).from_str(files["tokenizer.json"].decode())
        self.length = json.loads(files["tokenizer.json"])["truncation"]["max_length"]
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
