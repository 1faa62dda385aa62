"""Units leave a state with all their numbers, and one of each layer always stays."""

from __future__ import annotations

import numpy as np
import torch

from kd_core.compress.cutting import cut_state, number_cut, weakest
from kd_core.models.reshape.units import Place, Units


def test_never_all_units_go():
    assert [number_cut(8, share) for share in (0, 0.05, 0.5, 0.95, 1)] == [0, 0, 4, 7, 7]
    assert number_cut(1, 0.95) == 0


def test_the_weakest_go_and_of_equal_ones_the_last():
    assert weakest(np.array([3.0, 1.0, 2.0, 1.0]), 1).tolist() == [False, False, False, True]
    assert weakest(np.array([3.0, 1.0, 2.0, 1.0]), 3).tolist() == [False, True, True, True]
    assert not weakest(np.array([1.0, 2.0]), 0).any()


def test_a_unit_leaves_every_tensor_along_its_axis_and_lanes_lose_their_own():
    state = {"a": torch.arange(12.0).view(4, 3), "b": torch.arange(4.0), "c": torch.arange(3.0)}
    first = Place("a", 0, np.array([[0, 2], [1, 3]])), Place("b", 0, np.array([[0, 2], [1, 3]]))
    second = (Place("c", 0, np.array([[0], [2]])),)
    found = cut_state(
        state, [(Units("u", "units", (first, second)), [np.array([True, False]), np.array([False, True])])]
    )
    assert (
        torch.equal(found["a"], state["a"][[1, 3]]) and found["b"].tolist() == [1, 3] and found["c"].tolist() == [0, 1]
    )
    assert len(state["a"]) == 4


def test_places_repeat_in_blocks():
    assert Place.every("w", 0, 3, blocks=2).at.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert Place.every("w", 1, 2, offset=4).at.tolist() == [[4], [5]]
