"""Gradient boosting by LightGBM: trees that grow leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.data.input_spec import COLUMNS, TABLE
from kd_core.models import boosting
from kd_core.task import task_of
from kd_core.tasks.gains import gains
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.boosted_spec import BoostedSpec
from kd_core.teachers.each_target import each_target
from kd_core.teachers.estimator import FittedEstimator, check_classes, known_validation, stop_if_asked
from kd_core.teachers.fitting import from_fit

JUMPS = 5
_SPLIT_BYTES, _LEAF_BYTES = 4 + 8 + 4 + 4 + 1, 8  # column, threshold, two children, kind; value


@dataclass(frozen=True)
class _Booster:
    """A booster asked as scikit-learn's estimators are."""

    booster: Any
    classes_: Array

    def predict(self, x: Array) -> Array:
        return np.asarray(self.booster.predict(x, num_threads=1))

    def predict_proba(self, x: Array) -> Array:
        p = self.predict(x)
        return np.stack([1 - p, p], axis=1) if p.ndim == 1 else p


def seconds(spec: BoostedSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit: trees times the seconds of one. Rounds until the loss stops falling grow with the rows."""
    falling: float = 9 * rows**0.36 * (2 / max(2, outputs)) ** 0.5 * 0.05 / spec.learning_rate
    trees = min(spec.rounds, falling) * (outputs if outputs > 2 else 1)
    return trees * (1.0e-3 + 3e-9 * rows * features)


@SOURCES.register(
    "lightgbm",
    title="LightGBM",
    spec=BoostedSpec,
    source="Ke et al. 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
    takes=(TABLE, COLUMNS),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="trees",
    seconds=seconds,
)
@from_fit
@each_target
def fit(spec: BoostedSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Boost trees until the validation loss stops falling. Errors: Stopped, DataError, KDError `no_lightgbm`."""
    stop_if_asked(should_stop)
    check_classes(data)
    lightgbm = boosting.load()
    x_validation, y_validation = known_validation(data)
    classes, y = (np.empty(0), data.y) if data.is_number else np.unique(data.y, return_inverse=True)
    objective = "l2" if data.is_number else "cross_entropy" if len(classes) == 2 else "softmax"
    if task_of(data.task).by_order:
        return _fit_ranker(spec, data, seed, should_stop)
    settings = {
        **_settings(spec, seed),
        "objective": objective,
        **({"num_class": len(classes)} if len(classes) > 2 else {}),
    }
    train = lightgbm.Dataset(data.x, y, params=settings)
    known = y_validation if data.is_number else np.searchsorted(classes, y_validation)
    validation = train.create_valid(x_validation, known)
    return _grown(lightgbm, settings, spec, train, validation, data, classes, should_stop, spec.patience)


def _settings(spec: BoostedSpec, seed: int) -> dict[str, Any]:
    return {
        **boosting.REPEATABLE,
        "learning_rate": spec.learning_rate,
        "num_leaves": spec.leaves,
        "min_data_in_leaf": spec.leaf_rows,
        "lambda_l2": spec.l2,
        "feature_fraction_bynode": spec.feature_share,
        "seed": seed % boosting.SEEDS,
    }


def _fit_ranker(spec: BoostedSpec, data: FitData, seed: int, should_stop: ShouldStop) -> FittedTeacher:
    """Boost trees by LambdaRank until NDCG@5 of the validation queries no longer rises. Source: Burges 2010, MSR-TR-2010-82.

    NDCG of a few dozen queries jumps from round to round, so that the patience counts `JUMPS` times: on 30 validation queries of a set of
    200, 20 rounds stopped after 5 to 36 trees at a test NDCG@5 of .653, 100 rounds later at .679.

    LightGBM counts grades from 0 and wants the rows of a query side by side; what a grade is worth is handed over, so that it may be any number.
    """
    lightgbm = boosting.load()
    grades = np.unique(np.concatenate([data.y, data.y_validation]))
    settings = {
        **_settings(spec, seed),
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [5],
        "label_gain": gains(grades.astype(np.float64)).tolist(),
    }

    def of(x: Array, y: Array, groups: Array | None, **more: Any) -> Any:
        assert groups is not None
        order = np.argsort(groups, kind="stable")
        sizes = np.unique(groups, return_counts=True)[1]
        return lightgbm.Dataset(x[order], np.searchsorted(grades, y[order]), group=sizes, params=settings, **more)

    train = of(data.x, data.y, data.groups)
    validation = of(data.x_validation, data.y_validation, data.groups_validation, reference=train)
    return _grown(lightgbm, settings, spec, train, validation, data, np.empty(0), should_stop, JUMPS * spec.patience)


def _grown(
    lightgbm: Any,
    settings: dict[str, Any],
    spec: BoostedSpec,
    train: Any,
    validation: Any,
    data: FitData,
    classes: Array,
    should_stop: ShouldStop,
    patience: int,
) -> FittedTeacher:
    """Grow trees until the validation rows are answered no better."""
    callbacks = [lambda state: stop_if_asked(should_stop), lightgbm.early_stopping(patience, verbose=False)]
    booster = lightgbm.train(settings, train, spec.rounds, [validation], ["validation"], callbacks=callbacks)
    rounds = booster.best_iteration
    trees = boosting.read_trees(booster, rounds)
    splits, leaves = sum(len(tree.feature) for tree in trees), sum(len(tree.value) for tree in trees)
    (loss,) = booster.best_score["validation"].values()
    told = "validation_ndcg_5" if task_of(data.task).by_order else "validation_loss"
    facts = {"rounds": rounds, "trees": len(trees), told: float(loss)}
    return FittedEstimator(
        _Booster(booster, classes),
        data.task,
        data.num_outputs,
        splits + leaves,
        splits * _SPLIT_BYTES + leaves * _LEAF_BYTES,
        facts,
    )
