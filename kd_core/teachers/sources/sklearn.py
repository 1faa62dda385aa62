"""A short list of classic scikit-learn models as teachers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, SVR

from kd_core.data.dataset import Array
from kd_core.data.input_spec import TABLE
from kd_core.errors import SpecError
from kd_core.specs import Spec, unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.each_target import each_target
from kd_core.teachers.estimator import FittedEstimator, check_classes, stop_if_asked
from kd_core.teachers.fitting import from_fit
from kd_core.teachers.forest import grow, leaf_rows

ModelName = Literal["linear", "extra_trees", "nearest", "naive_bayes", "svm"]


TERMS_STRENGTH = (
    10.0  # rows of weighted terms have length 1: C = 1 underfits (banking77: .857, C = 10: .889; docs/LAB.md)
)


class SklearnSpec(Spec):
    """Which model, and the one setting that matters most for it."""

    later = ("view",)

    model: ModelName = Field(
        "linear",
        description="linear: logistic or ridge regression; extra_trees: randomised trees; nearest: k nearest rows; "
        "naive_bayes: Gaussian naive Bayes (classes only); svm: support vectors with a Gaussian kernel.",
    )
    view: Literal["table", "tfidf"] = Field(
        "table",
        description="How rows are read: table, all columns as numbers; tfidf, the words of text columns (linear only).",
        json_schema_extra=unit("name"),
    )
    strength: float = Field(
        1.0,
        gt=0,
        le=1e6,
        description="linear and svm: how closely the training rows are followed (C, one over the regularisation; "
        "ten times as much for classes of weighted terms).",
        json_schema_extra=unit("weight", log=True, advanced=True),
    )
    neighbours: int = Field(
        25, ge=1, le=1000, description="nearest: rows that vote.", json_schema_extra=unit("rows", advanced=True)
    )
    trees: int = Field(
        200, ge=1, le=2000, description="extra_trees: trees.", json_schema_extra=unit("trees", advanced=True)
    )


@dataclass(frozen=True)
class _Kind:
    """How to make one model, what it learned, and how many rows it can take."""

    make: Callable[[SklearnSpec, FitData, int], Any]
    learned: Callable[[Any, FitData], list[Array]]
    most_rows: int | None = None
    why: str = ""


def _linear(spec: SklearnSpec, data: FitData, seed: int) -> Any:
    if data.is_number:
        return Ridge(alpha=1 / spec.strength)
    strength = spec.strength * (TERMS_STRENGTH if data.inputs.sparse else 1.0)
    return LogisticRegression(C=strength, max_iter=2000, random_state=seed % 2**32)


def _nearest(spec: SklearnSpec, data: FitData, seed: int) -> Any:
    kind = KNeighborsRegressor if data.is_number else KNeighborsClassifier
    return kind(n_neighbors=min(spec.neighbours, len(data.y)))


def _svm(spec: SklearnSpec, data: FitData, seed: int) -> Any:
    if data.is_number:
        return SVR(C=spec.strength)
    # Every class needs a row in each calibration fold; probabilities come from a sigmoid on held-out decisions.
    parts = int(min(3, np.bincount(data.y)[np.unique(data.y)].min()))
    if parts < 2:
        raise SpecError(
            "The support vector teacher needs 2 rows of each class to turn distances into probabilities, "
            "the rarest class has 1 of {rows} rows.",
            "Choose another teacher, or use fewer folds.",
            "too_few_rows",
            rows=len(data.y),
        )
    return CalibratedClassifierCV(SVC(C=spec.strength, random_state=seed % 2**32), cv=parts, ensemble=False)


def _svm_learned(estimator: Any, data: FitData) -> list[Array]:
    machine = estimator if data.is_number else estimator.calibrated_classifiers_[0].estimator
    return [machine.support_vectors_, machine.dual_coef_, machine.intercept_]


_KINDS: dict[str, _Kind] = {
    "linear": _Kind(_linear, lambda e, d: [np.asarray(e.coef_), np.asarray(e.intercept_)]),
    "nearest": _Kind(_nearest, lambda e, d: [d.x, d.y], 50_000, "every answer compares a row with all of them"),
    "naive_bayes": _Kind(lambda s, d, seed: GaussianNB(), lambda e, d: [e.theta_, e.var_, e.class_prior_]),
    "svm": _Kind(_svm, _svm_learned, 10_000, "its training time grows with the square of the rows"),
}


@SOURCES.register(
    "sklearn",
    title="scikit-learn model",
    spec=SklearnSpec,
    source="scikit-learn",
    takes=(TABLE, "tfidf"),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="classic",
)
@from_fit
@each_target
def fit(spec: SklearnSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Fit the chosen model on the training rows; validation rows are not used.

    Errors: Stopped, DataError, SpecError with code `view_not_possible`, `too_many_rows`, `too_few_rows` or `task_not_possible`.
    """
    stop_if_asked(should_stop)
    check_classes(data)
    if data.inputs.sparse and spec.model != "linear":
        raise SpecError(
            "The model '{model}' can't be taught by weighted terms: they are too many columns for it.",
            "Choose the linear model, or let it read the table.",
            "view_not_possible",
            model=spec.model,
        )
    if spec.model == "extra_trees":
        forest = ExtraTreesRegressor if data.is_number else ExtraTreesClassifier
        rows = leaf_rows(None, len(data.y))
        return grow(
            forest(min_samples_leaf=rows, warm_start=True, random_state=seed % 2**32), spec.trees, data, should_stop
        )
    if spec.model == "naive_bayes" and data.is_number:
        raise SpecError(
            "Naive Bayes names classes and can't predict a number.",
            "Choose another model for this teacher.",
            "task_not_possible",
        )
    kind = _KINDS[spec.model]
    if kind.most_rows is not None and len(data.y) > kind.most_rows:
        raise SpecError(
            "The model '{model}' takes at most {most:,} training rows, this dataset has {rows:,}: {why}.",
            "Choose gradient boosting, or the linear model.",
            "too_many_rows",
            model=spec.model,
            most=kind.most_rows,
            rows=len(data.y),
            why=kind.why,
        )
    estimator = kind.make(spec, data, seed)
    estimator.fit(data.x, data.y)
    learned = kind.learned(estimator, data)
    return FittedEstimator(
        estimator,
        data.task,
        data.num_outputs,
        sum(a.size for a in learned),
        sum(a.nbytes for a in learned),
        {"model": spec.model},
    )
