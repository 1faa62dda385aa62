"""Shop visits: will this visit end in a purchase? (binary)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS, sigmoid
from kd_core.specs import Choice


@SCENARIOS.register(
    "purchase",
    title="Visits to purchase",
    sample="visits",
    target="purchased",
    positive="yes",
    task="binary",
    rows=12_000,
    story="Which visits of an online shop end in a purchase, from what the visitor did so far.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.9}),
    students=("tiny", "small"),
    tags=("behaviour", "purchase", "user profile"),
)
def make_visits(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make visits whose purchase depends on thresholds and interactions, with a noisy outcome."""
    device = rng.choice(["phone", "desktop", "tablet"], rows, p=[0.58, 0.33, 0.09])
    source = rng.choice(
        ["search", "direct", "email", "social", "ads", "price portal"], rows, p=[0.34, 0.22, 0.1, 0.14, 0.12, 0.08]
    )
    returning = rng.random(rows) < 0.42
    hour_weight = np.repeat([0.2, 1.0, 1.3], [7, 10, 7])
    hour = rng.choice(24, rows, p=hour_weight / hour_weight.sum())
    pages = 1 + rng.negative_binomial(2, 0.16, rows)
    seconds = np.round(pages * rng.gamma(1.6, 26.0, rows), 1)
    searches = rng.poisson(0.35 * np.sqrt(pages))
    basket = np.where(rng.random(rows) < 0.12 + 0.5 * (pages > 9), np.round(rng.lognormal(3.5, 0.8, rows), 2), 0.0)
    days_since = np.where(returning, np.round(rng.exponential(21, rows)), np.nan)
    past_orders = np.where(returning, rng.poisson(1.4, rows), 0)
    coupon = rng.random(rows) < np.where(source == "email", 0.55, 0.12)
    shipping = rng.choice([0.0, 2.9, 4.9, 6.9], rows, p=[0.3, 0.2, 0.35, 0.15])
    category = rng.choice(["shoes", "phones", "books", "kitchen", "toys", "garden", "beauty"], rows)
    depth = seconds / pages
    z = -3.1 + 1.1 * np.tanh((pages - 8) / 6) + 1.9 * (basket > 0) - 0.9 * (basket > 90) * (shipping > 3)
    z += 1.3 * coupon * (basket > 25) - 1.2 * ((device == "phone") & (seconds > 500)) + 0.8 * (past_orders >= 2)
    z += 1.0 * np.exp(-((np.log1p(depth) - 3.6) ** 2) / 0.5) + 0.9 * ((source == "price portal") & (shipping == 0))
    z -= 1.1 * ((source == "social") & ~returning) + 0.35 * (searches >= 3) * np.where(returning, -1.0, 1.6)
    z += 0.7 * np.sin((hour - 5) / 24 * 2 * np.pi) * (device == "desktop") + 0.6 * (
        np.nan_to_num(days_since, nan=99) < 4
    )
    z += np.select([category == "books", category == "phones", category == "garden"], [0.5, -0.5, -0.2], 0.0)
    bought = rng.random(rows) < sigmoid(1.15 * z)
    return pd.DataFrame(
        {
            "pages_viewed": pages,
            "seconds_on_site": seconds,
            "searches": searches,
            "basket_value": basket,
            "shipping_cost": shipping,
            "coupon_shown": np.where(coupon, "yes", "no"),
            "device": device,
            "source": source,
            "category": category,
            "hour": hour,
            "visitor": np.where(returning, "returning", "new"),
            "past_orders": past_orders,
            "days_since_last_visit": days_since,
            "purchased": np.where(bought, "yes", "no"),
        }
    )
