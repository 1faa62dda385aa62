"""Cells of several items: what stands between them, and how they are written."""

import pytest

from kd_core.data.histories.cells import SEPARATORS, listed, separator_among, separator_for, written
from kd_core.data.plain.history import items_of
from kd_core.errors import DataError


def test_items_are_kept_as_given_and_empty_ones_left_out():
    assert items_of(" a  b\tc ", " ") == ["a", "b", "c"]
    assert items_of("red shoe, <b>,, 'x' ,", ",") == ["red shoe", "<b>", "'x'"]
    assert items_of("", ",") == items_of(" ", " ") == []


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["a b c", "d e"], " "),
        (["red shoe, blue sock", "hat", "a, b"], ","),
        (["1;2;3", "4"], ";"),
        (["a|b"], "|"),
        (["a b, c", "d e", "f g"], " "),  # a comma in one of three is part of a name
        (["a", "b"], " "),
        ([], " "),
    ],
)
def test_the_separator_is_what_most_cells_hold(cells, wanted):
    assert separator_among(cells) == wanted


def test_lists_as_programs_write_them():
    assert items_of(listed("['a', \"b c\", 3]"), ",") == ["a", "b c", "3"]
    assert listed("a b") == "a b" and items_of(listed("[]"), ",") == []


def test_names_are_written_with_a_sign_that_none_of_them_holds():
    assert separator_for(["a", "b-c"]) == " "
    assert separator_for(["red shoe", "b"]) == ","
    assert separator_for(["red shoe", "b,c"]) == ";"
    with pytest.raises(DataError, match=r"spaces, commas, semicolons, bars and tabs, such as 'a b,c;d\|e"):
        separator_for(["x", "a b,c;d|e\tf"])
    for sign in SEPARATORS:
        names = [f"n{i}" for i in range(5)]
        assert items_of(sign.join(names), sign) == names and written(sign)
