"""Coupons: which of six would this customer redeem? (several labels a row)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS, sigmoid
from kd_core.specs import Choice, TrainingSpec

COUPONS = ("coffee", "lunch", "groceries", "fashion", "fitness", "cinema")


@SCENARIOS.register(
    "marketing",
    title="Customers to coupons",
    sample="coupons",
    target=COUPONS[0],
    task="multilabel",
    rows=10_000,
    story="Which of six coupons a customer would redeem, so that each gets the two or three that fit and nobody a booklet.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="bernoulli_kd"),
    students=("tiny", "small"),
    training=TrainingSpec(seeds=3),  # as many as the intervals ask for take more than two minutes
    dataset={"more_targets": COUPONS[1:]},
    tags=("marketing", "behaviour"),
)
def make_customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make customers on their way somewhere, whose coupons depend on hour, company, weather and habit together."""
    age = np.clip(np.round(rng.gamma(9, 4.3, rows)), 18, 80)
    hour = rng.choice([7, 10, 14, 18, 22], rows, p=[0.25, 0.2, 0.2, 0.25, 0.1])
    weekend = rng.random(rows) < 0.3
    company = rng.choice(["alone", "partner", "children", "friends"], rows, p=[0.5, 0.2, 0.14, 0.16])
    weather = rng.choice(["sunny", "rainy", "snowy"], rows, p=[0.65, 0.25, 0.1])
    warmth = np.round(np.select([weather == "sunny", weather == "rainy"], [19, 12], -1) + rng.normal(0, 6, rows), 1)
    way = rng.choice(["home", "work", "no hurry"], rows, p=[0.35, 0.25, 0.4])
    detour = np.round(rng.exponential(9, rows), 1)
    income = np.round(rng.lognormal(3.5, 0.45, rows), 1)
    cafes = rng.poisson(rng.choice([0.4, 2.5, 7.0], rows, p=[0.4, 0.4, 0.2]))
    meals = rng.poisson(np.where(company == "alone", 2.2, 3.6))
    trained = rng.poisson(rng.choice([0.2, 5.0], rows, p=[0.6, 0.4]))
    sent = rng.poisson(3.0, rows)
    used = rng.binomial(sent, np.clip(0.15 + 0.12 * rng.normal(0, 1, rows), 0.02, 0.8))
    young, family, free = age < 32, company == "children", way == "no hurry"
    near = np.exp(-detour / np.where(free, 14, 6))
    z = np.stack(
        [
            -2.6 + 2.6 * (cafes >= 2) * ((hour <= 10) | free) + 1.3 * (way == "work") * (hour == 7) - 1.4 * family,
            -2.8 + 2.6 * np.isin(hour, [10, 14]) * near + 1.1 * (meals >= 4) + 1.2 * (company == "friends") * weekend,
            -2.4 + 2.3 * (way == "home") * (hour >= 18) * near + 1.6 * family + 0.9 * (income < 28) * (used >= 1),
            -2.7
            + 2.2 * (company == "friends") * free
            + 1.6 * young * (income > 32)
            + 1.0 * weekend * (weather != "sunny"),
            -3.0
            + 3.0 * (trained >= 4) * ((hour == 7) | (hour == 18))
            + 1.1 * young * (weather == "sunny")
            - 1.0 * family,
            -3.1
            + 2.7 * np.isin(hour, [18, 22]) * (company != "alone")
            + 1.6 * (weather != "sunny") * weekend
            + 1.0 * young,
        ],
        1,
    )
    z += 1.6 * (used / np.maximum(sent, 1) - 0.15)[:, None] + 1.2 * (near - 0.5)[:, None]
    redeemed = rng.random(z.shape) < sigmoid(1.25 * z)
    return pd.DataFrame(
        {
            "age": age.astype(int),
            "income_thousands": income,
            "hour": hour,
            "weekend": np.where(weekend, "yes", "no"),
            "company": company,
            "weather": weather,
            "temperature": warmth,
            "on_the_way": way,
            "detour_minutes": detour,
            "cafe_visits": cafes,
            "restaurant_visits": meals,
            "gym_visits": trained,
            "coupons_sent": sent,
            "coupons_used": used,
            **{name: redeemed[:, at].astype(int) for at, name in enumerate(COUPONS)},
        }
    )
