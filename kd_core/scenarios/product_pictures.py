"""Photos of kitchen ware: which of six sorts of vessel is it? (pictures, multiclass)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.data.pictures.column import column_of
from kd_core.scenarios.base import SCENARIOS
from kd_core.scenarios.drawn import VESSELS, photo
from kd_core.specs import Choice, TrainingSpec

_WRONG = 0.03  # filed under any sort, as people do


@SCENARIOS.register(
    "product_pictures",
    title="Product pictures to sort",
    sample="product_pictures",
    target="sort",
    task="multiclass",
    rows=2_000,
    story="Which of six sorts of kitchen ware a photo shows, so that a seller's upload lands on the right shelf.",
    teacher=Choice(name="cnn", settings={"size": "base", "epochs": 20, "patience": 20, "moved": 2}),
    objective=Choice(name="hinton", settings={"temperature": 3.0, "alpha": 0.9}),
    students=("cnn:tiny",),
    tags=("product pictures", "pictures"),
    folds=2,
    training=TrainingSpec(epochs=20, seeds=3),
)
def make_pictures(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make photos of vessels whose outlines overlap, before walls, among other things, some badly lit."""
    names = np.array(list(VESSELS))
    shown = rng.choice(names, rows)
    pixels = np.stack([photo(rng, sort) for sort in shown])
    filed = np.where(rng.random(rows) < _WRONG, rng.choice(names, rows), shown)
    return pd.DataFrame({"photo": column_of(pixels), "sort": filed.astype(object)})
