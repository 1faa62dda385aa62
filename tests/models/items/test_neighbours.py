"""What follows what, counted: shares, neighbours kept, items seen before, and the references and teacher made of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.models.items.neighbours import CHOICES, HALF, SHARE, Neighbours
from kd_core.task import task_of

TASK = task_of("next_item")


def rows(items=30, users=200, seed=0):
    """After item i comes i + 1, or anything."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, items + 1, (users, 5))
    x[: users // 4, :2] = 0
    y = np.where(rng.random(users) < 0.7, x[:, -1] % items, rng.integers(0, items, users))
    return x, y


def test_shares_sum_to_one_and_follow_the_newest_item():
    x, y = rows()
    table = Neighbours.learn(x, y, 30, 100)
    p = table.shares(x)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
    assert (p > 0).all()
    assert (p.argmax(1) == x[:, -1] % 30).mean() > 0.7


def test_popularity_is_the_same_for_everybody_who_has_seen_nothing():
    x, y = rows()
    table = Neighbours.learn(x, y, 31, 0)
    counts = np.maximum(np.bincount(y, minlength=31), HALF)
    np.testing.assert_allclose(table.shares(np.zeros((2, 5), int)), np.tile(counts / counts.sum(), (2, 1)), rtol=1e-6)
    assert table.rules.nnz == 0 and table.numbers == 31 and table.bytes == 4 * 31


def test_the_mix_is_that_of_the_formula():
    x, y = np.array([[0, 0, 1], [0, 1, 2], [0, 0, 3]]), np.array([1, 2, 0])
    table = Neighbours.learn(x, y, 4, 10)
    popular = np.array([1, 1, 1, HALF]) / 3.5
    follows = np.zeros((4, 4))
    follows[0] = [0, 1, 0.5, 0]  # 1 right before item 2, two back before item 3
    follows[1] = [0, 0, 1, 0]
    follows[2] = [1, 0, 0, 0]
    follows[:3] /= follows[:3].sum(1, keepdims=True)
    told = follows[1] + follows[0] / 2  # of the history 1, 2
    wanted = (1 - SHARE) * popular + SHARE * told / told.sum()
    before = wanted[:2].sum()
    wanted[:2] *= table.again / before
    wanted[2:] *= (1 - table.again) / (1 - before)
    np.testing.assert_allclose(table.shares(np.array([[0, 1, 2]]))[0], wanted, rtol=1e-5)


def test_the_way_back_counts_as_a_share():
    x, y = np.array([[0, 0, 1], [0, 1, 2], [0, 0, 3]]), np.array([1, 2, 0])
    found = Neighbours.learn(x, y, 4, 10, 0.5).rules.toarray()
    counts = np.zeros((4, 4))
    counts[0, 1], counts[0, 2], counts[1, 2], counts[2, 0] = 1, 0.5, 1, 1
    counts = counts + 0.5 * counts.T
    counts[:3] /= counts[:3].sum(1, keepdims=True)
    np.testing.assert_allclose(found, counts)


@pytest.mark.parametrize("directed", [True, False])
def test_validation_rows_choose_whether_the_way_back_counts(directed):
    """Half of the pairs are seen the other way round where the order says nothing."""
    rng = np.random.default_rng(1)

    def pairs(users):
        first = rng.integers(0, 150, users)
        turned = (rng.random(users) < 0.5) & (not directed)
        partner = (first + 150 * np.where(first < 150, 1, -1)) % 300
        return np.where(turned, partner, first)[:, None] + 1, np.where(turned, first, partner)

    train, validation = pairs(200), pairs(300)
    table, backwards = Neighbours.chosen(train, validation, 300, 10)
    assert backwards == (0.0 if directed else 0.5)
    choices = [replace(Neighbours.learn(*train, 300, 10, b), share=s).loss(*validation) for b, s in CHOICES]
    assert table.loss(*validation) == pytest.approx(min(choices))


def test_no_known_validation_row_chooses_the_first():
    x, y = rows()
    table, backwards = Neighbours.chosen((x, y), (x[:3], np.full(3, -1)), 30, 10)
    assert (backwards, table.share) == CHOICES[0]


@pytest.mark.parametrize("most", [1, 3])
def test_only_the_strongest_neighbours_are_kept(most):
    x, y = rows()
    whole, some = (Neighbours.learn(x, y, 30, n).rules.toarray() for n in (1000, most))
    assert ((some > 0).sum(1) <= most).all()
    for row, kept in zip(whole, some, strict=True):
        assert sorted(kept[kept > 0]) == pytest.approx(sorted(row[row > 0])[-most:])


def test_items_seen_before_get_what_they_got_in_training():
    x, y = rows()
    never = Neighbours.learn(x, np.where((x == y[:, None] + 1).any(1), (x.max(1) + 3) % 30, y), 30, 100)
    again = Neighbours.learn(x, x[:, 0] - 1 + (x[:, 0] == 0) * x[:, -1], 30, 100)
    for table in (never, again):
        p = table.shares(x)
        seen = np.zeros(p.shape, bool)
        for row, items in enumerate(x):
            seen[row, items[items > 0] - 1] = True
        np.testing.assert_allclose((p * seen).sum(1), table.again, rtol=1e-4)
    assert again.again > 0.99


def test_answers_are_in_short_form_whatever_the_pieces(monkeypatch):
    x, y = rows(items=150)
    table = Neighbours.learn(x, y, 150, 100)
    whole = table.answers(x, TASK.kept)
    assert whole.shape == (len(x), TASK.width(150)) and whole.dtype == np.float32
    monkeypatch.setattr("kd_core.models.items.neighbours.NUMBERS", 1000)
    np.testing.assert_allclose(table.answers(x, TASK.kept), whole, rtol=1e-6)
    dense = TASK.spread(torch.from_numpy(whole), 150).exp().numpy()
    assert (dense.argmax(1) == table.shares(x).argmax(1)).all()
