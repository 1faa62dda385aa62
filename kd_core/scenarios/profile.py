"""Customers: segment, churn and spending at once (several tasks)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS, sigmoid
from kd_core.specs import Choice, TrainingSpec

_SEGMENTS = ["bargain hunter", "family", "fashion fan", "tech fan"]


@SCENARIOS.register(
    "profile",
    title="Customers to profile",
    sample="profiles",
    target="segment",
    task="multitask",
    rows=10_000,
    story="Who a customer is: the segment, whether the account falls asleep, and what next month brings. One model answers all three.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="by_task"),
    students=("tiny", "small"),
    training=TrainingSpec(seeds=3),  # as many as the intervals ask for take more than two minutes
    dataset={"more_targets": ("churns", "spend_next_month")},
    tags=("user profile", "behaviour"),
)
def make_customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make customers of a hidden kind that shows in what they look at, how they pay and when; kind, sleep and spending hang together."""
    kind = rng.choice(4, rows, p=[0.3, 0.28, 0.24, 0.18])
    hunts, family, fashion, tech = (kind == k for k in range(4))
    months = np.round(rng.exponential(22, rows), 1)
    orders = rng.poisson(1.2 + 2.2 * family + 1.4 * fashion + 0.6 * hunts)
    basket = np.round(rng.lognormal(3.2 + 0.25 * family + 0.15 * fashion + 0.75 * tech - 0.2 * hunts, 0.5), 2)
    discount = np.round(rng.beta(1.6 + 3.2 * hunts, 4.2 - 0.8 * fashion), 2)
    evening = np.round(rng.beta(2.5 + 1.6 * family, 2.8 + 1.2 * hunts), 2)
    returns = rng.binomial(orders + 1, 0.06 + 0.24 * fashion)
    looked = rng.multivariate_normal(np.zeros(4), 0.5 * np.eye(4) + 0.5, rows)
    toys, clothes, devices, sales = np.exp(looked + 1.15 * np.stack([family, fashion, tech, hunts], 1)).T
    reviews = rng.poisson(0.3 + 1.2 * tech)
    wishes = rng.poisson(1.0 + 2.5 * fashion + 1.0 * hunts)
    silent = np.round(rng.exponential(10 + 6 * hunts)).astype(int)
    tickets = rng.poisson(0.25 + 0.25 * (returns >= 2))
    app = rng.random(rows) < 0.35 + 0.25 * fashion + 0.1 * tech
    paid = rng.choice(["card", "invoice", "wallet"], rows, p=[0.5, 0.28, 0.22])
    loyal = np.log1p(months) / 3 + 0.35 * np.minimum(orders, 5)
    z = -1.1 + 0.055 * (silent - 12) * np.where(app, 0.6, 1.0) + 1.5 * (tickets >= 1) * (returns >= 1) - 0.7 * loyal
    z += 1.3 * hunts * (discount < 0.25) + 0.9 * tech * (reviews == 0) + 0.8 * ((months < 3) & (orders <= 1))
    z -= 0.9 * fashion * (wishes >= 3)
    churns = rng.random(rows) < sigmoid(1.3 * z)
    season = 1 + 0.5 * family * (evening > 0.5) + 0.7 * fashion * (wishes >= 4) + 0.5 * tech * (devices > 4)
    spend = basket * (0.25 + 0.45 * orders) * season * np.where(churns, 0.12, 1.0) * np.exp(-silent / 60)
    spend = spend * np.where(hunts, 0.6 + 1.1 * discount, 1.0) * rng.gamma(12, 1 / 12, rows)
    frame = {
        "months_known": months,
        "orders": orders,
        "average_basket": basket,
        "discount_share": discount,
        "evening_share": evening,
        "returns": returns,
        "toys_viewed": np.round(toys, 1),
        "clothes_viewed": np.round(clothes, 1),
        "devices_viewed": np.round(devices, 1),
        "sales_viewed": np.round(sales, 1),
        "reviews_written": reviews,
        "wishes": wishes,
        "days_silent": silent,
        "complaints": tickets,
        "uses_app": np.where(app, "yes", "no"),
        "pays_by": paid,
        "segment": np.array(_SEGMENTS)[kind],
        "churns": np.where(churns, "yes", "no"),
        "spend_next_month": np.round(spend, 2),
    }
    return pd.DataFrame(frame)
