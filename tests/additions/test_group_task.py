"""A task whose batches hold whole groups is one file: a pairwise ranking trains, is scored and shown; without groups it is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.additions.test_one_file import added, nothing_else_changed, run

TASK = '''"""Which row of a group is liked more: differences inside a group count, nothing else."""

from dataclasses import dataclass

import numpy as np

from kd_core.task import add
from kd_core.tasks.regression import Regression


class Pairs:
    """Mean squared error of the differences between rows of one group, over the rows that have a partner."""

    weights = None

    def __call__(self, outputs, labels, groups=None):
        import torch

        assert groups is not None
        same = groups[:, None] == groups[None, :]
        z = outputs.logits[:, 0] if outputs.members is None else outputs.members[..., 0].T
        away = (z[..., :, None] - z[..., None, :]) - (labels[:, None] - labels[None, :])
        pairs = same.sum() - len(labels)
        assert len(labels) < 2 or pairs > 0, "a batch without a pair"
        return (away.square() * same).sum((-2, -1)).mean() / pairs.clamp(min=1)

    def reference(self, z, y, groups):
        found = [((z[i] - z[j]) - (y[i] - y[j])) ** 2 for i in range(len(y)) for j in range(len(y)) if i != j and groups[i] == groups[j]]
        return float(np.mean(found))

    def to(self, device, dtype):
        return self


@dataclass(frozen=True)
class Liking(Regression):
    """Never guessed from a column."""

    def likeness(self, column):
        return 0

    def hard_loss(self, class_weights=None):
        return Pairs()


add(Liking(name="liking", title="a liking within groups", primary="r2", stopping="r2", objective="mse", by_group=True))
'''
QUICK = ("--student", "tiny", "--epochs", "6", "--seeds", "2")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = added(tmp_path_factory.mktemp("copy"), "kd_core/tasks/liking.py", TASK)
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(100), 5)
    x = rng.normal(size=(500, 3))
    level = rng.normal(size=100)[user]  # what one user likes on the whole is no matter for the order
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(
        user=[f"u{u}" for u in user], liked=x[:, 0] - x[:, 1] + level
    )
    frame.sample(frac=1, random_state=0).to_csv(place / "likes.csv", index=False)
    return place


def distill(out, *more):
    return ["kd_core", "distill", "likes.csv", "--target", "liked", "--task", "liking", *QUICK, "--out", out, *more]


@pytest.mark.slow
def test_the_laws_know_it(place):
    said = run(place, "pytest", "-p", "no:cacheprovider", "-n", "0", "-vv", "tests/laws/test_tasks.py", "-k", "liking")
    assert "[liking] PASSED" in said and "failed" not in said
    assert "liking" in run(place, "kd_core", "list", "tasks")


@pytest.mark.slow
@pytest.mark.parametrize(
    "teacher", [("gradient_boosting",), ("mlp", "--set", "teacher.epochs=5", "--set", "teacher.size=tiny")]
)
def test_it_is_trained_by_group_scored_and_shown(place, teacher):
    out = f"out-{teacher[0]}"
    run(place, *distill(out, "--group", "user", "--folds", "2", "--teacher", *teacher))
    found = json.loads((place / out / "result.json").read_text())
    assert (found["task"], found["metric"]["name"]) == ("liking", "r2")
    told = [json.loads(line) for line in (place / out / "events.jsonl").read_text().splitlines()]
    hard = [e["hard"] for e in told if e["kind"] == "epoch" and e["arm"] == "baseline" and e["seed"] == 0]
    assert len(hard) == 6 and hard[-1] < 0.7 * hard[0]
    assert [e for e in told if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    assert "R2" in run(place, "kd_core", "show", out).upper().replace("²", "2")
    assert "tiny" in run(place, "kd_core", "show", out)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["listwise_kd", "margin_mse"])
def test_losses_of_rankings_are_offered_and_learned_from(place, loss):
    said = run(place, "kd_core", "list", "losses").splitlines()
    assert any(line.startswith(f"{loss} ") and "liking" in line for line in said)
    out = f"out-{loss}"
    run(place, *distill(out, "--group", "user", "--folds", "2", "--teacher", "gradient_boosting", "--objective", loss))
    told = [json.loads(line) for line in (place / out / "events.jsonl").read_text().splitlines()]
    soft = [e["soft"] for e in told if e["kind"] == "epoch" and e["arm"] == "student" and e["seed"] == 0]
    assert len(soft) == 6 and 0 < soft[-1] < soft[0]


@pytest.mark.slow
def test_without_a_group_column_it_is_refused_in_words(place, tmp_path):
    command = [sys.executable, "-m", *distill(str(tmp_path / "out"))]
    environment = {**os.environ, "KD_WORKSPACE": str(place / "workspace"), "PYTHONPATH": str(place)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=place, env=environment, timeout=240)
    assert done.returncode == 2
    assert "needs rows that belong together: no group column is chosen" in " ".join(done.stderr.split())


@pytest.mark.slow
def test_one_file_is_all(place):
    nothing_else_changed(place)
