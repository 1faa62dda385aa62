"""Baskets over time: which product comes next? (next item)"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.scenarios.base import SCENARIOS
from kd_core.specs import Choice, TrainingSpec

_SHELVES = {
    "phone": ["case", "charger", "screen film", "earphones", "power bank"],
    "camera": ["lens", "tripod", "memory card", "camera bag", "filter"],
    "coffee": ["beans", "grinder", "milk frother", "cups", "descaler"],
    "baby": ["nappies", "wipes", "bottle", "carrier", "night light"],
    "garden": ["seeds", "gloves", "hose", "shears", "soil"],
    "run": ["running shoes", "socks", "water bottle", "sports watch", "belt"],
    "paint": ["brushes", "canvas", "easel", "varnish", "palette"],
    "cook": ["pan", "knife", "cutting board", "spices", "apron"],
}
_EACH = 15  # users have so many purchases on average


@SCENARIOS.register(
    "next_product",
    title="Purchases to next product",
    sample="purchases",
    target="product",
    task="next_item",
    rows=20_000,
    story="Which of 120 products to show a customer next, from what was bought so far; judged against the whole catalogue.",
    teacher=Choice(name="sasrec", settings={"size": "small", "epochs": 40}),
    objective=Choice(name="hinton", settings={"temperature": 1.0, "alpha": 0.7}),
    students=("gru:tiny",),
    training=TrainingSpec(seeds=3),
    dataset={"group": "customer", "time": "time"},
    small=1500,
    tags=("recommendation", "user profile"),
)
def make_purchases(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Make customers who work through projects: a start, then what belongs to it, forwards or backwards by habit, in one of three styles, with strays between."""
    styles, names = ("budget", "standard", "premium"), list(_SHELVES)
    found: list[tuple[str, int, str]] = []
    user = 0
    while len(found) < rows:
        user += 1
        taste = rng.dirichlet(np.full(len(names), 0.25))
        style = int(rng.choice(3, p=[0.35, 0.4, 0.25]))
        step = int(rng.choice([1, -1]))  # one begins with the large thing, another ends with it: two purchases tell
        time = int(rng.integers(0, 200))
        for _ in range(int(rng.poisson(_EACH / 4)) + 1):
            shelf = names[int(rng.choice(len(names), p=taste))]
            things = _SHELVES[shelf]
            first = int(rng.integers(0, len(things)))
            for n in range(int(rng.integers(2, len(things) + 1))):
                own = style if rng.random() < 0.75 else int(rng.integers(0, 3))
                thing = things[(first + n * step) % len(things)]
                if rng.random() < 0.15:
                    stray = names[int(rng.integers(0, len(names)))]
                    thing = _SHELVES[stray][int(rng.integers(0, len(things)))]
                found.append((f"c{user}", time, f"{styles[own]} {thing}"))
                time += int(rng.integers(1, 15))
    frame = pd.DataFrame(found[:rows], columns=["customer", "day", "product"])
    frame.insert(
        1, "time", (pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")).dt.strftime("%Y-%m-%d")
    )
    return frame
