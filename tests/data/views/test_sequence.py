"""The view of histories: numbers of the catalogue, the newest last."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.data.plain.history import items_of, numbered, numbers_of
from kd_core.data.types.base import ColumnType
from kd_core.data.views.sequence import MOST_LENGTH, SequenceView

CATALOGUE = ("shoe", "sock", "hat", "bag")


def fitted(cells, separator=" ", catalogue=CATALOGUE):
    types = {"age": ColumnType("number"), "history": ColumnType("items", separator=separator, catalogue=catalogue)}
    frame = pd.DataFrame({"age": 1.0, "history": pd.Series(cells, dtype="str")})
    view = SequenceView(types, "multiclass", 0)
    view.fit(frame, np.zeros(len(cells)), None)
    return view, frame


def test_the_newest_item_is_last_and_0_fills_up_on_the_left():
    view, frame = fitted(["shoe sock", "hat", None, "bag hat sock shoe hat"])
    assert view.spec.shape == (4,) and view.spec.high == 5  # nearly the longest, and never less than four
    assert view.encode(frame).tolist() == [[0, 0, 1, 2], [0, 0, 0, 3], [0, 0, 0, 0], [3, 2, 1, 3]]
    assert view.types.keys() == {"history"}


def test_unknown_items_are_skipped_and_told():
    view, _ = fitted(["shoe sock"])
    x, said = view.read([{"history": "shoe tie sock coat"}, {"history": " hat "}])
    assert x.tolist() == [[0, 0, 1, 2], [0, 0, 0, 3]]
    assert said == ("2 items of history are in no training row and were skipped, first 'tie'.",)
    assert view.read([{"history": "hat"}])[1] == ()
    assert view.read([])[0].shape == (0, 4)


def test_a_skipped_item_takes_no_place_of_a_known_one():
    view, _ = fitted(["shoe sock hat bag"])
    assert view.read([{"history": "shoe sock x hat y bag z"}])[0].tolist() == [[1, 2, 3, 4]]


def test_long_histories_are_cut_to_the_newest_and_it_is_said():
    long = " ".join(["shoe"] * 70 + ["bag"])
    view, frame = fitted([long] * 3 + ["hat"] * 3)
    assert view.spec.shape == (MOST_LENGTH,)
    x = view.encode(frame)
    assert x[0, -1] == 4 and (x[0, :-1] == 1).all()
    (problem,) = view.told()
    assert problem.code == "cut_histories" and "50%" in problem.message and "50" in problem.message
    assert fitted(["hat"])[0].told() == ()


def test_other_separators_leave_spaces_in_names():
    view, frame = fitted(["red shoe, hat,,", "hat ,red shoe"], ",", ("red shoe", "hat"))
    assert view.encode(frame)[:, -2:].tolist() == [[1, 2], [2, 1]]
    assert items_of(" a  b\tc ") == ["a", "b", "c"] and items_of("", ",") == []


def test_numbers_are_those_of_the_catalogue():
    x, unknown = numbered(["b a", "c"], " ", numbers_of(["a", "b"]), 2)
    assert x.tolist() == [[2, 1], [0, 0]] and unknown == ["c"]
