"""Made-up grids for tests of answers: cells with scores per seed, drawn around given means."""

from __future__ import annotations

import itertools

import numpy as np

from kd_core.runs.cells.grid import AXES
from kd_core.runs.settings.tried import METHOD, STUDENT, Tried

NOTHING = {**dict.fromkeys(AXES, None), "learning_rate": 0.01, "weight_decay": 0.0, "dropout": 0.0, "made_rows": 0}


def grid_of(mean, *, seeds=5, spread=0.0005, seed=0, states=None, sign=1.0, base=0.8, **values):
    """Lay out every combination of values; `mean` tells how far a setting lies below the top, `spread` is that of seeds beside it."""
    rng = np.random.default_rng(seed)
    luck = rng.normal(scale=0.01, size=seeds)  # that all cells share
    names, found = list(values), []
    for number, combination in enumerate(itertools.product(*values.values())):
        held = {**NOTHING, STUDENT: "tiny", METHOD: "hinton", **dict(zip(names, combination, strict=True))}
        state = (states or {}).get(number, "ended")
        scores = base + luck - sign * mean(held) + rng.normal(scale=spread, size=seeds)
        own = {n: float(s) for n, s in enumerate(scores)} if state == "ended" else {}
        found.append(Tried(number, held, own, dict.fromkeys(range(seeds), base - 0.05), state))
    return found
