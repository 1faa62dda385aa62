"""Texts read as weighted pieces of words."""

import time

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from kd_core.data.input_spec import TERM
from kd_core.data.views.ngrams import FINE
from tests.data.views.test_text_views import CHINESE, ENGLISH, fitted, frame


def cut(text):
    """Cut a text as scikit-learn does into pieces of words, and into pairs of words."""
    pairs = CountVectorizer(token_pattern=r"\S+", ngram_range=(2, 2)).build_analyzer()
    return CountVectorizer(analyzer="char_wb", ngram_range=(3, 4)).build_analyzer()(text) + pairs(text)


def test_pieces_and_weights_are_those_of_scikit_learn():
    texts = [*ENGLISH, "lost lost lost card", "a top up", "Card LOST"] * 2
    view = fitted("ngrams", texts)
    outside = TfidfVectorizer(analyzer=cut, sublinear_tf=True, min_df=2).fit(texts)
    assert set(view.terms) == set(outside.get_feature_names_out()) and {"lost lost", "top up"} <= set(view.terms)
    x, expected = view.encode(frame(texts)), outside.transform(texts).toarray()
    found = np.zeros_like(expected)
    columns = [outside.vocabulary_[term] for term in view.terms]
    for i, row in enumerate(x):
        for cell in row[row > 0]:
            found[i, columns[cell // TERM - 1]] = cell % TERM
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert np.abs(found - expected).max() < 0.01  # weights are whole numbers of 1/32


def test_the_most_frequent_pieces_come_first_and_one_of_a_single_text_is_none():
    view = fitted("ngrams", ["card a", "card b", "card c", "lost d", "lost e", "once"])
    assert view.terms[:3] == (" ca", " car", "ard") and view.terms[-1] == "st "  # by name where as many hold them
    assert " on" not in view.terms and (np.diff(view.idf.astype(int)) >= 0).all()
    assert view.idf[0] == round(FINE * (np.log(7 / 4) + 1))


def test_chinese_is_cut_into_one_to_three_letters():
    view = fitted("ngrams", CHINESE * 2)
    assert {"手", "手机", "值得买"} <= set(view.terms) and not view.spaced


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_a_view_of_the_first_pieces_reads_a_row_as_the_whole_one_but_for_the_others(texts):
    view = fitted("ngrams", texts * 2)
    view.length = 12  # some texts are cut
    small, odd = view.first(20), frame([*texts, "", "".join(texts) * 3])
    x = view.encode(odd)
    whole = np.where(x < 21 * TERM, x, 0)
    assert np.array_equal(small.encode(odd), whole) and small.spec.high == 21 * TERM
    assert view.first(10**6) is view
    again = type(view).from_state(small.state())
    assert np.array_equal(again.encode(odd), whole) and again.terms == view.terms[:20]


def test_a_long_text_keeps_its_most_frequent_pieces_and_takes_no_time():
    view = fitted("ngrams", ENGLISH * 3)
    start = time.process_time()
    x = view.encode(frame(["card " * 20_000, "a" * 100_000, "😀" * 1000, ""]))
    assert time.process_time() - start < 10
    assert x[0].any() and not x[1:].any()
    assert (x[0][x[0] > 0] % TERM).max() < TERM  # counted 1 + log n, and never beyond its place
    assert (np.diff(x[0][x[0] > 0]) > 0).all()


def test_texts_without_a_common_piece_give_an_empty_row():
    view = fitted("ngrams", ["ab", "cd", "ef", "gh"])
    assert view.terms == () and view.spec.high == 2 * TERM and not view.encode(frame(["ab", "xy"])).any()
    assert not type(view).from_state(view.state()).encode(frame(["ab"])).any()
