"""Texts drawn word by word: what is counted, and what is made of it."""

import numpy as np
import pandas as pd
import pytest

from kd_core.distill.beside import made_texts

TEXTS = ["the card is lost", "the card the card", "lost", "", "my card once"]


def test_words_and_lengths_are_counted_and_a_word_that_occurs_once_is_left_out():
    known = made_texts.Words.of(TEXTS)
    assert known.words == ("card", "lost", "the") and known.counts.tolist() == [4, 2, 3]
    assert known.lengths.tolist() == [1, 1, 0, 1, 2] and known.gap == " "
    again = made_texts.Words.of([" ".join(text.split()[::-1]) for text in TEXTS[::-1]])
    assert again.words == known.words and again.counts.tolist() == known.counts.tolist()
    assert made_texts.Words.of(["one two"]).words == ("one", "two")  # else nothing could be drawn


def test_made_up_texts_have_those_lengths_and_shares():
    made = made_texts.Words.of(TEXTS).drawn(4000, np.random.default_rng(0))
    lengths = np.bincount([len(text.split()) for text in made]) / 4000
    assert lengths == pytest.approx([0.2, 0.2, 0, 0.2, 0.4], abs=0.03)
    shares = pd.Series(" ".join(made).split()).value_counts(normalize=True)
    assert dict(shares) == pytest.approx({"card": 4 / 9, "the": 3 / 9, "lost": 2 / 9}, abs=0.02)


def test_texts_without_spaces_are_drawn_by_characters():
    texts = ["这个手机很好用", "手机屏幕坏了", "手机很好"]
    known = made_texts.Words.of(texts)
    assert known.gap == "" and "手" in known.words
    assert {len(text) for text in known.drawn(100, np.random.default_rng(0))} <= {7, 6, 4}


def test_empty_cells_are_as_many_and_a_column_of_none_stays_empty():
    column = pd.Series(["the card", "the card", None, "card card"] * 10, dtype="str")
    made = made_texts.drawn(column, 4000, np.random.default_rng(0))
    assert made.dtype == column.dtype and made.isna().mean() == pytest.approx(0.25, abs=0.03)
    none = made_texts.drawn(column[column.isna()], 5, np.random.default_rng(0))
    assert len(none) == 5 and none.isna().all()
    nothing = made_texts.drawn(pd.Series(["", " "], dtype="str"), 3, np.random.default_rng(0))
    assert nothing.tolist() == ["", "", ""]
