"""Searches: in which order should ten products stand under a query? (ranking)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.specs import Choice, TrainingSpec

SHOWN = 10  # products under a query
_THINGS = ["shoes", "jacket", "phone", "lamp", "tent", "kettle", "backpack", "watch"]
_WISHES = ["", "cheap", "best", "new", "gift", "light"]
_COLOURS = ["black", "white", "red", "blue", "green"]
_KINDS = ["basic", "pro", "mini", "classic", "sport"]
_NEAR = {"shoes": "backpack", "jacket": "backpack", "phone": "watch", "lamp": "kettle", "tent": "backpack"}


@SCENARIOS.register(
    "search",
    title="Searches to order",
    sample="searches",
    target="grade",
    task="ranking",
    rows=12_000,
    story="In which order ten products should stand under what a customer typed; judged by how well the first five fit.",
    teacher=Choice(name="lightgbm"),
    objective=Choice(name="listwise_kd"),
    students=("tiny", "small"),
    training=TrainingSpec(seeds=3),  # as many as the intervals ask for take more than two minutes
    dataset={"group": "search", "kinds": {"query": "text", "title": "text"}},
    tags=("search ranking", "text"),
)
def make_searches(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make queries whose words say what counts: the price for who types cheap, opinions for who types best, the weight for who types light."""
    searches = -(-rows // SHOWN)
    at = np.repeat(np.arange(searches), SHOWN)[:rows]
    thing = rng.choice(_THINGS, searches)
    wish = rng.choice(_WISHES, searches, p=[0.2, 0.2, 0.18, 0.14, 0.14, 0.14])
    colour = np.where(rng.random(searches) < 0.45, rng.choice(_COLOURS, searches), "")
    typed = [" ".join(w for w in words if w) for words in zip(wish, colour, thing, strict=True)]
    drawn = rng.random(rows)
    near = np.array([_NEAR.get(name, "lamp") for name in thing])[at]
    shown = np.where(drawn < 0.68, thing[at], np.where(drawn < 0.84, near, rng.choice(_THINGS, rows)))
    tint = np.where(
        rng.random(rows) < 0.35, np.where(colour[at] == "", "black", colour[at]), rng.choice(_COLOURS, rows)
    )
    kind = rng.choice(_KINDS, rows)
    fits, fits_colour = shown == thing[at], (colour[at] == "") | (tint == colour[at])
    base = np.array([60, 90, 400, 35, 150, 40, 55, 180])[[_THINGS.index(name) for name in shown]]
    price = np.round(base * rng.lognormal(0, 0.45, rows) * np.where(kind == "pro", 1.4, 1.0), 2)
    rating = np.round(np.clip(rng.normal(3.9, 0.6, rows), 1, 5), 1)
    reviews = rng.negative_binomial(1, 0.02, rows)
    days = np.round(rng.exponential(300, rows)).astype(int)
    grams = np.round(rng.lognormal(6.4, 0.6, rows) * np.where(kind == "mini", 0.5, 1.0))
    stock = rng.random(rows) < 0.88
    clicks = np.round(np.clip(0.02 + 0.05 * fits * rng.gamma(2, 1, rows) + rng.normal(0, 0.02, rows), 0, 1), 3)
    match = np.round(
        (0.55 * fits + 0.2 * fits_colour + 0.1 * (shown == near) + rng.normal(0.1, 0.1, rows)).clip(0, 1), 2
    )
    cheap, trusted = np.log(base / price), (rating - 3.9) * np.log1p(reviews) / 3
    of = wish[at]
    worth = 0.25 * cheap + 0.35 * trusted
    worth = np.where(of == "cheap", 1.9 * cheap + 0.15 * trusted, worth)
    worth = np.where(of == "best", 1.15 * trusted - 0.25 * cheap + 0.5 * (kind == "pro"), worth)
    worth = np.where(of == "new", 1.5 * np.exp(-days / 120) - 0.5 + 0.15 * trusted, worth)
    worth = np.where(of == "gift", 0.9 * trusted + 1.1 * ((price > 25) & (price < 90)) - 0.4, worth)
    worth = np.where(of == "light", 1.1 * (6.4 - np.log(grams)) + 0.7 * (kind == "mini"), worth)
    fit = 1.5 * fits + 0.35 * (shown == near) + 0.8 * fits_colour * fits
    good = np.where(stock, 1.0, 0.35) * (fit + np.where(fits, 1.0, 0.3) * worth) + rng.normal(0, 0.45, rows)
    grade = np.digitize(good, [0.9, 1.9, 2.8, 3.6])
    return pd.DataFrame(
        {
            "search": np.char.add("s", (at + 1).astype(str)),
            "query": np.array(typed)[at],
            "title": [" ".join(words) for words in zip(tint, kind, shown, strict=True)],
            "text_match": match,
            "click_rate": clicks,
            "price": price,
            "rating": rating,
            "reviews": reviews,
            "days_listed": days,
            "grams": grams.astype(int),
            "in_stock": np.where(stock, "yes", "no"),
            "grade": grade,
        }
    )
