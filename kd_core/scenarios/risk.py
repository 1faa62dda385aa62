"""Card payments: which one is fraud? (binary, two in a hundred are)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS, sigmoid
from kd_core.specs import Choice, TrainingSpec


@SCENARIOS.register(
    "risk",
    title="Payments to fraud",
    sample="payments",
    target="fraud",
    positive="yes",
    task="binary",
    rows=30_000,
    story="Which card payments to hold back for a second look: two in a hundred are fraud, and every held one costs a phone call.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="hinton", settings={"temperature": 1.0, "alpha": 0.9}),
    students=("small", "base"),
    training=TrainingSpec(seeds=5),  # as many as the intervals ask for take more than two minutes
    metric="pr_auc",
    tags=("risk", "behaviour"),
)
def make_payments(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make payments of which few are fraud, in patterns where several mild signs come together: a tested card, a taken account, a new one."""
    shop = rng.choice(
        ["grocery", "fashion", "electronics", "gift cards", "travel", "games", "fuel"],
        rows,
        p=[0.3, 0.2, 0.12, 0.05, 0.1, 0.13, 0.1],
    )
    usual = np.round(rng.lognormal(3.4, 0.55, rows), 1)
    ratio = rng.lognormal(-0.1, 0.75, rows)
    amount = np.round(usual * ratio, 2)
    hour_weight = np.repeat([0.25, 1.0, 1.2], [7, 11, 6])
    hour = rng.choice(24, rows, p=hour_weight / hour_weight.sum())
    account_days = np.round(rng.exponential(500, rows)).astype(int)
    last_hour = rng.poisson(np.where(rng.random(rows) < 0.06, 3.2, 0.25))
    failed = rng.binomial(3, np.where(rng.random(rows) < 0.08, 0.45, 0.02))
    new_device = rng.random(rows) < 0.14
    changed = np.where(rng.random(rows) < 0.1, rng.integers(0, 15, rows), rng.integers(15, 720, rows))
    distance = np.round(rng.lognormal(1.6, 1.3, rows), 1)
    abroad = rng.random(rows) < np.where(shop == "travel", 0.45, 0.05)
    present = rng.random(rows) < np.isin(shop, ["grocery", "fuel"]) * 0.75 + 0.08
    night = (hour < 6) | (hour == 23)
    resold = np.isin(shop, ["gift cards", "electronics"])
    tested = (last_hour >= 3) * (1.4 + 1.6 * (amount < 15) + 0.9 * (failed >= 1)) * ~present
    taken = new_device * (1.0 + 1.7 * (changed < 15) + 1.1 * (ratio > 2.0) + 1.0 * night)
    opened = (account_days < 30) * (0.4 + 1.9 * resold + 0.8 * (ratio > 1.5))
    cloned = (distance > 40) * present * (1.6 - 0.9 * abroad) + (abroad & (shop != "travel")) * (0.6 + 1.2 * night)
    z = -7.1 + 2.0 * tested + 1.9 * taken + 2.1 * opened + 2.2 * cloned + 0.5 * resold + 0.6 * (failed >= 2)
    fraud = rng.random(rows) < sigmoid(z)
    return pd.DataFrame(
        {
            "amount": amount,
            "usual_amount": usual,
            "shop": shop,
            "hour": hour,
            "card_present": np.where(present, "yes", "no"),
            "abroad": np.where(abroad, "yes", "no"),
            "distance_km": distance,
            "new_device": np.where(new_device, "yes", "no"),
            "payments_last_hour": last_hour,
            "failed_tries": failed,
            "days_since_password_change": changed,
            "account_days": account_days,
            "fraud": np.where(fraud, "yes", "no"),
        }
    )
