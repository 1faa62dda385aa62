"""Small tables for the data tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kd_core.data.table import Table


def table(columns: dict[str, object]) -> Table:
    """Make a table as a text reader would: every cell its own text."""
    frame = pd.DataFrame({k: [str(v) for v in np.asarray(c, dtype=object)] for k, c in columns.items()}, dtype="str")
    return Table(frame, "csv", {"separator": "comma"})


def clean(rows: int = 600, seed: int = 0) -> dict[str, object]:
    """Make columns with honest structure: two numbers and a category that help, one that does not."""
    rng = np.random.default_rng(seed)
    age, spend = rng.normal(40, 10, rows).round(2), rng.lognormal(1, 0.6, rows).round(3)
    channel = rng.choice(["mail", "search", "social"], rows)
    noise = rng.normal(0, 1, rows).round(3)
    odds = 0.08 * (age - 40) + 0.5 * np.log(spend) + (channel == "mail") + rng.logistic(0, 1, rows)
    return {"age": age, "spend": spend, "channel": channel, "noise": noise, "bought": np.where(odds > 1, "yes", "no")}


def codes(problems: object) -> list[str]:
    """List the codes of problems."""
    return [p.code for p in problems]  # type: ignore[attr-defined]


def one(problems: object, code: str) -> object:
    """Return the only problem with a code."""
    found = [p for p in problems if p.code == code]  # type: ignore[attr-defined]
    assert len(found) == 1, [str(p) for p in problems]  # type: ignore[attr-defined]
    return found[0]
