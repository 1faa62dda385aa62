"""Orders: which category will the customer buy from next? (multiclass)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.specs import Choice

_CLASSES = ["baby", "beauty", "books", "fashion", "garden", "kitchen", "phones", "sports"]


@SCENARIOS.register(
    "recommendation",
    title="Orders to next category",
    sample="orders",
    target="next_category",
    task="multiclass",
    rows=12_000,
    story="Which of eight categories to recommend, from a customer's profile and recent orders.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.9}),
    students=("tiny", "small"),
    tags=("recommendation", "user profile"),
)
def make_orders(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make customers drawn to several categories at once, of which they buy one: labels are noisy by nature."""
    age = np.clip(np.round(rng.gamma(9, 4.4, rows)), 18, 85)
    household = rng.choice([1, 2, 3, 4, 5], rows, p=[0.28, 0.32, 0.18, 0.16, 0.06])
    child = (household >= 3) & (rng.random(rows) < np.clip(1.1 - abs(age - 36) / 18, 0.02, 0.9))
    region = rng.choice(["north", "south", "east", "west"], rows)
    month = rng.integers(1, 13, rows)
    orders = 1 + rng.poisson(5, rows)
    spend = np.round(rng.lognormal(3.6, 0.6, rows), 2)
    discount = np.round(rng.beta(2, 5, rows), 2)
    evening = np.round(rng.beta(3, 3, rows), 2)
    last = rng.choice(_CLASSES, rows)
    second = rng.choice(_CLASSES, rows)
    returns = rng.binomial(orders, 0.12)
    loyalty = rng.choice(["none", "silver", "gold"], rows, p=[0.6, 0.28, 0.12])
    is_last = np.stack([last == c for c in _CLASSES], 1)
    is_second = np.stack([second == c for c in _CLASSES], 1)
    z = 1.2 * is_last + 0.6 * is_second
    z += 1.1 * (is_last & is_second)
    near = {0: (3, 5), 1: (3,), 2: (5,), 3: (1, 7), 4: (5,), 5: (4, 2), 6: (7,), 7: (3, 6)}
    for source, targets in near.items():
        for target in targets:
            z[:, target] += 0.8 * is_last[:, source]
    z[:, 0] += 2.1 * child * (age < 45)
    z[:, 1] += 0.9 * (age < 35) + 0.7 * (evening > 0.6) * (spend > 40)
    z[:, 2] += 1.2 * (discount < 0.2) * (age > 45) + 0.7 * (month >= 11)
    z[:, 3] += 1.3 * (returns >= 2) + 0.5 * (discount > 0.4)
    z[:, 4] += 1.9 * np.exp(-((month - 5) ** 2) / 3.0) * (age > 38) * (region != "north")
    z[:, 5] += 0.8 * (household >= 2) * (spend > 35) + 0.5 * (month == 12)
    z[:, 6] += 1.6 * (spend > 60) * (age < 50) + 0.8 * (loyalty == "none") * (orders < 4)
    z[:, 7] += 1.3 * np.exp(-((age - 29) ** 2) / 90.0) + 0.9 * (month <= 2) * (household == 1)
    z = 1.25 * z + rng.gumbel(size=z.shape)
    return pd.DataFrame(
        {
            "age": age.astype(int),
            "household_size": household,
            "child_in_household": np.where(child, "yes", "no"),
            "region": region,
            "month": month,
            "orders_last_year": orders,
            "average_spend": spend,
            "discount_share": discount,
            "evening_share": evening,
            "returns": returns,
            "loyalty": loyalty,
            "last_category": last,
            "second_last_category": second,
            "next_category": np.array(_CLASSES)[z.argmax(1)],
        }
    )
