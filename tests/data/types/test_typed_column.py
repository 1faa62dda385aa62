import numpy as np
import pandas as pd
import pytest

from kd_core.data.types.typed_column import coerce, understand
from tests.data.tables import codes, one


def column(values, name="a", **more):
    return understand(pd.Series([None if v is None else str(v) for v in values], dtype="str"), name, **more)


def test_numbers_with_missing_words():
    found = column(["1.5", "NA", "", "?", "2"] * 10)
    assert (found.kind, found.missing, found.distinct) == ("number", 30, 2)
    assert sum(found.words.values()) == 20


def test_decimal_comma_is_said():
    found = column(["1,5", "22,75", "3,1"] * 10)
    assert found.values.tolist()[:3] == [1.5, 22.75, 3.1]
    assert str(one(found.problems, "decimal_comma")) == "Column a uses a decimal comma."


def test_ambiguous_comma_warns_and_can_be_set():
    found = column(["1,234", "5,678"] * 10)
    assert found.values[0] == 1234
    assert "values such as 1,234 are read with a thousands comma" in str(one(found.problems, "ambiguous_comma"))
    assert column(["1,234", "5,678"] * 10, decimal=",").values[0] == 1.234


def test_a_few_typing_errors_do_not_make_a_text_column():
    found = column([*range(0, 600, 3), "unknown"])
    assert found.kind == "number"
    assert "1 cell is no number ('unknown'; row 201)" in str(one(found.problems, "not_numbers"))


def test_many_different_words_make_a_text_column():
    assert column([*range(1000, 1200), *(f"C{i}" for i in range(8))] * 2, "ref").kind != "number"


def test_codes_and_counts_are_told_apart():
    rng = np.random.default_rng(0)
    browser = rng.choice([1, 2, 3, 4, 5, 6, 7, 8], 4000, p=[0.2, 0.5, 0.01, 0.06, 0.04, 0.14, 0.01, 0.04])
    assert column(browser).kind == "category"
    assert column(browser).values.cat.categories.tolist() == list("12345678")
    assert column(browser, kind="number").kind == "number"
    assert column(rng.poisson(3, 4000)).kind == "number"
    assert column(rng.integers(0, 24, 4000)).kind == "number"  # an hour: about equal counts
    assert column(np.clip(rng.poisson(1, 4000), 0, 4) + 1).kind == "number"  # a rating falls off evenly


def test_ids_row_numbers_and_measures():
    rng = np.random.default_rng(0)
    assert column(range(1, 201), "instant").why_dropped == "it counts the rows"
    assert column(rng.permutation(200) + 1, "x").kind == "id"
    assert column(rng.choice(10**6, 300, replace=False), "CustomerID").kind == "id"
    assert column(rng.choice(10**6, 300, replace=False), "price").kind == "number"
    assert column([f"{v:08x}" for v in rng.choice(2**31, 300, replace=False)], "token").kind == "id"
    assert column(rng.integers(10_000, 10_050, 600), "zip_code").kind == "category"


def test_float_codes_lose_their_point():
    found = column([f"{v}.0" for v in range(17850, 17900)] * 4, "CustomerID")
    assert found.kind == "category"
    assert found.values[0] == "17850"


def test_flags():
    found = column(["yes", "no", "", "yes"] * 10)
    assert (found.kind, found.missing) == ("boolean", 10)
    assert found.values.cat.categories.tolist() == ["no", "yes"]
    assert column(["0", "1"] * 10).kind == "boolean"
    assert column(["yes", "no", "maybe"] * 10).kind == "category"


def test_missing_words_stay_values_among_labels():
    found = column(["NA", "DE", "None", ""] * 10)
    assert found.values.cat.categories.tolist() == ["DE", "NA", "None"]
    assert found.missing == 10
    assert (found.words, found.kept) == ({}, ("NA", "None"))


def test_a_question_mark_is_missing_unless_the_person_says_no():
    cells = ["Private", "?", " ? ", "State", "-"] * 10
    found = column(cells)
    assert (found.missing, found.words, found.kept) == (20, {"?": 20}, ("-",))
    assert found.values.cat.categories.tolist() == ["-", "Private", "State"]
    kept = understand(pd.Series(cells, dtype="str"), "x", missing=False)
    assert (kept.missing, kept.words, kept.kept) == (0, {}, ("-", "?"))
    all_of_them = understand(pd.Series(cells, dtype="str"), "x", missing=True)
    assert (all_of_them.missing, all_of_them.words, all_of_them.kept) == (30, {"?": 20, "-": 10}, ())


def test_new_rows_are_missing_where_the_known_ones_were():
    new = pd.Series(["Private", "?", "-"], dtype="str")
    cells = pd.Series(["Private", "?", "State", "-"] * 10, dtype="str")
    for missing, expected in ((None, 1), (True, 2), (False, 0)):
        known = understand(cells, "x", missing=missing).type
        assert int(coerce(new, known).isna().sum()) == expected
    flags = column(["yes", "no", "?"] * 10)
    assert (flags.kind, flags.missing) == ("boolean", 10) and coerce(new, flags.type).isna().tolist() == [
        False,
        True,
        False,
    ]
    codes = column(["3", "7", "9", "NA"] * 40, "zip_code")
    assert codes.kind == "category" and coerce(pd.Series(["NA", "3"], dtype="str"), codes.type).isna().tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize("word", ["?", "N/A", "-", "null", ".", "--", "Null", "n.a."])
def test_words_for_missing_among_numbers_and_dates(word):
    found = column([*(i * i for i in range(300)), *[word] * 60])
    assert (found.kind, found.missing, found.words) == ("number", 60, {word: 60})
    dates = column([f"2024-01-{1 + i % 28:02d}" for i in range(100)] + [f" {word}"] * 30)
    assert (dates.kind, dates.missing, dates.words) == ("datetime", 30, {word: 30})
    assert "not_dates" not in codes(dates.problems)


def test_dates_and_their_odd_cells():
    found = column([f"2024-01-{d:02d}" for d in range(1, 29)] * 2 + ["soon"])
    assert found.kind == "datetime"
    assert "1 cell that is no date ('soon'; row 57)" in str(one(found.problems, "not_dates"))
    swapped = column(["03/04/2024", "05/06/2024"] * 20)
    assert "day and month could be swapped" in str(one(swapped.problems, "day_or_month"))
    late = column([f"{1 + i % 12:02d}/{1 + i % 11:02d}/2024" for i in range(4000)] + ["12/31/2024"])
    assert late.values.iloc[-1] == pd.Timestamp("2024-12-31")
    assert "day_or_month" not in codes(late.problems)


def test_unix_seconds_only_when_asked():
    stamps = [1_700_000_000 + 7 * i * i for i in range(100)]
    assert column(stamps).kind == "number"
    assert column(stamps, kind="datetime").values[0] == pd.Timestamp("2023-11-14 22:13:20")


def test_text_against_category():
    rng = np.random.default_rng(0)
    words = np.array(["a", "good", "red", "dress", "that", "fits", "well", "and", "looks", "fine", "on", "everybody"])
    reviews = [" ".join(rng.choice(words, 9)) for _ in range(300)]
    assert column(reviews).kind == "text"
    assert column(["".join(rng.choice(list("这个商品质量很好快递也不慢喜欢"), 30)) for _ in range(300)]).kind == "text"
    assert column(reviews[:30] * 10).kind == "category"


def test_constant_and_empty_columns():
    assert column(["x"] * 40).why_dropped == "always the same value"
    assert column([""] * 40).why_dropped == "all values are missing"
    assert column([5] * 40).kind == "constant"
    assert column(["x", ""] * 20).kind == "category"  # that it is missing may tell something


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pd.Series([1.5, None, 2.0] * 10), "number"),
        (pd.Series([True, False] * 10), "boolean"),
        (pd.Series([1, None, 3] * 10, dtype="Int64"), "number"),
        (pd.Series(pd.date_range("2024-01-01", periods=30)), "datetime"),
        (pd.Series(pd.date_range("2024-01-01", periods=30, tz="UTC")), "datetime"),
        (pd.Series(pd.to_timedelta(np.arange(30) * 7.5, unit="s")), "number"),
        (pd.Series(["a", "b", "b"] * 10, dtype="category"), "category"),
        (pd.Series([1, "a", None, 2.5] * 10, dtype=object), "category"),
    ],
)
def test_native_types(series, kind):
    assert understand(series, "a").kind == kind


def test_kind_set_by_hand():
    assert column(range(1, 201), "instant", kind="number").kind == "number"
    assert column(["1", "2"] * 20, kind="category").values.cat.categories.tolist() == ["1", "2"]
    assert column(["1", "x"] * 20, kind="number").missing == 20
    assert column(["a", "b"] * 20, kind="constant").why_dropped == "set by hand"


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        (["1,5", "2,5"] * 20, ["3,5", "x", ""], [3.5, None, None]),
        (["17850.0", "17851.0", "17852.0"] * 40, ["17851", "17851.0", None], ["17851", "17851", None]),
        (["yes", "no", "Yes"] * 20, ["Yes", " no", ""], ["yes", "no", None]),
        ([" a", "b", "c"] * 20, ["a ", "cafe\u0301", ""], ["a", "caf\u00e9", None]),
    ],
)
def test_new_rows_are_read_as_the_known_ones(known, new, expected):
    found = column(known, "CustomerID")
    read = coerce(pd.Series(new, dtype="str"), found.type)
    assert [None if pd.isna(v) else v for v in read] == expected


def test_new_rows_of_dates_and_typed_values():
    found = column(["2024-01-31", "2024-02-01"] * 20)
    assert coerce(pd.Series(["2024-03-01", "?"]), found.type).isna().tolist() == [False, True]
    assert coerce(pd.Series(pd.to_datetime(["2024-03-01"])), found.type)[0] == pd.Timestamp("2024-03-01")
    number = column(["1.5", "2"] * 20)
    assert coerce(pd.Series([np.inf, 3.0]), number.type).isna().tolist() == [True, False]
