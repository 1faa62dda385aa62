"""A random forest: trees on resampled rows, averaged."""

from __future__ import annotations

import math

from pydantic import Field
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from kd_core.data.input_spec import TABLE
from kd_core.specs import Spec, unit
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.each_target import each_target
from kd_core.teachers.estimator import THREADS
from kd_core.teachers.fitting import from_fit
from kd_core.teachers.forest import grow, leaf_rows


class RandomForestSpec(Spec):
    """Settings of the forest."""

    trees: int = Field(200, ge=1, le=2000, description="Trees in the forest.", json_schema_extra=unit("trees"))
    leaf_rows: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Rows per leaf at least; 5 when empty, more on tables above 25,000 rows (about 5,000 leaves a tree).",
        json_schema_extra=unit("rows", advanced=True),
    )


def seconds(spec: RandomForestSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit: trees on resampled rows, grown side by side."""
    return spec.trees * 7e-8 * rows * math.log2(max(2, rows)) * math.sqrt(features) / THREADS


@SOURCES.register(
    "random_forest",
    title="Random forest",
    spec=RandomForestSpec,
    source="scikit-learn RandomForest",
    takes=(TABLE,),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="trees",
    seconds=seconds,
)
@from_fit
@each_target
def fit(spec: RandomForestSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Grow a forest on the training rows; validation rows are not used. Errors: Stopped, DataError."""
    rows = leaf_rows(spec.leaf_rows, len(data.y))
    kind, features = (RandomForestRegressor, 1 / 3) if data.is_number else (RandomForestClassifier, "sqrt")
    forest = kind(min_samples_leaf=rows, max_features=features, warm_start=True, random_state=seed % 2**32)
    return grow(forest, spec.trees, data, should_stop)
