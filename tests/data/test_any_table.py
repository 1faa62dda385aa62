"""Random tables with random choices: each becomes a finite dataset or is refused in words; nothing crashes."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec

KINDS = ("number", "category", "boolean", "datetime", "text", "id", "constant")


def cells(kind, n, rng):
    made = {
        "number": lambda: rng.normal(size=n).round(3),
        "integer": lambda: rng.integers(0, 9, n),
        "empty": lambda: [""] * n,
        "constant": lambda: ["k"] * n,
        "holes": lambda: np.where(rng.random(n) < 0.5, "", rng.normal(size=n).round(2).astype(str)),
        "category": lambda: rng.choice(["a", "b", "c", ""], n),
        "many": lambda: [f"v{i}" for i in rng.integers(0, n // 3, n)],
        "unique": lambda: [f"u{i}x" for i in range(n)],
        "text": lambda: [" ".join(rng.choice(["red", "blue", "new", "old", "the", "a"], 5)) for _ in range(n)],
        "date": lambda: [f"20{a}-0{b}-1{c}" for a, b, c in rng.integers([10, 1, 0], [25, 10, 10], (n, 3))],
        "infinite": lambda: np.where(rng.random(n) < 0.1, "inf", rng.normal(size=n).astype(str)),
        "big": lambda: ["9" * 25] * (n - 1) + ["1"],
        "flag": lambda: rng.choice(["yes", "no"], n),
        "odd": lambda: rng.choice(["😀", "\u202eabc", "<b>", "=1+1"], n),
        "rare": lambda: ["x"] * (n - 1) + ["y"],
        "sparse": lambda: [""] * (n - 1) + ["3.5"],
    }
    return [str(v) for v in made[kind]()], list(made)


def attempt(seed, folder):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([5, 31, 60, 200, 700]))
    _, known = cells("number", 9, rng)
    columns = {f"{k}{i}": cells(k, n, rng)[0] for i, k in enumerate(rng.choice(known, int(rng.integers(1, 7))))}
    names = [*columns]
    columns["goal"] = cells(str(rng.choice(["number", "integer", "flag", "category"])), n, rng)[0]
    columns["fine"] = cells("number", n, rng)[0]
    pd.DataFrame(columns).to_csv(folder / "table.csv", index=False)
    some = {"group": 0.15, "time": 0.15}
    chosen = {role: str(rng.choice(names)) for role, share in some.items() if rng.random() < share}
    if rng.random() < 0.4:
        chosen["kinds"] = {str(rng.choice(names)): str(rng.choice(KINDS))}
    try:
        found = prepare(DatasetSpec(source=str(folder / "table.csv"), target="goal", **chosen))
    except DataError as error:
        assert len(error.message) > 10, error.code
        return "refused"
    for x in found.view().parts.values():
        assert len(x)
        assert np.isfinite(x).all()
    assert found.view().view.encode(pd.DataFrame(columns, dtype="str").iloc[:3]).shape == (3, found.view().spec.width)
    return "ready"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_some_tables(seed, tmp_path):
    assert attempt(seed, tmp_path) in ("ready", "refused")


@pytest.mark.slow
def test_many_tables(tmp_path):
    ends = Counter(attempt(seed, tmp_path) for seed in range(100, 400))
    assert ends["ready"] > 100
