"""The columns of a model from outside: found by name, written as pandas would have read them."""

import io

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from kd_core.teachers.model_files.columns import Reads, find_columns, form_of

ROWS = 60


def table(place):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "net price": rng.normal(size=ROWS).round(3),
            "code": rng.choice([1, 2, 30], ROWS),
            "flag": rng.choice([True, False], ROWS),
            "word": np.where(np.arange(ROWS) % 7 == 0, None, rng.choice(["red", "blue"], ROWS)),
            "when": pd.date_range("2024-01-01", periods=ROWS, freq="31h").astype(str),
            "target": rng.choice(["no", "yes"], ROWS),
        }
    )
    frame.to_csv(place, index=False)
    kinds = {"code": "category", "flag": "boolean", "when": "datetime"}
    return prepare(DatasetSpec(source=str(place), target="target", kinds=kinds)), pd.read_csv(place)


@pytest.fixture
def data(tmp_path):
    return table(tmp_path / "a.csv")


def test_a_frame_is_as_pandas_reads_the_file(data):
    dataset, plain = data
    names = ["net price", "code", "flag", "word"]
    found = Reads.of(dataset, names).frame(dataset.rows, ["a", *names[1:]])
    assert list(found) == ["a", *names[1:]] and found.flag.dtype == bool
    np.testing.assert_array_equal(found.a, plain["net price"])
    np.testing.assert_array_equal(found.code, plain.code)
    np.testing.assert_array_equal(found.flag, plain.flag)
    assert found.word.isna().sum() == plain.word.isna().sum() and found.word.dtype == object
    assert all(isinstance(value, float | str) for value in found.word)
    assert found.word.fillna("").tolist() == plain.word.fillna("").tolist()


def test_rows_from_outside_are_read_in_the_form_that_all_rows_have(data):
    dataset, _ = data
    reads = Reads.of(dataset, ["code", "word", "flag"])
    outside = io.StringIO("code,word,flag,net price,when\n7,1,True,2,2024-02-01\n,red,False,3,2024-02-01\n")
    rows = pd.read_csv(outside, dtype="string")
    found = reads.frame(reads.typed(rows), ["code", "word", "flag"])
    assert found.code.tolist()[0] == 7.0 and np.isnan(found.code.tolist()[1])
    assert found.word.tolist() == ["1", "red"] and found.flag.tolist() == [True, False]


def test_numbers_are_numbers_truth_or_places_among_known_values(data):
    dataset, plain = data
    reads = Reads.of(dataset, ["code", "flag", "word", "code"])
    found = reads.numbers(dataset.rows, {2: ["blue", "green"], 3: [30, 1]})
    np.testing.assert_array_equal(found[:, 0], plain.code)
    np.testing.assert_array_equal(found[:, 1], plain.flag)
    np.testing.assert_array_equal(found[:, 2], plain.word.map({"blue": 0.0}))
    np.testing.assert_array_equal(found[:, 3], plain.code.map({30: 0.0, 1: 1.0}))


@pytest.mark.parametrize(
    ("name", "words"),
    [("word", r"reads word as a number; the data holds '(red|blue)' there"), ("when", r"holds '2024-01-01")],
)
def test_words_and_times_are_no_numbers(data, name, words):
    with pytest.raises(DataError, match=words):
        Reads.of(data[0], [name]).numbers(data[0].rows)


def test_columns_are_found_with_gaps_written_as_the_library_does(data):
    assert find_columns(["net_price", "code"], data[0]) == ["net price", "code"]
    assert find_columns(["x", "y"], data[0], ["flag", "word"]) == ["flag", "word"]
    with pytest.raises(
        DataError,
        match=r"reads 2 columns that the data lacks: x, y\. Columns of the data: net price, .+when\. Rename them",
    ):
        find_columns(["x", "code", "y"], data[0])


def test_a_model_that_reads_what_is_predicted_is_refused(data):
    with pytest.raises(DataError, match=r"reads the column target, which is what is predicted\. Take a model that"):
        find_columns(["code", "target"], data[0])


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([1.5, 2], "as_it_is"),
        (["1", "2.5"], "numbers"),
        (["True", None], "truth"),
        (["1", "x"], "words"),
        (["nan", "1"], "words"),
        ([None, None], "words"),
    ],
)
def test_the_form_of_a_column_is_told_by_its_labels(values, form):
    column = pd.Series(values) if form == "as_it_is" else pd.Series(values, dtype="str").astype("category")
    assert form_of(column) == form
