import numpy as np
import pyarrow as pa
import pytest

from kd_core.data.types.numbers import NumberFormat, drop_tokens, find_format, to_numbers


def text(*values):
    return pa.array(values, type=pa.large_string())


@pytest.mark.parametrize(
    ("cells", "form", "values"),
    [
        (("1", "-2.5", "+3", "1e3", ".5", "7."), NumberFormat(), [1, -2.5, 3, 1000, 0.5, 7]),
        (("1,5", "2", "-3,25"), NumberFormat(",", True), [1.5, 2, -3.25]),
        (("1.234,50", "2.000,00"), NumberFormat(",", True), [1234.5, 2000]),
        (("1,234.50", "2,000.00"), NumberFormat(".", True), [1234.5, 2000]),
        (("1 234,5", "12,25"), NumberFormat(",", True), [1234.5, 12.25]),
    ],
)
def test_finds_the_way_numbers_are_written(cells, form, values):
    found, share = find_format(text(*cells))
    assert (found.decimal, found.thousands) == (form.decimal, form.thousands)
    assert share == 1.0
    read, bad, where = to_numbers(text(*cells), found)
    assert read.tolist() == values
    assert not bad
    assert not where.any()


def test_three_digits_after_every_comma_are_thousands_but_said_to_be_ambiguous():
    found, _ = find_format(text("1,234", "5,678"))
    assert found == NumberFormat(".", True, ambiguous=True)
    assert to_numbers(text("1,234"), found)[0].tolist() == [1234]
    assert find_format(text("1,234", "5,678"), decimal=",")[0] == NumberFormat(",", True)


def test_no_number_of_thousands_starts_with_zero():
    assert find_format(text("0,100", "1,234"))[0] == NumberFormat(",", True)


def test_two_groups_of_thousands_are_not_ambiguous():
    assert find_format(text("1,234,567", "5,678,901"))[0] == NumberFormat(".", True, ambiguous=False)


def test_one_number_with_two_separators_settles_what_the_others_mean():
    """Both readings fit two of three cells; a second comma, or a point behind the digits, can only be of thousands."""
    for settling in ("1,234,567", "1,234.5"):
        assert find_format(text("1,234", "0,5", settling))[0] == NumberFormat(".", True, ambiguous=False)
    assert find_format(text("1,234", "0,5", "5 678"))[0].decimal == ","
    assert find_format(text("1,234", "1.5"))[0] == NumberFormat(".", True, ambiguous=False)
    assert find_format(text("1,234", "2,000,000"))[0] == NumberFormat(".", True, ambiguous=False)


def test_missing_tokens_become_null_and_other_words_are_named():
    cells = drop_tokens(text("1", "NA", "", "?", "null", "oops", None))
    assert cells.to_pylist() == ["1", None, None, None, None, "oops", None]
    read, bad, where = to_numbers(cells, NumberFormat())
    assert read[0] == 1
    assert np.isnan(read[1:]).all()
    assert bad == ["oops"]
    assert where.tolist() == [False] * 5 + [True, False]


@pytest.mark.parametrize("cell", ["0x10", "1_000", "1,2,3", "12a", "--1", "1e", "."])
def test_what_only_some_parsers_take_for_a_number_is_none(cell):
    assert to_numbers(text(cell, "1"), NumberFormat())[1] == [cell]


def test_infinite_values_are_read_as_such_so_that_they_can_be_reported():
    assert to_numbers(text("1e400", "-inf"), NumberFormat())[0].tolist() == [np.inf, -np.inf]
