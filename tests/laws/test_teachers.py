"""What holds for every registered teacher on every task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kd_core.data.input_spec import TABLE
from kd_core.data.views import VIEWS
from kd_core.errors import Stopped
from kd_core.models import ARCHS
from kd_core.teachers import SOURCES
from kd_core.teachers.base import Ask, gives
from kd_core.teachers.fitting import Fitted
from tests.teachers.tables import OUTPUTS, dataset, fit_data, view_data

LEARN = {"size": "tiny", "epochs": 10, "learning_rate": 0.03, "batch_size": 32, "members": 4}
QUICK = {"rounds": 30, "trees": 12}
HERE = [e for e in SOURCES.entries() if not e.facts.get("lacks", lambda: None)()]
FITTED = [e for e in HERE if isinstance(e.make, Fitted)]
# Tasks of several targets are one fit for each of these (tests/teachers/test_each_target.py); lists and histories have tests of their own.
CASES = [pytest.param(e, t, id=f"{e.name}-{t}") for e in FITTED for t in OUTPUTS if not e.tasks or t in e.tasks]


def never():
    return False


def data_of(entry, task, **changes):
    """A table, or example rows of the first view that a teacher takes."""
    kind = entry.facts["takes"][0]
    return fit_data(task, **changes) if kind == TABLE else view_data(kind, task, **changes)


def fitted(entry, data, seed=0, notify=lambda event: None, should_stop=never):
    learn = LEARN if entry.facts["family"] == "network" else QUICK
    spec = entry.spec.parse({name: value for name, value in learn.items() if name in entry.spec.model_fields})
    return entry.make.fit(spec, data, seed, notify, should_stop)


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "task"), CASES)
def test_logits_sizes_and_repeatability(entry, task):
    data = data_of(entry, task)
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


@pytest.mark.slow
@pytest.mark.parametrize("entry", [e for e in FITTED if e.works_for("multiclass")], ids=lambda e: e.name)
def test_a_class_missing_from_the_fold_keeps_its_column(entry):
    data = data_of(entry, "multiclass")
    kept = data.y != 1
    z = fitted(entry, replace(data, x=data.x[kept], y=data.y[kept])).logits(data.x_validation)
    assert z.shape == (100, 3) and np.isfinite(z).all()
    if entry.facts["family"] != "network":
        assert np.exp(z[:, 1]).max() < 1e-5


@pytest.mark.parametrize("entry", FITTED, ids=lambda e: e.name)
def test_a_stop_request_is_honoured_before_anything_is_fitted(entry):
    with pytest.raises(Stopped):
        fitted(entry, data_of(entry, "binary"), should_stop=lambda: True)


@pytest.mark.parametrize("name", ["gradient_boosting", "lightgbm", "xgboost", "random_forest", "mlp"])
def test_a_stop_request_is_honoured_in_the_middle(name):
    asked = 0

    def later():
        nonlocal asked
        asked += 1
        return asked > 1

    with pytest.raises(Stopped):
        fitted(SOURCES.get(name), fit_data("binary"), should_stop=later)
    assert asked == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", [e for e in SOURCES.entries() if e.facts["family"] == "network"], ids=lambda e: e.name
)
def test_networks_report_every_epoch(entry):
    events = []
    fitted(entry, data_of(entry, "regression", target_mean=40.0, target_std=12.0), notify=events.append)
    epochs = [e for e in events if e["kind"] == "epoch"]
    assert len(epochs) >= 3 and [e["epoch"] for e in epochs] == list(range(1, 1 + len(epochs)))
    assert all(e["score"] == e["metrics"]["rmse"] and e["score"] > 5 for e in epochs)  # in the target's own unit


def test_every_source_says_what_it_gives():
    for entry in SOURCES.entries():
        assert "logits" in entry.facts["gives"] and entry.facts["family"] in (
            "network",
            "trees",
            "classic",
            "pretrained",
            "given",
            "ensemble",
        )
        assert isinstance(entry.make, Fitted) is (entry.facts["family"] not in ("pretrained", "given", "ensemble"))
        assert ("members" in entry.facts) is (entry.facts["family"] == "ensemble")
        assert set(entry.facts["takes"]) <= set(VIEWS.names())
        by_heart = entry.facts["family"] in ("trees", "classic")  # what it was trained on says nothing of new rows
        assert ("several_folds" in entry.needs) is by_heart
        assert ("one_basis" in gives(entry.name, 1)) is ("features" in gives(entry.name, 5))
        assert "one_basis" not in gives(entry.name, 5) or entry.facts["family"] in ("given", "pretrained")


@pytest.mark.parametrize("entry", SOURCES.entries(), ids=lambda e: e.name)
def test_a_stop_request_is_honoured_by_every_source(entry):
    data = dataset("binary")
    reads = entry.facts["takes"][0] if entry.facts["takes"] else None
    if reads not in (None, TABLE):
        return
    with pytest.raises(Stopped):
        entry.make(entry.spec(), Ask(data, reads, 3, 0, None, "", "cpu", lambda event: None, lambda: True))


def test_every_architecture_that_may_teach_is_a_teacher_of_its_own_views():
    teaching = [e for e in ARCHS.entries() if "teacher" in e.facts["roles"]]
    assert {"linear", "textcnn"} <= {e.name for e in teaching}
    for arch in teaching:
        entry = SOURCES.get(arch.name)
        assert (entry.title, entry.source, entry.tasks) == (arch.title, arch.source, arch.tasks)
        assert entry.facts["takes"] == arch.facts["takes"] and entry.facts["arch"] == arch.name
