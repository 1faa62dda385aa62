"""Batches with made rows beside the training rows."""

import pytest
import torch

from kd_core.training.batches import Dealer
from kd_core.training.plan import TrainingPlan


@pytest.mark.parametrize(("rows", "made"), [(37, 150), (37, 37), (37, 11), (8, 3)])
def test_batches_hold_the_same_training_rows_first_and_as_many_made_ones(rows, made):
    plan = TrainingPlan(epochs=2, batch_size=8)
    alone, both = Dealer(plan, rows), Dealer(plan, rows, made=made)
    assert both.steps == alone.steps and both.dealt == 2 * rows == 2 * alone.dealt
    seen = []
    for epoch in (1, 2):
        order, sizes = alone.deal(0, epoch)
        mixed, doubled = both.deal(0, epoch)
        assert doubled == [2 * size for size in sizes]
        for own, batch in zip(order.split_with_sizes(sizes), mixed.split_with_sizes(doubled), strict=True):
            assert torch.equal(batch[: len(own)], own)
            more = batch[len(own) :]
            assert len(more) == len(own) and bool(((more >= rows) & (more < rows + made)).all())
        drawn = mixed[mixed >= rows]
        counts = torch.bincount(drawn - rows, minlength=made)
        assert int(counts.max() - counts.min()) <= 1  # each as often as any other
        seen.append(drawn)
    assert not torch.equal(*seen) and torch.equal(seen[0], both.deal(0, 1)[0][both.deal(0, 1)[0] >= rows])
