"""What holds for every registered teacher on every task."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.errors import Stopped
from kd_core.task import TASKS
from kd_core.teachers import SOURCES
from tests.teachers.tables import fit_data

LEARN = {"size": "tiny", "epochs": 10, "learning_rate": 0.03, "batch_size": 32}
QUICK = {
    "gradient_boosting": {"rounds": 30},
    "random_forest": {"trees": 12},
    "mlp": LEARN,
    "mlp_large": LEARN,
    "resmlp": LEARN,
    "tabm": LEARN | {"members": 4},
    "ft_transformer": LEARN,
}
CASES = [
    pytest.param(e, t, id=f"{e.name}-{t}")
    for e in SOURCES.entries()
    for t in TASKS.names()
    if not e.tasks or t in e.tasks
]


def never():
    return False


def fitted(entry, data, seed=0, notify=lambda event: None, should_stop=never):
    spec = entry.spec.parse(QUICK.get(entry.name, {}))
    return entry.make(spec, data, seed, notify, should_stop)


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "task"), CASES)
def test_logits_sizes_and_repeatability(entry, task):
    data = fit_data(task)
    teacher, again = fitted(entry, data), fitted(entry, data)
    z = teacher.logits(data.x_validation)
    assert z.shape == (100, data.num_outputs) and z.dtype == np.float32 and np.isfinite(z).all()
    assert np.array_equal(z, again.logits(data.x_validation))
    alone = np.concatenate([teacher.logits(data.x_validation[i : i + 1]) for i in range(10)])
    np.testing.assert_allclose(alone, z[:10], rtol=1e-4, atol=1e-5)
    assert teacher.num_parameters() > 0 and teacher.size_bytes() >= teacher.num_parameters()
    assert isinstance(teacher.details(), dict)
    if task == "regression":
        assert np.corrcoef(z[:, 0], data.y_validation)[0, 1] > 0.2
    else:
        if entry.facts["family"] != "network":
            np.testing.assert_allclose(np.exp(z).sum(1), 1, atol=1e-5)
        # The label order of the columns: a class is named more often where it is true.
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        for c in (0, data.num_outputs - 1):
            assert p[data.y_validation == c, c].mean() > p[data.y_validation != c, c].mean()


@pytest.mark.parametrize("entry", SOURCES.entries(), ids=lambda e: e.name)
def test_a_class_missing_from_the_fold_keeps_its_column(entry):
    data = fit_data("multiclass")
    kept = data.y != 1
    z = fitted(entry, fit_data("multiclass", x=data.x[kept], y=data.y[kept])).logits(data.x_validation)
    assert z.shape == (100, 3) and np.isfinite(z).all()
    if entry.facts["family"] != "network":
        assert np.exp(z[:, 1]).max() < 1e-5


@pytest.mark.parametrize("entry", SOURCES.entries(), ids=lambda e: e.name)
def test_a_stop_request_is_honoured_before_anything_is_fitted(entry):
    with pytest.raises(Stopped):
        fitted(entry, fit_data("binary"), should_stop=lambda: True)


@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest", "mlp"])
def test_a_stop_request_is_honoured_in_the_middle(name):
    asked = 0

    def later():
        nonlocal asked
        asked += 1
        return asked > 1

    with pytest.raises(Stopped):
        fitted(SOURCES.get(name), fit_data("binary"), should_stop=later)
    assert asked == 2


@pytest.mark.parametrize(
    "entry", [e for e in SOURCES.entries() if e.facts["family"] == "network"], ids=lambda e: e.name
)
def test_networks_report_every_epoch(entry):
    events = []
    fitted(entry, fit_data("regression", target_mean=40.0, target_std=12.0), notify=events.append)
    epochs = [e for e in events if e["kind"] == "epoch"]
    assert len(epochs) >= 3 and [e["epoch"] for e in epochs] == list(range(1, 1 + len(epochs)))
    assert all(e["score"] == e["metrics"]["rmse"] and e["score"] > 5 for e in epochs)  # in the target's own unit


def test_every_source_says_what_it_gives():
    for entry in SOURCES.entries():
        assert "logits" in entry.facts["gives"] and entry.facts["family"] in ("network", "trees", "classic")
