"""A table of every kind of column, and odd values for each of them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from kd_core.data.types.typed_column import understand

ROWS = 400
ODD = [
    None,
    float("nan"),
    "",
    "  ",
    "NA",
    "?",
    "-",
    "oops",
    " Red ",
    "inf",
    float("inf"),
    -1e300,
    1e101,
    "1e300",
    True,
    False,
]
ODD += [
    np.float32(2.5),
    np.int64(3),
    "3.0",
    " 3 ",
    "+3",
    "3,5",
    "1.234,5",
    "1,234.5",
    0,
    -0.0,
    "-0",
    17851,
    "17851.0",
    17851.0,
]
ODD += [
    "YES",
    "yes ",
    " no",
    "n",
    "1",
    1,
    "caf\u00e9",
    "cafe\u0301",
    "town 3",
    "town 3 ",
    "never seen",
    "\u4e2d\u6587",
    "a\x00b",
    "x" * 300,
]
ODD += [
    dt.date(2024, 2, 29),
    dt.datetime(2024, 3, 1, 12),
    np.datetime64("1969-12-31"),
    pd.Timestamp("2400-02-29 23:59"),
]
ODD += ["2024-02-29", "29/02/2024", "1700-01-01", "2023-13-45", pd.NA, pd.NaT, b"bytes", 1e22, 5e-324, -17.25]


def columns(seed=0):
    """Make the texts of a file: (its columns as read, their types)."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2023-06-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), "D")
    told = {
        "price": [f"{v:.4f}" for v in rng.normal(50, 10, ROWS)],
        "paid": [f"{v:.2f}" for v in np.exp(3 * rng.normal(size=ROWS))],
        "holes": [None if rng.random() < 0.2 else f"{v:.1f}" for v in rng.normal(size=ROWS)],
        "owed": [None if rng.random() < 0.2 else f"{v:.2f}" for v in np.exp(3 * rng.normal(size=ROWS))],
        "stamp": [str(int(1_700_000_000 + v)) for v in rng.integers(0, 10**6, ROWS)],
        "comma": [f"{v:.2f}".replace(".", ",") for v in rng.normal(5, 2, ROWS)],
        "code": [str(v) for v in rng.choice([17850, 17851, 17900], ROWS)],
        "paid_by_card": [str(v) for v in rng.choice([0, 1], ROWS)],
        "gift": [str(v) for v in rng.choice(["yes", "no"], ROWS)],
        "colour": [rng.choice(["red", "blue", "café", "Green", None]) for _ in range(ROWS)],
        "town": [None if i % 41 == 40 else f"town {i % 41}" for i in range(ROWS)],
        "when": [str(d.date()) for d in days],
        "hour": [f"{d.date()} {h:02d}:30" for d, h in zip(days, rng.integers(0, 24, ROWS), strict=True)],
        "words": [
            " ".join(rng.choice(["good", "bag", "late", "shape", "was", "small"], 8)) + f" {i}" for i in range(ROWS)
        ],
    }
    found = {name: understand(pd.Series(cells, dtype="str"), name) for name, cells in told.items()}
    return pd.DataFrame({n: c.values for n, c in found.items()}), {n: c.type for n, c in found.items()}, told


def odd_rows(told, count, seed=1):
    """Draw rows of cells from the file and of odd ones."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        row = {name: cells[int(rng.integers(ROWS))] for name, cells in told.items()}
        for name in rng.choice(list(told), rng.integers(0, 6), replace=False):
            row[str(name)] = ODD[int(rng.integers(len(ODD)))]
        rows.append(row)
    return rows
