"""Deliveries: how many minutes until the parcel is at the door? (regression)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.specs import Choice


@SCENARIOS.register(
    "logistics",
    title="Deliveries to minutes",
    sample="delivery",
    target="minutes",
    task="regression",
    rows=10_000,
    story="How long a same-day delivery takes, from distance, traffic, weather and load.",
    teacher=Choice(name="gradient_boosting"),
    objective=Choice(name="mse", settings={"alpha": 0.9}),
    students=("tiny", "small"),
    tags=("logistics",),
)
def make_deliveries(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make deliveries with rush hours, weather and load that multiply rather than add, plus heavy-tailed delays."""
    distance = np.round(0.4 + 12 * rng.beta(1.6, 3.2, rows), 2)
    hour = rng.integers(8, 23, rows)
    weekday = rng.choice(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], rows)
    weather = rng.choice(["clear", "cloudy", "rain", "storm", "fog"], rows, p=[0.4, 0.28, 0.2, 0.05, 0.07])
    vehicle = rng.choice(["bike", "scooter", "van"], rows, p=[0.3, 0.45, 0.25])
    parcels = 1 + rng.poisson(1.3, rows)
    weight = np.round(rng.lognormal(0.6, 0.8, rows), 2)
    rating = np.round(np.clip(rng.normal(4.5, 0.35, rows), 2.5, 5.0), 1)
    experience = np.round(rng.exponential(14, rows), 1)
    floor = rng.integers(0, 9, rows)
    lift = rng.random(rows) < 0.55
    open_orders = rng.poisson(np.where((hour >= 18) & (hour <= 20), 14, 6))
    area = rng.choice(["centre", "suburb", "industrial"], rows, p=[0.45, 0.4, 0.15])
    rush = ((hour >= 17) & (hour <= 19)) | ((hour >= 8) & (hour <= 9))
    weekend = np.isin(weekday, ["Sat", "Sun"])
    speed = np.select([vehicle == "bike", vehicle == "scooter"], [0.29, 0.42], 0.5)
    speed = speed * np.where(
        rush & ~weekend, np.select([vehicle == "bike", vehicle == "scooter"], [0.97, 0.78], 0.5), 1.0
    )
    speed = speed * np.select([weather == "rain", weather == "storm", weather == "fog"], [0.82, 0.55, 0.8], 1.0)
    speed = speed * np.where((vehicle == "bike") & np.isin(weather, ["rain", "storm"]), 0.75, 1.0)
    speed = speed * np.where((area == "centre") & (vehicle == "van"), 0.75, 1.0)
    minutes = 6 + distance / speed + 2.6 * (parcels - 1) * np.where(area == "suburb", 1.5, 1.0)
    minutes = minutes + np.where(lift, 0.4, 1.2 + 0.25 * weight) * floor * 0.55
    minutes = (
        minutes + 9 * np.maximum(0, open_orders - 12) / 8 * (1.5 - np.tanh(experience / 12)) - 1.8 * (rating - 4.2)
    )
    minutes = minutes + rng.gamma(2.0, 4.0, rows) + rng.normal(0, 5.0, rows)  # waiting at the door, red lights
    return pd.DataFrame(
        {
            "distance_km": distance,
            "hour": hour,
            "weekday": weekday,
            "weather": weather,
            "vehicle": vehicle,
            "area": area,
            "parcels": parcels,
            "weight_kg": weight,
            "courier_rating": rating,
            "courier_months": experience,
            "floor": floor,
            "lift": np.where(lift, "yes", "no"),
            "open_orders": open_orders,
            "minutes": np.round(np.maximum(minutes, 4), 1),
        }
    )
