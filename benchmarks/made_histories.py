"""A made-up shop's purchases, for measuring: power-law items in clusters, which users walk through in an order."""

from __future__ import annotations

import numpy as np
import pandas as pd

CLUSTER = 20  # items of one kind, in their order
STAYS, STEPS = 0.75, 0.6  # chance that the next item is of the same cluster; that it is then the one after
POWER = 0.8  # of an item's rank: how much the frequent are preferred
DAY = 86_400


def purchases(users: int, items: int, each: float, seed: int = 0) -> pd.DataFrame:
    """Make rows of (user, item, time). `each`: mean events of a user; every one has 3 or more."""
    rng = np.random.default_rng(seed)
    share = np.arange(1, items + 1) ** -POWER
    popular = rng.permutation(share / share.sum())
    heavy = rng.lognormal(0, 0.9, users)
    counts = 3 + rng.poisson((each - 3) * heavy / heavy.mean())
    total = int(counts.sum())
    drawn = rng.choice(items, total, p=popular)
    stays, steps = rng.random(total) < STAYS, rng.random(total) < STEPS
    near = rng.integers(0, CLUSTER, total)
    starts = np.cumsum(counts) - counts
    first = np.zeros(total, bool)
    first[starts] = True
    found = np.empty(total, np.int64)
    for at in range(total):
        if first[at] or not stays[at]:
            found[at] = drawn[at]
            continue
        before = found[at - 1]
        cluster = before - before % CLUSTER
        place = before % CLUSTER + 1 if steps[at] else near[at]
        found[at] = min(cluster + place % CLUSTER, items - 1)
    gaps = rng.integers(1, 20 * DAY, total)
    clock = np.cumsum(gaps)
    start = np.repeat(clock[starts], counts)
    return pd.DataFrame(
        {
            "user": np.char.add("u", np.repeat(np.arange(users), counts).astype(str)),
            "item": np.char.add("B", found.astype(str)),
            "time": 1_400_000_000 + clock - start,
        }
    ).sample(frac=1, random_state=seed, ignore_index=True)
