"""Tiny real runs for the browser: a what-if on each of four kinds of data, and one run for each kind of answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.scenarios.base import smoke
from kd_core.scenarios.ready import ready
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec
from pages.ui.shared import engine
from tests.runs.tables import write_table

DATA = {"table": "recommendation", "english": "service", "chinese": "service_chinese", "pictures": "product_category"}
ANSWERS = ("amounts", "labels", "lists", "items")
SEEDS = 3
TRAINING = TrainingSpec(epochs=2, seeds=SEEDS)
JUDGED = EvaluationSpec(folds=2, latency=False, placebo=False, references=False)


@contextmanager
def workspace(root: Path) -> Iterator[None]:
    """Let runs be kept under a folder for as long as this is open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root))
        engine._store.cache_clear()
        yield
    engine._store.cache_clear()


def carried_out(spec: RunSpec) -> str:
    """Carry out a run here and return its id."""
    return run_here(spec, None, lambda event: None, StopSignal())[1].name


def what_if(kind: str) -> str:
    """Run a what-if of two temperatures and two alphas on a small sample of one kind of data."""
    spec = smoke(ready(DATA[kind], hasty=True)[1])
    hinton = Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.5})
    return carried_out(
        spec.model_copy(
            update={
                "objective": hinton,
                "training": TRAINING,
                "evaluation": JUDGED,
                "sweep": SweepSpec(temperature=(1, 4), alpha=(0.3, 0.9)),
            }
        )
    )


def answering(kind: str, folder: Path) -> str:
    """Run once where answers are numbers, several labels, lists or next items."""
    made = {"amounts": _amounts, "labels": _labels, "lists": _lists, "items": _items}[kind]
    return carried_out(made(folder / f"{kind}.csv"))


def _spec(dataset: DatasetSpec, teacher: Choice, student: str, objective: Choice) -> RunSpec:
    return RunSpec(
        dataset=dataset,
        teacher=teacher,
        students=(student_spec(student),),
        objective=objective,
        training=TRAINING.model_copy(update={"seeds": 2}),
        evaluation=JUDGED,
    )


def _amounts(path: Path) -> RunSpec:
    write_table(path, "regression", rows=600)
    bounded = Choice(name="bounded_mse", settings={"margin": 0.1})
    data = DatasetSpec(source=str(path), target="target", task="regression")
    return _spec(data, teacher_choice("gradient_boosting", []), "tiny", bounded)


def _labels(path: Path) -> RunSpec:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    odds = x @ rng.normal(size=(3, 4)) * 1.5
    odds[:, 1] += 0.8 * odds[:, 0]
    made = (rng.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(int)
    names = ["food", "books", "toys", "garden"]
    pd.concat([pd.DataFrame(x.round(3), columns=list("abc")), pd.DataFrame(made, columns=names)], axis=1).to_csv(path, index=False)  # fmt: skip
    data = DatasetSpec(source=str(path), target=names[0], more_targets=tuple(names[1:]), task="multilabel")
    return _spec(data, teacher_choice("gradient_boosting", []), "tiny", Choice(name="bernoulli_kd"))


def _lists(path: Path) -> RunSpec:
    from tests.runs.kinds.test_ranking_run import searches

    data = searches(path, 120)
    return _spec(data, teacher_choice("lightgbm", []), "tiny", Choice(name="listwise_kd"))


def _items(path: Path) -> RunSpec:
    rng = np.random.default_rng(0)
    after, rows = rng.integers(0, 130, (130, 2)), []
    for user in range(150):
        item = int(rng.integers(130))
        for time in range(int(rng.integers(3, 12))):
            rows.append((f"u{user}", f"film {item}", time))
            item = int(after[item, rng.integers(2)]) if rng.random() < 0.8 else int(rng.integers(130))
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv(path, index=False)
    data = DatasetSpec(source=str(path), target="item", group="user", time="time", task="next_item")
    return _spec(data, Choice(name="item_to_item"), "gru:tiny", Choice(name="hinton"))


def kept(root: Path, run_id: str) -> dict[str, Any]:
    """Read what a run kept of its test rows."""
    with np.load(root / "runs" / run_id / "artifacts" / "soft_labels.npz") as found:
        return {name: found[name] for name in found.files}
