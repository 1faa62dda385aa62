"""The likeliest of very many classes: named, told and read back."""

from __future__ import annotations

import numpy as np

from kd_core.data.plain.history import with_catalogue, without_catalogue
from kd_core.data.plain.questions import FIRST, Questions
from kd_core.task import task_of

ITEMS = tuple(f"item{i}" for i in range(30))
KEPT = np.array([[7, 3, 1, *range(10, 25), np.log(0.5), np.log(0.3), *[np.log(0.01)] * 16, np.log(0.001)]])


def questions():
    task = task_of("next_item")
    return Questions.of({"answers": [[*one[:4], []] for one in task.questions("film", ITEMS)], "classes": ITEMS})


def test_an_answer_is_ten_items_and_their_shares():
    (row,) = task_of("next_item").table(KEPT, 0.0, 1.0)
    told = questions()
    assert told.width == 20 == len(row) and told.one is None and told.every[0].kind == FIRST
    assert told.answer(row) == "item7"
    shares = told.shares(row)
    assert list(shares)[:3] == ["item7", "item3", "item1"] and len(shares) == 10 and abs(shares["item3"] - 0.3) < 1e-9
    named = told.named(row)
    assert list(named)[:2] == ["item_1", "item_2"] and named["item_2"] == "item3" and abs(named["p_1"] - 0.5) < 1e-9
    assert len(named) == 20


def test_a_short_catalogue_answers_all_of_it():
    (one,) = task_of("next_item").questions("film", ITEMS[:4])
    assert one[1:4] == ("first", 0, 8)


def test_an_item_that_no_training_row_has_is_no_item():
    assert questions().truth(-1) is None and questions().truth(2) == "item2"


def test_names_stand_once_in_what_is_told():
    (one,) = questions().every
    assert one.told()[4] == [] and one.names == ITEMS


def test_equally_likely_items_may_change_places_but_others_not():
    task = task_of("next_item")
    found = task.table(KEPT, 0.0, 1.0)
    assert task.apart(found, KEPT, 0.0, 1.0).max() < 1e-12
    level = found.copy()
    level[0, [3, 4]] = found[0, [4, 3]]  # two of .01
    assert task.apart(level, KEPT, 0.0, 1.0).max() < 1e-12
    wrong = found.copy()
    wrong[0, [0, 1]] = found[0, [1, 0]]
    assert task.apart(wrong, KEPT, 0.0, 1.0).max() > 0.1
    other = found.copy()
    other[0, 0] = 29  # one that was not kept
    assert task.apart(other, KEPT, 0.0, 1.0).max() > 0.4


def test_a_catalogue_that_is_the_classes_is_left_out_and_put_back():
    columns = {"history": {"kind": "items", "separator": " ", "catalogue": list(ITEMS)}, "age": {}}
    short = without_catalogue(columns, ITEMS)
    assert "catalogue" not in short["history"] and with_catalogue(short, ITEMS) == columns
    assert without_catalogue(columns, ITEMS[:3]) == columns == with_catalogue(columns, ITEMS[:3])
