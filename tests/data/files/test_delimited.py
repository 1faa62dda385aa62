"""Separators are found by agreement of header and rows."""

import pytest

from kd_core.data.files.delimited import sniff_separator


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
