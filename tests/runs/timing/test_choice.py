"""Which runtime is chosen where several are alike, and how far one is behind another."""

from __future__ import annotations

import pytest

from kd_core.runs.timing import choice
from kd_core.runs.timing.choice import behind, counts, simplest
from kd_core.runs.timing.ways import Way

FILE, FILE_2, TORCH, TORCH_2 = Way("onnxruntime", 1), Way("onnxruntime", 2), Way("torch", 1), Way("torch", 2)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ({FILE: 1.0, FILE_2: 0.99, TORCH: 0.985}, FILE),  # all alike: the file as it is deployed
        ({FILE: 1.1, FILE_2: 1.0, TORCH: 1.0}, FILE_2),
        ({FILE: 2.0, FILE_2: 2.0, TORCH: 1.0, TORCH_2: 0.99}, TORCH),
        ({FILE: 2.0, TORCH: 1.0, TORCH_2: 0.5}, TORCH_2),
    ],
)
def test_of_ways_that_are_alike_the_simplest_is_taken(times, wanted):
    assert simplest(times) == wanted


def test_what_counts_as_alike_is_nearer_than_the_goal():
    assert 1 < choice.ALIKE < 1.05


@pytest.mark.parametrize(("cores", "wanted"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_threads_are_doubled_up_to_all_cores(cores, wanted):
    assert counts(cores) == wanted


def test_a_busy_round_does_not_move_a_ratio():
    assert behind([1.0, 1.0, 100.0], [1.0, 1.0, 50.0]) == 1.0
