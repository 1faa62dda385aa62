import numpy as np
import pytest
import torch

from kd_core.distill.sweep import sequential
from kd_core.errors import KDError
from tests.distill.eager import make_dataset, make_teacher, make_variant
from tests.distill.fused_runs import assert_equal, run, threads, training_spec
from tests.distill.training import train

pytestmark = pytest.mark.slow


class TestDivergence:
    def test_one_that_overflows_leaves_the_others_alone(self):
        dataset, training = make_dataset(rows=96), training_spec(optimiser="sgd", learning_rate=0.01)
        fast = make_variant(width=10, depth=3, seed=1, rate=1e6, decay=1.0, objective="hinton")
        variants = [make_variant(depth=3, seed=0), fast, make_variant(depth=3, seed=2)]
        told = []
        good, bad, other = run(dataset, variants, training, precision="float32", on_trained=lambda p, r: told.append(p))
        assert bad.diverged == "The numbers overflowed in epoch 1."
        assert (bad.state, bad.selected_epoch, bad.last_epoch) == ({}, 0, 0)
        assert np.isnan(bad.score_selected)
        assert good.diverged is other.diverged is None
        assert told[0] == 1
        assert sorted(told) == [0, 1, 2]
        assert_equal(good, run(dataset, [variants[0]], training, precision="float32")[0], 1e-5)
        assert train(sequential.train, dataset, variants, make_teacher(dataset), training)[1].diverged

    def test_the_best_epoch_before_is_kept(self):
        dataset = make_dataset(rows=96)
        training = training_spec(epochs=40, optimiser="sgd", schedule="constant")
        variants = [make_variant(seed=0, rate=5.0, decay=1.0), make_variant(seed=1)]  # grows 4-fold a step
        bad, good = run(dataset, variants, training, precision="float32")
        assert bad.diverged == f"The numbers overflowed in epoch {bad.last_epoch + 1}."
        assert 1 <= bad.selected_epoch <= bad.last_epoch < 40
        assert all(torch.isfinite(t).all() for t in bad.state.values())
        assert good.diverged is None

    def test_all_may_diverge(self):
        training = training_spec(optimiser="sgd", batch_size=8)
        variants = [make_variant(seed=s, rate=1e30, decay=1.0) for s in (0, 1)]
        results = run(make_dataset(rows=96), variants, training, precision="float32")
        assert all(r.diverged and not r.state for r in results)

    def test_a_metric_these_rows_leave_undefined_is_told(self):
        dataset = make_dataset(rows=64)
        dataset.validation.y[:] = 1
        with pytest.raises(KDError) as caught:
            run(dataset, [make_variant()], training_spec(), metric="roc_auc", lanes=2)
        assert caught.value.code == "undefined_selection"
        assert caught.value.message == (
            "The metric 'roc_auc' is undefined on the 90 validation rows, so no epoch can be chosen by it."
        )
        assert caught.value.hint == "Choose another metric, or make the validation part larger."
        assert threads() == []
