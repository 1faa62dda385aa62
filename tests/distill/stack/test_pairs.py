"""Additive models with tables of pairs in one stack: each with pairs of its own lesson."""

import pytest
import torch

from kd_core.distill.stack.forms import piecewise
from kd_core.models.piecewise_front import PAST_ALL
from tests.distill.eager import make_dataset, make_variant, some_pairs, with_columns
from tests.distill.fused_runs import assert_equal, run, training_spec
from tests.distill.stack.test_fused import assert_same


@pytest.fixture(autouse=True)
def pairs_of_every_lesson(monkeypatch):
    monkeypatch.setattr("kd_core.models.pairs.fitting.strongest", some_pairs)


def paired(objective=None, seed=0):
    return make_variant("additive", objective=objective, seed=seed, arch_edges=8, arch_pairs=3)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_learns_as_if_alone(task):
    objective = "mse" if task == "regression" else "hinton"
    dataset = with_columns(make_dataset(task, 260))
    pairs = [paired(objective), paired(seed=1), paired(objective, 2)]
    assert_same(dataset, pairs, training_spec(epochs=30, batch_size=48), stacks=1)
    curves = make_variant("additive", seed=0, arch_edges=8)
    assert_same(dataset, [*pairs, curves], training_spec(), stacks=2)


def test_rows_that_are_held_encoded_give_the_bits_of_rows_encoded_at_every_step(monkeypatch):
    dataset = with_columns(make_dataset(rows=150))
    variants = [paired(o, s) for o in ("hinton", None) for s in (0, 1)]
    held = run(dataset, variants, training_spec(), precision="float32")
    sources = [r.state["front.pair_source"] for r in held]
    assert all((r.state["front.pair_low"] < PAST_ALL).any() for r in held)
    assert torch.equal(sources[0], sources[1]) and not torch.equal(sources[0], sources[2])
    monkeypatch.setattr(piecewise, "HELD_BYTES", {"cpu": 1000})
    for a, b in zip(held, run(dataset, variants, training_spec(), precision="float32"), strict=True):
        assert_equal(a, b, 0)
