"""Random mixes of variants, lanes, patience, crashes and resumes: each ends as if it had been alone."""

import contextlib
import random

import pytest

from kd_core.distill.stack import stack_training
from kd_core.machine import device as devices
from kd_core.training import checkpoint
from tests.distill.eager import make_dataset, make_variant
from tests.distill.fused_runs import run, training_spec
from tests.distill.test_fused_resume import Crash, crash_at

pytestmark = pytest.mark.slow


def draw(rnd):
    """Draw a dataset, some variants and how they are trained."""
    task = rnd.choice(["binary", "multiclass", "regression"])
    dataset = make_dataset(task, rnd.choice([33, 64, 97, 130]), features=rnd.choice([1, 4, 6]))
    losses = ["mse", "bounded_mse"] if task == "regression" else ["hinton"]
    variants = []
    for _ in range(rnd.randint(2, 12)):
        objective = rnd.choice([None, *losses, *losses])
        own = {"alpha": rnd.choice([0.0, 0.5, 1.0])} if objective else {}
        if objective == "hinton":
            own["temperature"] = rnd.choice([1.0, 4.0, 7.5])
        variants.append(
            make_variant(
                rnd.choice(["mlp", "mlp", "resmlp", "linear"]),
                rnd.choice([1, 5, 8, 11, 12, 20]),
                rnd.choice([1, 2]),
                objective,
                rnd.choice([0, 1, 2]),
                rnd.choice([None, 0.1, 1e-3]),
                rnd.choice([None, 0.0, 0.3]),
                rnd.choice([0.0, 0.0, 0.3, 0.5]),
                rnd.choice(["relu", "gelu"]),
                **own,
            )
        )
    training = training_spec(
        epochs=rnd.randint(2, 9),
        patience=rnd.choice([1, 2, 3, 50]),
        batch_size=rnd.choice([8, 32, 64]),
        optimiser=rnd.choice(["adamw", "sgd"]),
        schedule=rnd.choice(["cosine", "constant"]),
        class_weights=rnd.choice(["none", "balanced"]),
        learning_rate=rnd.choice([1e-3, 0.01]),
    )
    return dataset, variants, training


def assert_as_alone(alone, found):
    for position, result in found.items():
        expected = alone[position]
        assert (result.selected_epoch, result.last_epoch) == (expected.selected_epoch, expected.last_epoch)
        assert bool(result.diverged) == bool(expected.diverged)
        for name, tensor in expected.state.items():
            scale = max(1.0, tensor.abs().max().item())  # steps of 0.1 with momentum grow rounding and weights alike
            assert (result.state[name] - tensor).abs().max() < 1e-7 * scale


@pytest.mark.parametrize("seed", range(12))
def test_every_variant_ends_as_if_alone(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)
    rnd = random.Random(seed)
    dataset, variants, training = draw(rnd)
    monkeypatch.setitem(stack_training.LEAVE_SHARE, "cpu", rnd.choice([0.0, 0.3, 0.9]))
    with devices.threads(1):
        alone = [run(dataset, [v], training)[0] for v in variants]
        assert_as_alone(alone, dict(enumerate(run(dataset, variants, training, lanes=rnd.randint(1, 4)))))
        done = {}
        for _ in range(3):
            left = [p for p in range(len(variants)) if p not in done]
            asked = rnd.sample(left, rnd.randint(1, len(left))) if left else []
            heal = crash_at(monkeypatch, rnd.randint(2, 9))
            with contextlib.suppress(Crash):
                run(
                    dataset,
                    [variants[p] for p in asked],
                    training,
                    folder=tmp_path,
                    lanes=rnd.randint(1, 3),
                    on_trained=lambda i, result, asked=asked: done.__setitem__(asked[i], result),
                )
            heal()
        assert_as_alone(alone, done)
        events, left = [], [p for p in range(len(variants)) if p not in done or rnd.random() < 0.3]
        resumed = run(
            dataset,
            [variants[p] for p in left],
            training,
            folder=tmp_path,
            lanes=rnd.randint(1, 3),
            notify=events.append,
        )
        assert_as_alone(alone, dict(zip(left, resumed, strict=True)))
        assert [e for e in events if e["kind"] == "warning"] == []
