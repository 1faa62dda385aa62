"""The true class against the rest, and the rest among themselves, from plain shares."""

import numpy as np
import pytest
import torch

from kd_core.distill.target_and_rest import log_rest, log_rest_array, odds, others

Z = torch.tensor([[1.0, 2.0, 0.5, -1.0], [0.0, 0.0, 3.0, 1.0]], dtype=torch.float64)
TRUE = torch.tensor([[1], [3]])
P = torch.softmax(Z, dim=1)


def test_the_rest_is_shared_out_anew_without_the_true_class():
    found = log_rest(Z, TRUE)
    for row, true in enumerate(TRUE[:, 0].tolist()):
        left = [c for c in range(4) if c != true]
        torch.testing.assert_close(found[row, left].exp(), P[row, left] / P[row, left].sum())
        assert found[row, true] == 0


def test_the_odds_give_the_share_of_the_true_class():
    torch.testing.assert_close(torch.sigmoid(odds(Z, TRUE)), P.gather(1, TRUE))


def test_stacks_hold_their_classes_along_the_same_dimension():
    stacked, true = Z.T[None], TRUE.T[None]
    for of in (others, log_rest, odds):
        assert torch.equal(of(stacked, true)[0].T, of(Z, TRUE))


def test_the_array_of_a_reference_holds_the_same_numbers_and_their_places():
    found, places = log_rest_array(Z.numpy(), TRUE[:, 0].numpy(), 1.0)
    assert places.tolist() == [[0, 2, 3], [0, 1, 2]]
    assert np.exp(found).sum(1) == pytest.approx([1, 1])
    np.testing.assert_allclose(found, np.take_along_axis(log_rest(Z, TRUE).numpy(), places, axis=1))
