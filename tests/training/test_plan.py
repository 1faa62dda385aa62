from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kd_core.specs import TrainingSpec
from kd_core.training.plan import TrainingPlan, resolve


@pytest.mark.parametrize(
    ("rows", "batch", "epochs"),
    [(40, 16, 200), (300, 16, 200), (1_000, 64, 200), (8_400, 128, 60), (50_000, 1024, 81), (400_000, 1024, 12)],
)
def test_auto_follows_the_number_of_rows(rows, batch, epochs):
    plan = resolve(TrainingSpec(), rows)
    assert (plan.batch_size, plan.epochs) == (batch, epochs)


def test_a_linear_model_takes_larger_steps_and_as_many():
    linear, network = (resolve(TrainingSpec(learning_rate=0.01), 124, arch) for arch in ("linear", "mlp"))
    assert (linear.learning_rate, network.learning_rate) == (0.05, 0.01)
    assert replace(linear, learning_rate=0.01) == network


@given(st.integers(1, 5_000_000))
def test_auto_stays_within_bounds_and_a_budget_of_steps(rows):
    plan = resolve(TrainingSpec(), rows)
    assert 16 <= plan.batch_size <= 1024
    assert 12 <= plan.epochs <= 200
    assert plan.epochs * plan.steps_per_epoch(rows) <= max(4000, 12 * plan.steps_per_epoch(rows))


def test_a_small_table_gets_enough_steps_before_training_may_stop():
    for rows in (105, 300, 1_000, 8_400):
        plan = resolve(TrainingSpec(), rows)
        assert plan.patience * plan.steps_per_epoch(rows) >= 240
    assert resolve(TrainingSpec(), 8_400).patience == 12


def test_what_was_asked_for_is_kept():
    spec = TrainingSpec(epochs=7, batch_size=32, learning_rate=0.1, optimiser="sgd", schedule="constant", patience=3)
    plan = resolve(spec, 1000)
    assert plan == TrainingPlan(7, 32, 0.1, 1e-4, "sgd", "constant", 3, "auto")
    assert plan.to_dict()["optimiser"] == "sgd"


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (63, 1), (64, 1), (65, 1), (66, 2), (128, 2), (129, 2), (130, 3)])
def test_steps_per_epoch_fold_a_single_left_over_row(rows, steps):
    assert TrainingPlan(1, 64).steps_per_epoch(rows) == steps
