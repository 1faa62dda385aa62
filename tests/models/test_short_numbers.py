import numpy as np
import pytest
import torch

from kd_core.models.short_numbers import from_bytes, halve, in_bytes, shortest_between, step_of


def between(thresholds, values):
    return shortest_between(np.array(thresholds, np.float32), np.array(values, np.float32)).tolist()


def test_the_shortest_number_between_two_values_is_found():
    assert between([0.3], [0.26, 0.4]) == [0.375]  # 0.25 and 0.5 are outside
    assert between([0.3], [0.26, 0.37]) == [0.3125]
    assert between([0.7], [0.26, 0.9]) == [0.5]
    assert between([0.95], [0.8, 1.0]) == [0.875]  # 1 would take the value 1 to its left
    assert between([0.1], [-1, 1]) == [0.0]
    assert between([-0.7], [-0.9, -0.6]) == [-0.75]
    assert between([1.0], [1.0, 1.5]) == [1.0]  # a value at the threshold stays at its left
    assert between([1e6 + 0.25], [1e6, 1e6 + 0.5]) == [1e6]


def test_a_threshold_beyond_all_values_stays_beyond_them():
    low, high = between([-5.3, 7.7], [-1.0, 2.0])
    assert low < -1 and high >= 2
    assert between([np.inf, -np.inf], [0.5]) == [np.inf, 0.0]


@pytest.mark.parametrize("seed", range(3))
def test_no_value_changes_side_and_nothing_gets_longer(seed):
    rng = np.random.default_rng(seed)
    values = np.unique(rng.standard_normal(500).astype(np.float32) * 10.0 ** rng.integers(-20, 20, 500)).astype(
        np.float32
    )
    wanted = np.concatenate([rng.choice(values, 100), rng.permutation(values[1:] / 2 + values[:-1] / 2)[:100]])
    found = shortest_between(wanted.astype(np.float32), values)
    assert np.array_equal(values[:, None] <= found, values[:, None] <= wanted.astype(np.float32))

    def digits(numbers):
        bits = numbers.view(np.int32) & (2**23 - 1)
        return np.where(bits == 0, 0, 23 - np.log2((bits & -bits).clip(1)))

    assert (digits(found) <= digits(wanted.astype(np.float32))).all() and digits(found).mean() < 14
    assert np.array_equal(shortest_between(found, values), found)


def test_rounding_to_a_step_moves_a_sum_as_far_as_asked():
    step = step_of(1e-3, 30)
    assert np.log2(step) == int(np.log2(step))
    terms = np.random.default_rng(0).standard_normal((20_000, 30))
    moved = ((np.round(terms / step) * step) - terms).sum(axis=1).std()
    assert 0.5e-3 < moved <= 1e-3
    assert step_of(0.0, 3) == 0.0 == step_of(float("nan"), 3)


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 1e3, 1e6])
def test_vectors_in_bytes_are_off_by_half_a_step_at_most_and_give_the_same_again(size):
    vectors = (np.random.default_rng(0).standard_normal((50, 20)) * size).astype(np.float32)
    vectors[3] = 0
    numbers, steps = in_bytes(vectors)
    found = from_bytes(numbers, steps)
    assert numbers.dtype == np.int8 and steps.dtype == np.float16 and not found[3].any()
    assert (np.abs(found - vectors) <= 0.5001 * steps.astype(np.float32)[:, None]).all()
    assert steps.max() <= max(2**-14, 1.001 * np.abs(vectors).max() / 127)
    assert all(np.array_equal(a, b) for a, b in zip(in_bytes(found), (numbers, steps), strict=True))


def test_a_vector_beyond_has_a_step_that_is_infinite():
    assert np.isinf(in_bytes(np.full((1, 3), 1e8, np.float32))[1]).all()


def test_a_tensor_with_a_number_beyond_float16_is_not_halved():
    small, large = torch.tensor([1 / 3]), torch.tensor([1 / 3, 1e6])
    halve([small, large])
    assert small == torch.tensor([1 / 3]).half().float() and large[0] == torch.tensor(1 / 3)
