"""Chinese product reviews: is the customer pleased? (texts, binary)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.scenarios.phrases import one, slips, words
from kd_core.specs import Choice


@SCENARIOS.register(
    "reviews_chinese",
    title="Chinese reviews to sentiment",
    sample="reviews_chinese",
    target="pleased",
    task="binary",
    positive="yes",
    rows=4_000,
    story="商品评论情感: whether a customer is pleased, from what the review says of quality, price, delivery and service.",
    teacher=Choice(name="sklearn", settings={"view": "tfidf"}),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.8}),
    students=("bag:tiny", "bag:small"),
    tags=("customer service", "reviews", "Chinese text"),
)
def make_reviews(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make reviews that praise some things and blame others; the mood behind them decides, so some stay open."""
    told = words("reviews_chinese")
    matters, found = list(told["pleases"]), []
    for _ in range(rows):
        mood = rng.normal(0.3, 1.3)
        said = rng.permutation(matters)[: int(rng.integers(2, 5))]
        parts = [one(rng, told["pleases" if mood + rng.normal(0, 0.9) > 0 else "displeases"][m]) for m in said]
        text = told["joint"].join(p for p in (one(rng, told["fillers"]), *parts) if p)
        found.append((slips(rng, text), "yes" if mood > 0 else "no"))
    return pd.DataFrame(found, columns=["review", "pleased"])
