"""Shop days: how many pieces of a product will be sold tomorrow? (regression, split by date)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.specs import Choice

_SORTS = ["bread", "ice cream", "barbecue", "umbrella", "chocolate", "water"]
_WARM = np.array([0.0, 1.5, 1.2, -0.1, -0.5, 0.8])  # what a warm day adds, by sort
_WET = np.array([0.0, -0.5, -1.1, 1.6, 0.15, -0.1])
_WEEKEND = np.array([0.25, 0.3, 0.7, 0.0, 0.2, 0.1])
_FESTIVE = np.array([0.5, 0.1, 0.5, 0.0, 1.0, 0.1])


@SCENARIOS.register(
    "demand",
    title="Shop days to demand",
    sample="demand",
    target="sold",
    task="regression",
    rows=12_000,
    story="How many pieces of a product a shop sells on a day, so that the shelf is neither empty nor full of waste; judged on the newest days.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="mse", settings={"alpha": 0.9}),
    students=("tiny", "small"),
    dataset={"time": "date"},
    tags=("logistics", "demand"),
)
def make_days(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make days of shops and products whose weather, price, promotion and feasts multiply, each sort in its own way."""
    day = np.sort(rng.integers(0, 730, rows))
    date = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    weekday, month = date.day_of_week.to_numpy(), date.month.to_numpy()
    sort = rng.integers(0, len(_SORTS), rows)
    shop = rng.integers(0, 8, rows)
    size = np.array([0.7, 1.3, 1.0, 1.7, 0.8, 1.1, 0.6, 1.4])[shop]
    town = np.array(["coast", "city", "city", "city", "village", "coast", "village", "city"])[shop]
    warmth = np.round(11 - 10 * np.cos((day % 365 - 20) / 365 * 2 * np.pi) + rng.normal(0, 4.5, rows), 1)
    rain = np.round(np.where(rng.random(rows) < 0.34, rng.gamma(1.1, 5.0, rows), 0.0), 1)
    price = np.round(np.array([2.4, 3.2, 6.5, 9.0, 1.8, 0.9])[sort] * rng.choice([0.7, 0.85, 1, 1.1], rows), 2)
    base = np.array([2.4, 3.2, 6.5, 9.0, 1.8, 0.9])[sort]
    promoted = rng.random(rows) < np.where(price < 0.8 * base, 0.6, 0.08)
    to_feast = rng.integers(0, 40, rows)
    rival = rng.random(rows) < 0.2
    stale = np.round(rng.gamma(2.0, 1.5, rows)).astype(int)
    usual = np.round(size * np.array([38, 16, 9, 5, 24, 45])[sort] * rng.lognormal(0, 0.25, rows), 1)
    warm = np.tanh((warmth - 19) / 5)
    felt = _WARM[sort] * np.where(warm > 0, warm, 0.35 * warm) * np.where(town == "coast", 1.4, 1.0)
    weekend = (weekday >= 5) * _WEEKEND[sort] * np.where(rain > 4, 0.2, 1.0)
    feast = _FESTIVE[sort] * np.exp(-to_feast / 2.5)
    cheap = -1.3 * np.log(price / base) * np.where(promoted, 1.7, 0.6) * np.where(rival, 0.35, 1.0)
    wet = _WET[sort] * np.tanh(rain / 6) * np.where((sort == 3) & (town == "village"), 0.5, 1.0)
    pay = 0.3 * np.isin(date.day.to_numpy(), [1, 2, 28, 29, 30]) * (sort != 0)
    level = np.log(usual) + felt + weekend + feast + cheap + wet + pay - 0.06 * np.maximum(stale - 3, 0)
    sold = rng.poisson(np.exp(np.clip(level, 0, 6.2)) * rng.gamma(25, 1 / 25, rows))
    return pd.DataFrame(
        {
            "date": date.strftime("%Y-%m-%d"),
            "weekday": np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])[weekday],
            "month": month,
            "product": np.array(_SORTS)[sort],
            "town": town,
            "usual_day": usual,
            "price": price,
            "promoted": np.where(promoted, "yes", "no"),
            "rival_promotes": np.where(rival, "yes", "no"),
            "temperature": warmth,
            "rain_mm": rain,
            "days_to_feast": to_feast,
            "days_on_shelf": stale,
            "sold": sold,
        }
    )
