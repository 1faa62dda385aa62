"""A task is one file: added to a copy of the engine, it is listed, obeys the laws, is trained and shown, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kd_core.task import TASKS

ROOT = Path(__file__).resolve().parents[2]
FILE = '''"""How much somebody likes something, judged by the mean distance."""

from dataclasses import dataclass

from kd_core.task import Column, add
from kd_core.tasks.regression import Regression


@dataclass(frozen=True)
class Rating(Regression):
    """A number, never guessed from a column."""

    def likeness(self, column: Column) -> int:
        return 0


add(
    Rating(
        name="rating",
        title="a rating",
        primary="mae",
        stopping="mae",
        objective="mse",
    )
)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The engine and the laws of tasks, with one file more."""
    place = tmp_path_factory.mktemp("copy")
    dropped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kd_core", place / "kd_core", ignore=dropped)
    (place / "tests" / "laws" / "losses").mkdir(parents=True)
    for name in (
        "tests/__init__.py",
        "tests/laws/__init__.py",
        "tests/laws/losses/__init__.py",
        "tests/laws/losses/several_rows.py",
        "tests/laws/test_tasks.py",
        "pyproject.toml",
    ):
        shutil.copy(ROOT / name, place / name)
    (place / "kd_core" / "tasks" / "rating.py").write_text(FILE)
    return place


def run(place: Path, *command: str) -> str:
    environment = {**os.environ, "KD_WORKSPACE": str(place / "workspace"), "PYTHONPATH": str(place)}
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=place, env=environment, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_is_listed(copy):
    listed = run(copy, "kd_core", "list", "tasks").splitlines()
    assert sorted(line.split()[0] for line in listed) == sorted([*TASKS.names(), "rating"])
    assert "a rating" in "".join(listed)
    assert "(regression, rating)" in run(copy, "kd_core", "list", "metrics")


@pytest.mark.slow
def test_the_laws_know_it(copy):
    said = run(copy, "pytest", "-p", "no:cacheprovider", "-vv", "tests/laws/test_tasks.py")
    assert "[rating]" in said and "failed" not in said


@pytest.mark.slow
def test_it_is_trained_kept_and_shown(copy):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(liking=x[:, 0] + np.abs(x[:, 1]))
    frame.to_csv(copy / "film.csv", index=False)
    run(
        copy,
        "kd_core",
        "distill",
        "film.csv",
        "--target",
        "liking",
        "--task",
        "rating",
        "--student",
        "tiny",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--out",
        "out",
    )
    found = json.loads((copy / "out" / "result.json").read_text())
    assert (found["task"], found["metric"]["name"]) == ("rating", "mae")
    assert set(found["students"][0]["metrics"]) == {"mae", "r2", "rmse"}
    assert json.loads((copy / "out" / "spec.json").read_text())["dataset"]["task"] == "rating"
    assert "MAE" in run(copy, "kd_core", "show", "out")
