"""Words that name the parts of a split, and the columns that hold nothing else."""

import numpy as np
import pandas as pd
import pytest

from kd_core.data.types.part_column import are_parts, count_parts, given_part, parts_of
from kd_core.data.types.typed_column import understand


def test_words_are_numbered_whatever_their_case_and_spaces():
    values = pd.Series(["train", " Test", "VALIDATION", "dev", "val", "testing", "training", "holdout", None])
    assert parts_of(values).tolist() == [0, 2, 1, 1, 1, 2, 0, -1, -1]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["train", "test"], True),
        (["Train", "dev", "TEST"], True),
        (["train", "val"], False),
        (["train", "training", "test"], False),
        (["train", "test", "extra"], False),
        ([], False),
    ],
)
def test_names_are_parts_when_each_is_one_and_train_and_test_are_there(names, wanted):
    assert are_parts(names) is wanted


def typed(**columns):
    return {name: understand(pd.Series(values, dtype="str"), name) for name, values in columns.items()}


def test_a_column_of_nothing_but_parts_is_found():
    rows = 60
    words = np.resize(["train", "train", "test"], rows)
    found = typed(split=words, colour=np.resize(["red", "blue"], rows), number=np.arange(rows).astype(str))
    assert given_part(found, {None}) == "split"
    assert given_part(found, {"split"}) is None
    assert given_part(typed(split=words, again=words[::-1]), {None}) is None, "of two, a person has to choose"
    assert given_part(typed(split=[*words[:-1], "maybe"]), {None}) is None


def test_the_rows_of_each_part_are_counted():
    values = pd.Series(["train", "Test ", "train", "dev", "other", None, "TEST", "train"], dtype="str")
    assert count_parts(values) == (3, 1, 2)
