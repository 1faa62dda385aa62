"""What holds for every registered metric, and that each equals scikit-learn or its formula."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import measure
from kd_core.task import IN_PARTS, TASKS, task_of
from tests.laws.losses import several_rows

ROWS = 400


def answers(task, seed=0, strength=1.0, rows=ROWS):
    rng = np.random.default_rng(seed)
    if task == "regression":
        y = rng.normal(50, 10, rows)
        return from_logits(task, y, (y[:, None] - 50) / 10 + rng.normal(size=(rows, 1)) / strength, 50.0, 10.0)
    if IN_PARTS(task_of(task)):
        return several_rows.answers(rows, seed, strength)
    if task_of(task).by_order:
        y = rng.integers(0, 5, rows).astype(float)
        return from_logits(
            task, y, y[:, None] + 2 * rng.normal(size=(rows, 1)) / strength, groups=rng.integers(0, 40, rows)
        )
    if task_of(task).each_alone:
        y = (rng.random((rows, 4)) < 0.3).astype(np.int64)
        return from_logits(task, y, rng.normal(size=(rows, 4)) - 0.5 + strength * (2 * y - 1))
    if task_of(task).compact:
        y = rng.integers(-1, 150, rows)
        return in_short(task, y, rng.normal(size=(rows, 150)) + strength * np.eye(151)[y][:, :150])
    classes = 2 if task == "binary" else 4
    y = rng.integers(0, classes, rows)
    return from_logits(task, y, rng.normal(size=(rows, classes)) + strength * np.eye(classes)[y])


def in_short(task, y, z):
    """Answers to a catalogue of more items than are kept."""
    return from_logits(task, y, task_of(task).kept(torch.from_numpy(z)).numpy())


def one_hot_area(a):
    return np.mean([sk.roc_auc_score(a.y == c, a.p[:, c]) for c in np.unique(a.y)])


SKLEARN = {
    "accuracy": lambda a: sk.accuracy_score(a.y, a.predicted),
    "balanced_accuracy": lambda a: sk.balanced_accuracy_score(a.y, a.predicted),
    "precision": lambda a: sk.precision_score(a.y, a.predicted, average="binary" if a.task == "binary" else "macro"),
    "recall": lambda a: sk.recall_score(a.y, a.predicted, average="binary" if a.task == "binary" else "macro"),
    "f1": lambda a: sk.f1_score(a.y, a.predicted),
    "f1_macro": lambda a: sk.f1_score(a.y, a.predicted, average="macro"),
    "roc_auc": lambda a: (
        sk.roc_auc_score(a.y, a.p[:, 1]) if a.task == "binary" else sk.roc_auc_score(a.y, a.p, multi_class="ovr")
    ),
    "pr_auc": lambda a: sk.average_precision_score(a.y, a.p[:, 1] if a.task == "binary" else a.p),
    "log_loss": lambda a: sk.log_loss(a.y, a.p),
    "brier": lambda a: sk.brier_score_loss(a.y, a.p[:, 1] if a.task == "binary" else a.p),
    "rmse": lambda a: sk.root_mean_squared_error(a.y, a.values),
    "mae": lambda a: sk.mean_absolute_error(a.y, a.values),
    "r2": lambda a: sk.r2_score(a.y, a.values),
}
SKLEARN |= {e.name: e.facts["reference"] for e in METRICS.entries() if "reference" in e.facts}  # of its own file
FITTING = [(e, t) for e in METRICS.entries() for t in TASKS.names() if t in e.tasks]
IDS = [f"{e.name}-{t}" for e, t in FITTING]


def test_every_metric_has_a_reference():
    assert set(METRICS.names()) == {*SKLEARN, "ece"}


@pytest.mark.parametrize(("entry", "task"), FITTING, ids=IDS)
class TestEveryMetric:
    def test_equals_the_reference(self, entry, task):
        if entry.name == "ece":
            pytest.skip("compared with a plain loop in tests/evaluate/test_calibration.py")
        a = answers(task)
        assert entry.make(a) == pytest.approx(SKLEARN[entry.name](a), abs=1e-12)

    def test_facts_are_complete_and_sane(self, entry, task):
        assert entry.facts["better"] in ("higher", "lower")
        assert 0 < entry.facts["margin"] < 0.1
        assert isinstance(entry.facts["relative"], bool)
        assert entry.facts["unit"]
        assert entry.title

    def test_better_answers_score_better(self, entry, task):
        weak, strong = entry.make(answers(task, strength=0.5)), entry.make(answers(task, strength=4.0))
        if entry.name == "ece":
            assert weak != strong
        elif entry.facts["better"] == "higher":
            assert strong > weak
        else:
            assert strong < weak

    def test_row_order_does_not_matter(self, entry, task):
        a, order = answers(task), np.random.default_rng(3).permutation(ROWS)
        if a.parts:
            assert entry.make(several_rows.answers(ROWS, order=order)) == pytest.approx(entry.make(a))
            return
        p, values, groups, kept = (None if v is None else v[order] for v in (a.p, a.values, a.groups, a.kept))
        assert entry.make(type(a)(task, a.y[order], p, values, groups=groups, kept=kept)) == pytest.approx(
            entry.make(a)
        )

    def test_one_class_or_one_value_gives_a_number_or_none_never_nan(self, entry, task):
        a = answers(task)
        for label in (0, 1):
            flat = type(a)(task, np.full_like(a.y, label), a.p, a.values, kept=a.kept)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = entry.make(flat)
            assert found is None or (isinstance(found, float) and math.isfinite(found))


def test_undefined_is_none():
    a = answers("binary")
    none_positive = type(a)("binary", np.zeros(ROWS, dtype=np.int64), a.p)
    for name in ("roc_auc", "pr_auc", "recall"):
        assert METRICS.get(name).make(none_positive) is None
    all_negative = np.tile([0.9, 0.1], (ROWS, 1))
    assert METRICS.get("precision").make(type(a)("binary", a.y, all_negative)) == 0.0
    assert METRICS.get("precision").make(type(a)("binary", np.zeros(ROWS, dtype=np.int64), all_negative)) is None
    assert METRICS.get("f1").make(type(a)("binary", np.zeros(ROWS, dtype=np.int64), all_negative)) is None
    constant = answers("regression")
    assert METRICS.get("r2").make(type(a)("regression", np.ones(ROWS), values=constant.values)) is None


def test_a_class_that_does_not_occur_is_left_out_of_the_mean():
    a = answers("multiclass")
    rows = a.y != 3
    without = type(a)("multiclass", a.y[rows], a.p[rows])
    assert METRICS.get("roc_auc").make(without) == pytest.approx(one_hot_area(without))


def test_ties_in_the_score_count_half():
    y, p = np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)
    a = type(answers("binary"))("binary", y, p)
    assert METRICS.get("roc_auc").make(a) == 0.5


@pytest.mark.parametrize("task", TASKS.names())
def test_measure_covers_the_task_and_its_primary_metric(task):
    found = measure(answers(task))
    assert task_of(task).primary in found
    assert set(found) == {e.name for e in METRICS.entries() if task in e.tasks}
    assert set(measure(answers(task, rows=0)).values()) == {None}
