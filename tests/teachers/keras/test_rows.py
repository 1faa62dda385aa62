"""How rows are fed to a Keras model: numbers in an order, ids, or words by a vocabulary."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from kd_core.teachers.keras.rows import number_column, read_vocabulary, reader
from kd_core.teachers.sources.keras import KerasSpec
from tests.teachers.tables import dataset

N = 200


def data(**columns):
    made = dataset("binary", rows=100)
    size = sum(len(p) for p in made.parts.values())
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(3, 2, size), "b": rng.normal(size=size), "y": "no"} | columns, index=range(size)
    )
    return replace(
        made, rows=frame, columns=tuple(c for c in frame if c != "y"), spec=DatasetSpec(source="made", target="y")
    )


def read(found, shape, words=None, vocabulary=None, rows=None, **settings):
    made = reader(KerasSpec(path="", **settings), found, shape, words, vocabulary)
    return made.read(found.rows if rows is None else rows)


def test_numbers_stand_in_the_order_that_is_asked_for():
    found = data()
    for columns in ((), ("b", "a")):
        x, whole = read(found, (2,), columns=columns)
        np.testing.assert_array_equal(x, found.rows[list(columns or "ab")].to_numpy(np.float32))
        assert whole.all() and x.dtype == np.float32
    x, _ = read(found, (2, 1), columns=("a", "b"))
    assert x.shape[1:] == (2, 1)


def test_standardised_numbers_have_the_scale_of_the_training_rows():
    found = data(c=1.0)
    x, _ = read(found, (3,), numbers="standardised")
    own = x[found.train.row_ids]
    np.testing.assert_allclose(own.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(own.std(0), [1, 1, 0], atol=1e-6)
    assert abs(x.mean(0)[0]) > 1e-6  # the other rows have no say


def test_a_row_with_a_gap_is_not_read():
    found = data()
    found.rows.loc[3, "b"] = np.nan
    x, whole = read(found, (2,))
    assert len(x) == len(found.rows) - 1 and np.flatnonzero(~whole).tolist() == [3]


def test_flags_and_categories_of_numbers_are_numbers():
    frame = pd.DataFrame(
        {
            "t": [True, False],
            "c": pd.Categorical(["2", "7"]),
            "y": pd.Categorical(["yes", "No"]),
            "n": pd.array([1, None], "Int64"),
        }
    )
    assert [number_column(frame, n).tolist() for n in "tcy"] == [[1, 0], [2, 7], [1, 0]]
    assert number_column(frame, "n")[0] == 1 and np.isnan(number_column(frame, "n")[1])


WRONG = {
    "width": (
        {"shape": (3,)},
        "The Keras model reads 3 numbers a row; 2 columns are given: a, b. Name its inputs in their order (columns).",
    ),
    "unknown": (
        {"shape": (2,), "columns": ("a", "z")},
        "The data has no column 'z' that the Keras model could read. Columns: a, b, y, w.",
    ),
    "target": (
        {"shape": (2,), "columns": ("a", "y")},
        "The target 'y' can't be one of the columns that the model reads.",
    ),
    "no numbers": (
        {"shape": (2,), "columns": ("a", "w")},
        "The column 'w' holds no numbers: 175 values are words, the first is 'good day'.",
    ),
    "no ids": ({"shape": (2,), "words": 9}, "are no ids: the first is"),
    "text of numbers": (
        {"shape": (2,), "text": "w"},
        "reads numbers, not ids of words, so it can't read the text column 'w'",
    ),
    "no text": ({"shape": (2,), "words": 9, "text": "z"}, "The data has no column 'z'"),
    "any length": (
        {"shape": (None,), "words": 9, "text": "w"},
        "reads any number of ids a row; the length given is none",
    ),
    "other length": ({"shape": (5,), "words": 9, "text": "w", "steps": 6}, "reads 5 ids a row; the length given is 6"),
    "words": (
        {"shape": (5,), "words": 9, "text": "w"},
        "Row 1 of 'w' is no list of ids: 'good day'. Choose the vocabulary",
    ),
    "steps": ({"shape": (None, 3)}, "reads any number of numbers a row; 2 columns are given"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_be_fed_is_said(case):
    settings, words = WRONG[case]
    with pytest.raises(DataError, match=re.escape(words)):
        read(data(w="good day"), **settings)


def test_ids_stand_in_columns_or_in_a_text():
    found = data(a=3.0, b=0.0, w="[3, 0 8]")
    x, _ = read(found, (2,), 9)
    assert x[0].tolist() == [3, 0] and x.dtype == np.int64
    x, _ = read(found, (None,), 9, columns=("b", "a", "a"))
    assert x[0].tolist() == [0, 3, 3]
    for shape, more, wanted in (
        ((5,), {}, [3, 0, 8, 0, 0]),
        ((5,), {"fill": "start"}, [0, 0, 3, 0, 8]),
        ((2,), {}, [3, 0]),
        ((None,), {"steps": 2, "cut": "start"}, [0, 8]),
    ):
        assert read(found, shape, 9, text="w", **more)[0][0].tolist() == wanted
    with pytest.raises(
        DataError, match=r"1 value of w is no id: the first is 8; the model knows whole numbers from 0 to 7"
    ):
        read(found, (5,), 8, text="w")


def vocabulary(place, value):
    place.write_text(value if isinstance(value, str) else json.dumps(value))
    return place


def test_words_become_ids_as_keras_does_it(tmp_path):
    found = data(w="Good day, it's a_strange Day!")
    index = {"<OOV>": 1, "day": 2, "good": 3, "it's": 4, "a": 5, "strange": 99}
    for value in (index, {"class_name": "Tokenizer", "config": {"word_index": json.dumps(index)}}):
        x, _ = read(found, (8,), 9, vocabulary(tmp_path / "a.json", value), text="w")
        assert x[0].tolist() == [3, 2, 4, 5, 1, 2, 0, 0]  # strange is beyond what the model knows
    del index["<OOV>"]
    x, _ = read(found, (8,), 9, vocabulary(tmp_path / "a.json", index), text="w")
    assert x[0].tolist() == [3, 2, 4, 5, 2, 0, 0, 0]
    for value in ("\n[UNK]\nday\ngood\nits\n", "\r\n[UNK]\r\nday\r\ngood\r\nits", ["", "[UNK]", "day", "good", "its"]):
        x, _ = read(found, (8,), 9, vocabulary(tmp_path / "a.txt", value), text="w")
        assert x[0].tolist() == [3, 2, 4, 1, 2, 0, 0, 0]


@pytest.mark.parametrize(
    "value", ["{", {"a": -1}, {"a": "b"}, [1, 2], {}, {"config": {"word_index": "["}}, "[" * 60_000]
)
def test_a_vocabulary_that_is_none_is_refused_with_the_line_that_writes_it(tmp_path, value):
    with pytest.raises(
        DataError,
        match=r"The vocabulary can't be read: .+ json\.dump\(tokenizer\.word_index, open\('words\.json', 'w'\)\)",
    ):
        read_vocabulary(vocabulary(tmp_path / "a", value))


def test_a_vocabulary_has_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("kd_core.teachers.keras.rows.VOCABULARY_BYTES", 2**20)
    with pytest.raises(DataError, match="it has more than 1 MB"):
        read_vocabulary(vocabulary(tmp_path / "a", "a" * (2**20 + 1)))
