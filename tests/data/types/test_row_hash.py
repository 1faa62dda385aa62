import numpy as np
import pandas as pd

from kd_core.data.types.row_hash import row_hashes


def test_equal_rows_have_equal_hashes_and_others_do_not():
    rng = np.random.default_rng(0)
    numbers = pd.Series(rng.integers(0, 50, 5000) / 7)
    labels = pd.Series(rng.choice(["a", "b", "c"], 5000), dtype="category")
    frame = pd.DataFrame({"n": numbers, "l": labels})
    keys = row_hashes([numbers, labels])
    assert len(np.unique(keys)) == len(frame.drop_duplicates())


def test_hash_is_of_the_value_not_of_its_code_or_type():
    a = pd.Series(["x", "y", None], dtype="category")
    b = pd.Series(["x", "y", None], dtype="str")
    c = pd.Series(pd.Categorical(["x", "y", None], categories=["z", "y", "x"]))
    assert row_hashes([a]).tolist() == row_hashes([b]).tolist() == row_hashes([c]).tolist()
    assert row_hashes([pd.Series([0.0])]) == row_hashes([pd.Series([-0.0])])
    assert len(set(row_hashes([pd.Series([np.nan, 0.0, 1.0])]))) == 3


def test_the_place_of_a_value_matters():
    a, b = pd.Series([1.0, 2.0]), pd.Series([2.0, 1.0])
    assert row_hashes([a, b])[0] != row_hashes([b, a])[0]


def test_same_in_every_process():
    """A fixed value: Python's own hash() would differ from process to process."""
    found = row_hashes([pd.Series([1.5]), pd.Series(["é"], dtype="str"), pd.Series(pd.to_datetime(["2024-01-31"]))])
    assert f"{int(found[0]):016x}" == "89aec2127fe1f1bf"
