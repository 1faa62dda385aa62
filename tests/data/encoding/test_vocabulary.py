"""Which names are kept in a number of bytes."""

from __future__ import annotations

import pytest

from kd_core.data.encoding.vocabulary import NAME, Vocabulary, commonest, name_bytes, vocabulary

CODES = [(["a1"], 90), (["b2"], 50), (["c3"], 10)]
LONG = [(["a lantern of glass"], 90), (["a bag of red jute"], 60), (["x"], 55)]


def test_the_commonest_of_every_column_are_kept_in_their_order():
    costs = name_bytes(["a1"]), name_bytes(["a lantern of glass"])
    assert costs == (2 + NAME, 18 + NAME) and name_bytes(["ä", "b"]) == 3 + 2 * NAME
    assert commonest({"code": CODES, "words": LONG}, 0) == {"code": 0, "words": 0}
    assert commonest({"code": CODES, "words": LONG}, 2 * costs[0]) == {
        "code": 2,
        "words": 0,
    }  # 50 of 7 bytes before 90 of 23
    assert commonest({"code": CODES, "words": LONG}, 2 * costs[0] + costs[1]) == {"code": 2, "words": 1}
    assert commonest({"words": LONG, "code": CODES}, costs[1] + costs[0]) == {
        "words": 0,
        "code": 3,
    }  # a byte counts, not a row
    # a rarer short name never stands before a commoner long one that has no room
    assert commonest({"words": LONG}, costs[1] + 10) == {"words": 1}
    assert commonest({"code": CODES, "words": LONG}, 10**6) == {"code": 3, "words": 3}


def test_every_way_to_write_a_name_takes_its_bytes():
    written = [(["red", "Red", "RED"], 9), (["blue"], 8)]
    assert commonest({"colour": written}, name_bytes(["red", "Red"])) == {"colour": 0}
    assert commonest({"colour": written}, name_bytes(["red", "Red", "RED"])) == {"colour": 1}


@pytest.mark.parametrize("most", [0, 7, 30, 60, 10**4])
def test_what_is_kept_is_summed_up_and_never_beyond_the_limit(most):
    columns = {"code": CODES, "words": LONG}
    kept = commonest(columns, most)
    found = vocabulary(columns, kept)
    assert found.bytes <= most and found.of_bytes == sum(name_bytes(n) for c in columns.values() for n, _ in c)
    assert found.columns == {name: (kept[name], 3) for name in columns}
    assert Vocabulary.of(found.told()) == found
