"""Offers of kitchen ware: which shelf, by photo, title and figures together? (text, table and pictures, multiclass)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.data.pictures.column import column_of
from kd_core.scenarios.base import SCENARIOS
from kd_core.scenarios.drawn import photo
from kd_core.scenarios.phrases import one, slips, words
from kd_core.specs import Choice, TrainingSpec

_SHAPES = ("bowl", "mug", "bottle")
_WRONG = 0.03  # filed on any shelf, as people do


@SCENARIOS.register(
    "product_category",
    title="Offers to shelf",
    sample="product_category",
    target="shelf",
    task="multiclass",
    rows=2_000,
    story="Which of twelve shelves an offer belongs on: the photo shows the form, the title says who it is for, the figures how fine it is.",
    teacher=Choice(name="fusion", settings={"size": "base", "epochs": 12, "learning_rate": 0.002, "patience": 12}),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.9}),
    students=("fusion:tiny",),
    tags=("product pictures", "text", "table", "pictures"),
    folds=2,
    training=TrainingSpec(epochs=20, seeds=3, learning_rate=0.005),
)
def make_offers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make offers of three forms for two sorts of people in two grades; each of photo, title and figures tells one of the three."""
    told = words("product_category")
    found, pixels = [], []
    for _ in range(rows):
        form, people, fine = one(rng, _SHAPES), one(rng, list(told["people"])), bool(rng.random() < 0.5)
        pixels.append(photo(rng, form))
        parts = [
            one(rng, told["openings"]),
            one(rng, told["things"]),
            one(rng, told["people"][people]),
            one(rng, told["endings"]),
        ]
        if rng.random() < 0.4:
            parts.insert(2, one(rng, told["asides"]))
        weight = rng.lognormal(5.9 + 0.25 * fine, 0.35)
        price = rng.lognormal(1.3 + 0.75 * fine + 0.6 * np.log(weight / 350), 0.3)
        grade = "fine" if fine else "plain"
        found.append(
            {
                "title": slips(rng, " ".join(part for part in parts if part)),
                "price": round(price, 2),
                "weight_g": round(weight),
                "pieces": int(rng.choice([1, 2, 4, 6])),
                "stars": round(float(np.clip(rng.normal(4.0 + 0.25 * fine, 0.5), 1, 5)), 1),
                "returns_share": round(float(rng.beta(2, 18 + 12 * fine)), 3),
                "material": str(rng.choice(told["materials"], p=told["fine_shares" if fine else "plain_shares"])),
                "shelf": f"{people} {form}s, {grade}",
            }
        )
    frame = pd.DataFrame(found)
    shelves = frame["shelf"].unique()
    frame["shelf"] = np.where(rng.random(rows) < _WRONG, rng.choice(np.sort(shelves), rows), frame["shelf"])
    frame.insert(0, "photo", column_of(np.stack(pixels)))
    return frame
