"""Gradient boosting by XGBoost: trees on histograms, grown leaf by leaf."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import Field

from kd_core.data.dataset import Array
from kd_core.data.input_spec import COLUMNS, TABLE
from kd_core.errors import KDError
from kd_core.specs import unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.boosted_spec import BoostingSpec
from kd_core.teachers.each_target import each_target
from kd_core.teachers.estimator import FittedEstimator, check_classes, known_validation, stop_if_asked
from kd_core.teachers.fitting import from_fit

_SPLIT_BYTES, _LEAF_BYTES = 4 + 4 + 4 + 4 + 1, 4  # column, threshold, two children, where missing values go; value
_SEEDS = 2**31
_HINT = "Install it with 'pip install -r requirements.txt' (there is a build for Linux on x86-64), or choose another teacher."


class XGBoostSpec(BoostingSpec):
    """Settings of the boosted trees; XGBoost knows no rows per leaf."""

    leaf_weight: float = Field(
        1.0,
        ge=0,
        le=100_000,
        description="Weight of the rows of a leaf at least: a row weighs 1 for numbers, p (1 - p) for classes, so at most a quarter, "
        "less the surer the trees are of it.",
        json_schema_extra=unit("weight", advanced=True),
    )


def lacks() -> str | None:
    """Say what is not installed, or None."""
    found = importlib.util.find_spec("xgboost")
    return (
        None if found else "needs the package xgboost-cpu, which is not installed here: it is made for Linux on x86-64"
    )


def load() -> ModuleType:
    """Import XGBoost. Errors: KDError `no_xgboost` where it can't be imported."""
    try:
        import xgboost
    except (ImportError, OSError) as error:  # OSError, XGBoostError is not at hand: its library can't be loaded
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise KDError("XGBoost can't be loaded ({why}).", _HINT, "no_xgboost", why=why) from error
    return xgboost


@dataclass(frozen=True)
class _Booster:
    """A booster asked as scikit-learn's estimators are."""

    booster: Any
    classes_: Array
    rounds: int

    def predict(self, x: Array) -> Array:
        return np.asarray(self.booster.inplace_predict(x, iteration_range=(0, self.rounds)))

    def predict_proba(self, x: Array) -> Array:
        p = self.predict(x).astype(np.float64)
        return np.stack([1 - p, p], axis=1) if p.ndim == 1 else p


def seconds(spec: XGBoostSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit: trees times the seconds of one. Rounds until the loss stops falling grow with the rows."""
    falling: float = 9 * rows**0.36 * (2 / max(2, outputs)) ** 0.5 * 0.05 / spec.learning_rate
    trees = min(spec.rounds, falling) * (outputs if outputs > 2 else 1)
    return trees * (1.5e-3 + 9e-5 * features + 3.5e-9 * rows * features)


@SOURCES.register(
    "xgboost",
    title="XGBoost",
    spec=XGBoostSpec,
    source="Chen and Guestrin 2016, XGBoost: A Scalable Tree Boosting System",
    takes=(TABLE, COLUMNS),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="trees",
    lacks=lacks,
    seconds=seconds,
)
@from_fit
@each_target
def fit(spec: XGBoostSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Boost trees until the validation loss stops falling. Errors: Stopped, DataError, KDError `no_xgboost`."""
    stop_if_asked(should_stop)
    check_classes(data)
    xgboost = load()
    x_validation, y_validation = known_validation(data)
    classes, y = (np.empty(0), data.y) if data.is_number else np.unique(data.y, return_inverse=True)
    several = len(classes) > 2
    objective = "reg:squarederror" if data.is_number else "multi:softprob" if several else "binary:logistic"
    settings = {
        "objective": objective,
        "eval_metric": "rmse" if data.is_number else "mlogloss" if several else "logloss",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_depth": 0,
        "max_leaves": spec.leaves,
        "learning_rate": spec.learning_rate,
        "min_child_weight": spec.leaf_weight,
        "reg_lambda": spec.l2,
        "colsample_bynode": spec.feature_share,
        "seed": seed % _SEEDS,
        "nthread": 1,  # as for LightGBM: two threads wait for each other at every split
        "verbosity": 0,
        **({"num_class": len(classes)} if several else {}),
    }

    class Asking(xgboost.callback.TrainingCallback):  # type: ignore[misc, name-defined]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            stop_if_asked(should_stop)
            return False

    train = xgboost.QuantileDMatrix(data.x, y, nthread=1)
    known = y_validation if data.is_number else np.searchsorted(classes, y_validation)
    validation = xgboost.QuantileDMatrix(x_validation, known, ref=train, nthread=1)
    stopping = xgboost.callback.EarlyStopping(rounds=spec.patience)
    booster = xgboost.train(
        settings,
        train,
        spec.rounds,
        evals=[(validation, "validation")],
        callbacks=[Asking(), stopping],
        verbose_eval=False,
    )
    rounds = booster.best_iteration + 1
    grown = booster[:rounds].trees_to_dataframe()
    leaves = int((grown["Feature"] == "Leaf").sum())
    splits = len(grown) - leaves
    facts = {
        "rounds": rounds,
        "trees": int(grown["Tree"].nunique()),
        "validation_loss": float(booster.best_score) ** (2 if data.is_number else 1),
    }
    return FittedEstimator(
        _Booster(booster, classes, rounds),
        data.task,
        data.num_outputs,
        splits + leaves,
        splits * _SPLIT_BYTES + leaves * _LEAF_BYTES,
        facts,
    )
