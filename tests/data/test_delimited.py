"""Separators are found by agreement of header and rows."""

import pytest

from kd_core.data.delimited import looks_like_data, sniff_separator


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n1,5;2,5\n", ";"),
        ("when,what\n2024-01-01 10:00:00,x y\n2024-01-02 11:00:00,z w\n", ","),
        ('a\tb\n"x,y"\t"1,2"\n', "\t"),
        ("name|note\nAnn|hi, there\nBob|well, no\n", "|"),
        ("a~b\n1~2\n", "~"),
    ],
)
def test_separator(text, mark):
    assert sniff_separator(text) == mark


def test_a_header_of_numbers_looks_like_data():
    assert looks_like_data(("1", "-2.5", "3e4")) and not looks_like_data(("1", "b")) and not looks_like_data(("", ""))
