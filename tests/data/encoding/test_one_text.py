import random

import numpy as np
import pandas as pd
import pytest

from kd_core.data.encoding.text_block import TextBlock

WORDS = [
    "good",
    "Bag",
    "late",
    "shape,",
    "was",
    "small",
    "ΌΣ",
    "straße",
    "É",
    "a",
    "bag",
    "bags",
    "goodbye",
    "中文",
    "x" * 90,
]


def texts(seed, count, gap):
    rng = random.Random(seed)
    found = [gap.join(rng.choices(WORDS, k=rng.randrange(12))) for _ in range(count)]
    return [*found, "", "   ", "\u00a0good\tbag\nlate\u3000was", "?!", "zzz", "Good " * 300]


@pytest.mark.parametrize("gap", [" ", ""])  # the second as in a language without spaces
def test_a_text_alone_is_encoded_to_the_same_bits_as_among_others(gap):
    learned = pd.Series(texts(0, 400, gap), dtype="str")
    block = TextBlock("text", 8, 0)
    block.fit(learned, np.zeros(len(learned)), "binary", None)
    assert block.spaced == (gap == " ") and len(block.names) == 9
    others = pd.Series([*texts(1, 300, gap), None], dtype="str")
    wanted = block.transform(others)
    for _ in range(2):  # the second time from memory
        alone = [block.transform(others.iloc[i : i + 1]) for i in range(len(others))]
        assert [a.tobytes() for a in alone] == [w.tobytes() for w in wanted]
        assert {a.dtype for a in alone} == {wanted.dtype} and alone[0].shape == (1, 9)
    assert np.abs(wanted[:, :8]).max() > 0.5


def test_texts_without_terms_have_a_length_alone():
    block = TextBlock("text", 8, 0)
    block.fit(pd.Series(["", None], dtype="str"), np.zeros(2), "binary", None)
    assert block.transform(pd.Series(["abc"])).tolist() == [[np.log1p(3) / 4]]
