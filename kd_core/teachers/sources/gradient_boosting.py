"""Gradient boosting on histograms: the strongest quick teacher on most tables."""

from __future__ import annotations

from typing import Any

from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss, HalfSquaredError
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from kd_core.data.input_spec import TABLE
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.boosted_spec import BoostedSpec
from kd_core.teachers.each_target import each_target
from kd_core.teachers.estimator import FittedEstimator, check_classes, known_validation, stop_if_asked
from kd_core.teachers.fitting import from_fit


def _interruptible(loss: type[Any], should_stop: ShouldStop, **settings: Any) -> Any:
    """Make a loss that looks at the stop request before every round: scikit-learn offers no callback here."""

    class Interruptible(loss):  # type: ignore[misc]
        def gradient(self, *args: Any, **kwargs: Any) -> Any:
            stop_if_asked(should_stop)
            return super().gradient(*args, **kwargs)

        def gradient_hessian(self, *args: Any, **kwargs: Any) -> Any:
            stop_if_asked(should_stop)
            return super().gradient_hessian(*args, **kwargs)

    return Interruptible(**settings)


def seconds(spec: BoostedSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit: trees times the seconds of one. Rounds until the loss stops falling grow with the rows."""
    falling: float = 9 * rows**0.36 * (2 / max(2, outputs)) ** 0.5 * 0.05 / spec.learning_rate
    trees = min(spec.rounds, falling) * (outputs if outputs > 2 else 1)
    return trees * (1.5e-3 + 3.3e-5 * features + 6.6e-9 * rows * features)


@SOURCES.register(
    "gradient_boosting",
    title="Gradient boosting",
    spec=BoostedSpec,
    source="scikit-learn HistGradientBoosting",
    takes=(TABLE,),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="trees",
    seconds=seconds,
)
@from_fit
@each_target
def fit(spec: BoostedSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Boost trees until the validation loss stops falling. Errors: Stopped, DataError."""
    stop_if_asked(should_stop)
    check_classes(data)
    x_validation, y_validation = known_validation(data)
    classes = 0 if data.is_number else len(set(data.y.tolist()))
    if data.is_number:
        loss, kind = _interruptible(HalfSquaredError, should_stop), HistGradientBoostingRegressor
    elif classes == 2:
        loss, kind = _interruptible(HalfBinomialLoss, should_stop), HistGradientBoostingClassifier
    else:
        loss = _interruptible(HalfMultinomialLoss, should_stop, n_classes=classes)
        kind = HistGradientBoostingClassifier
    estimator = kind(
        loss=loss,
        learning_rate=spec.learning_rate,
        max_iter=spec.rounds,
        max_leaf_nodes=spec.leaves,
        min_samples_leaf=spec.leaf_rows,
        l2_regularization=spec.l2,
        max_features=spec.feature_share,
        early_stopping=True,
        n_iter_no_change=spec.patience,
        random_state=seed % 2**32,
    )
    # Two threads wait for each other at every tree: up to 50 times slower on a busy machine.
    with threadpool_limits(1, user_api="openmp"):
        estimator.fit(data.x, data.y, X_val=x_validation, y_val=y_validation)
    nodes = [tree.nodes for stage in estimator._predictors for tree in stage]
    leaves = sum(int(n["is_leaf"].sum()) for n in nodes)
    splits = sum(len(n) for n in nodes) - leaves
    facts = {
        "rounds": int(estimator.n_iter_),
        "trees": len(nodes),
        "validation_loss": -float(estimator.validation_score_[-1]),
    }
    return FittedEstimator(estimator, data.task, data.num_outputs, splits + leaves, sum(n.nbytes for n in nodes), facts)
