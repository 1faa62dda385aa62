"""What is kept of logits with many outputs: small, and within a stated bound at every temperature."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.errors import DataError
from kd_core.teachers.answer_cache.coding import EXACT_OUTPUTS, TOLERANCE, decode, encode

ROWS = 200


def network_like(outputs: int, scale: float = 4.0) -> np.ndarray:
    """Logits of which every one counts."""
    return (scale * np.random.default_rng(0).standard_normal((ROWS, outputs))).astype(np.float32)


def forest_like(outputs: int, known: int) -> np.ndarray:
    """Log-probabilities: `known` classes have votes, the others all the same smallest probability."""
    rng = np.random.default_rng(1)
    p = np.full((ROWS, outputs), 1e-6)
    for row in p:
        row[rng.choice(outputs, known, replace=False)] = rng.dirichlet(np.ones(known))
    p = np.clip(p, 1e-6, 1)
    return np.log(p / p.sum(1, keepdims=True)).astype(np.float32)


def softened(z: np.ndarray, temperature: float) -> np.ndarray:
    e = np.exp((z.astype(np.float64) - z.max(1, keepdims=True)) / temperature)
    return e / e.sum(1, keepdims=True)


def num_bytes(coded: dict[str, np.ndarray]) -> int:
    return sum(array.nbytes for array in coded.values())


def test_up_to_a_hundred_outputs_nothing_is_rounded():
    z = network_like(EXACT_OUTPUTS)
    coded = encode(z)
    assert list(coded) == ["logits"] and decode(coded, EXACT_OUTPUTS) is z
    assert encode(np.float64([[0.5]]))["logits"].dtype == np.float32


@pytest.mark.parametrize(
    ("z", "names", "per_row"),
    [
        (network_like(300), {"logits"}, 2 * 300),
        (forest_like(300, 6), {"top", "classes", "rest"}, 8 * 4 + 4),
        (forest_like(300, 25), {"top", "classes", "rest"}, 32 * 4 + 4),
        (forest_like(101, 101), {"logits"}, 2 * 101),
    ],
    ids=["network", "few known", "more known", "all known"],
)
def test_the_smallest_coding_that_keeps_the_bound_is_taken(z, names, per_row):
    coded = encode(z)
    back = decode(coded, z.shape[1])
    assert set(coded) == names and num_bytes(coded) == ROWS * per_row
    assert back.dtype == np.float32 and back.shape == z.shape
    assert np.abs(back - z).max() <= TOLERANCE
    for temperature in (0.5, 1, 4, 20):
        moved = 0.5 * np.abs(softened(back, temperature) - softened(z, temperature)).sum(1).max()
        assert moved <= TOLERANCE / temperature
    some = np.array([5, 3, 5])
    assert np.array_equal(decode(coded, z.shape[1], some), back[some])


def test_the_rest_keeps_its_mass():
    z = forest_like(300, 6)
    back = decode(encode(z), 300)
    assert np.allclose(softened(back, 1).sum(1), 1) and np.allclose(np.exp(back).sum(1), 1, atol=2e-3)


@pytest.mark.parametrize("scale", [100.0, 1e6], ids=["coarse", "overflow"])
def test_what_two_bytes_can_not_hold_is_kept_in_four(scale):
    z = network_like(200, scale)
    assert np.array_equal(decode(encode(z), 200), z) and encode(z)["logits"].dtype == np.float32


def test_a_single_far_row_decides():
    z = forest_like(300, 6)
    z[-1] = network_like(300)[-1]
    assert set(encode(z)) == {"logits"}


def test_what_is_not_finite_is_kept_as_it_is():
    z = network_like(300)
    z[3, 4] = np.nan
    assert np.array_equal(decode(encode(z), 300), z, equal_nan=True)


@pytest.mark.parametrize(
    ("coded", "message"),
    [
        ({"top": np.zeros((2, 8), np.float16)}, "no array 'classes'"),
        ({"logits": np.zeros((2, 3), np.float32)}, r"\(2, 3\) are not 4 outputs"),
        ({"logits": np.zeros(3, np.float32)}, r"\(3,\) are not 4 outputs"),
        ({"top": np.zeros((1, 1)), "classes": np.array([[9]]), "rest": np.zeros(1)}, "index"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(coded, message):
    with pytest.raises(DataError, match=message) as error:
        decode(coded, 4)
    assert error.value.code == "damaged_cache"
