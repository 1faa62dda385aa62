"""Lists of labels in cells: found out, taken apart, and told from text."""

import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.labels.cells import apart, form_of, looks_like_lists, read_lists, text_of


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a|b", "b", "c|a"], "|"),
        (["a;b", "b", "c;a, with a comma"], ";"),
        (["food", "food;toys, games", "toys, games", "books;toys, games", "toys, games;food", "books"], ";"),
        (["a,b", "b", "c,a"], ","),
        (["x,y;z", "x", "y;z,x", "y;z"], ","),
        (['["a"]', "[]", '["b", "c"]'], None),
        (["['a']", "[]", "['b, c']"], None),
    ],
)
def test_the_form_is_found_out(cells, separator):
    assert form_of(cells).separator == separator and not form_of(cells).mixed


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ('["food", "sport, outdoor"]', ["food", "sport, outdoor"]),
        ('["two\\nlines", "<b>bold</b>", "a|b"]', ["two lines", "<b>bold</b>", "a|b"]),
        ("['it', \"it's\", plain]", ["it", "it's", "plain"]),
        ("[1, 2.0, 3]", ["1", "2", "3"]),
        ("[]", []),
        ('["a", "a", " a "]', ["a"]),
        ('["a", null, ""]', ["a"]),
    ],
)
def test_brackets_are_taken_apart(cell, labels):
    assert apart(cell, form_of([cell])) == labels


@pytest.mark.parametrize("cell", ['[["a"], "b"]', '["a"', '[{"a": 1}]', "food", "['a' 'b'", "[" * 5000 + "]" * 5000])
def test_what_is_no_list_is_told(cell):
    assert apart(cell, form_of(['["a", "b"]'])) is None


def test_every_label_counts_once_a_row_and_numbers_stand_by_their_value():
    found = read_lists(["10;9;10", "", "9", "b;a;10"])
    assert found.names == ("9", "10", "a", "b")
    table = np.zeros((4, 4), int)
    table[found.rows, found.codes] = 1
    assert table.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 1]]
    assert found.empty.tolist() == [False, True, False, False] and not found.bad.any()


def test_cells_of_files_with_lists_are_read_as_json():
    assert text_of(["a", None, 3]) == '["a", null, "3"]' and text_of(np.array(["x"])) == '["x"]'
    assert text_of(float("nan")) == text_of(None) == text_of(pd.NA) == "" and text_of(7.0) == "7"
    assert apart(text_of(["a", None, 3]), form_of(['["a"]'])) == ["a", "3"]


def columns():
    rng = np.random.default_rng(0)
    few = ["food", "books", "toys", "garden"]
    lists = ["|".join(v for v in few if rng.random() < 0.4) for _ in range(300)]
    as_json = [json.dumps([v for v in few if rng.random() < 0.4]) for _ in range(300)]
    words = [
        " ".join(rng.choice(list("abcdefgh"), 5)) + ", " + "".join(rng.choice(list("xyzuvw"), 8)) for _ in range(300)
    ]
    posts, last = ["Director", "Manager", "Clerk", "Head"], ["Meyer", "Smith", "Novak", "Rossi"]
    towns = list(rng.choice(["Paris, France", "Rome, Italy", "Bonn, Germany", "Graz, Austria"], 300))
    return {
        "lists": (lists, True),
        "json": (as_json, True),
        "sentences": (words, False),
        "fixed pairs": (towns, False),
        "two of a kind": (list(rng.choice(["mugs, fine", "mugs, plain", "bowls, fine", "bowls, plain"], 300)), False),
        "a kind or none": (
            list(rng.choice(["mugs", "mugs, fine", "bowls", "bowls, fine", "plates", "plates, fine"], 300)),
            False,
        ),
        "titles": (
            list(rng.choice([*posts, *(f"{p}, {of}" for p in posts for of in ("Sales", "Legal", "IT"))], 300)),
            False,
        ),
        "states": (
            list(rng.choice(["Portland, OR", "Portland, ME", "Salem, OR", "Salem, MA", "Washington"], 300)),
            False,
        ),
        "lands": (
            list(rng.choice(["Paris, France", "Nice, Provence, France", "Rome, Italy", "Bari, Puglia, Italy"], 300)),
            False,
        ),
        "people": ([f"{rng.choice(last)}, {rng.choice(['Ann', 'Bob', 'Eve'])}" for _ in range(300)], False),
        "sums": ([f"{rng.integers(1, 9)},{rng.integers(100, 999)}" for _ in range(300)], False),
        "sorted with commas": ([", ".join(v for v in sorted(few) if rng.random() < 0.4) for _ in range(300)], True),
        "any order": ([", ".join(rng.permutation([v for v in few if rng.random() < 0.5])) for _ in range(300)], True),
        "many names": (
            [", ".join(f"name{rng.integers(400)}" for _ in range(rng.integers(1, 3))) for _ in range(300)],
            False,
        ),
        "one word": (list(rng.choice(few, 300)), False),
        "half and half": (as_json[:150] + ["some text"] * 150, False),
    }


@pytest.mark.parametrize("name", columns())
def test_only_short_words_that_come_again_look_like_lists(name):
    cells, wanted = columns()[name]
    assert looks_like_lists(pd.Series(cells).replace("", pd.NA).dropna()) is wanted
