"""How rows are dealt into batches: as ever, or in whole groups."""

import numpy as np
import pytest
import torch

from kd_core.seeding import derive
from kd_core.training.batches import Dealer
from kd_core.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=2, batch_size=32)


@pytest.mark.parametrize(("rows", "sizes"), [(100, [32, 32, 32, 4]), (97, [32, 32, 33]), (20, [20])])
def test_rows_are_dealt_by_seed_and_epoch_and_a_single_one_joins_the_batch_before(rows, sizes):
    order, found = Dealer(PLAN, rows).deal(3, 2)
    generator = torch.Generator().manual_seed(derive(3, "order", 2))
    assert torch.equal(order, torch.randperm(rows, generator=generator)) and found == sizes
    assert len(found) == Dealer(PLAN, rows).steps


@pytest.mark.parametrize("most", [2, 9, 70])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_group_is_whole_in_one_batch_and_groups_come_in_random_order(most, epoch):
    rng = np.random.default_rng(most)
    groups = rng.permutation(np.repeat(np.arange(60), rng.integers(1, most + 1, 60)))
    dealer = Dealer(PLAN, len(groups), groups)
    order, sizes = dealer.deal(0, epoch)
    assert sorted(order.tolist()) == list(range(len(groups)))
    assert sum(sizes) == len(groups) and 1 <= len(sizes) <= dealer.steps and min(sizes) >= 2
    held = [set(groups[rows.numpy()].tolist()) for rows in order.split_with_sizes(sizes)]
    assert sum(map(len, held)) == 60  # no group is in two
    assert max(sizes) <= len(groups) / dealer.steps + most + 1
    assert not torch.equal(order, dealer.deal(0, epoch + 1)[0])
    assert torch.equal(order, dealer.deal(0, epoch)[0])


def test_few_large_groups_are_a_batch_each_and_a_group_of_one_row_joins_another():
    assert Dealer(PLAN, 100, np.repeat([5, 9], 50)).deal(0, 1)[1] == [50, 50]
    assert Dealer(PLAN, 100, np.zeros(100, int)).deal(0, 1)[1] == [100]
    for seed in range(4):
        sizes = Dealer(PLAN, 101, np.repeat([0, 1, 2], [50, 1, 50])).deal(seed, 1)[1]
        assert sorted(sizes) in ([50, 51], [101])
