"""One unit of `verdict_coverage`: one split (or one fresh table) of a set, trained as stacks and judged as a run judges it.

The student's lesson is either the real teacher's or one that teaches nothing: every row gets the class priors, or
the teacher's answers in another order. All arms answer the same test rows, with the same seeds.
"""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.distill.stack import fused
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import Answers
from kd_core.evaluate.intervals import compare
from kd_core.evaluate.intervals.advice import more_seeds
from kd_core.evaluate.intervals.comparison import Comparison
from kd_core.scenarios import SCENARIOS
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.answers import teacher_answers
from kd_core.training.loop import ignore, never
from kd_core.training.predict import predict

LESSONS = ("real", "priors", "permuted")


@dataclass(frozen=True)
class Recipe:
    """How a unit is trained; a bank holds units of one recipe only. `seeds` 0: as many as the rule for *auto* asks for."""

    student: str = "tiny"
    seeds: int = 0
    epochs: int | None = None
    folds: int = 5


@dataclass(frozen=True)
class RealSet:
    """A table to split again and again, with the run's usual teacher and objective."""

    spec: DatasetSpec
    teacher: Choice
    objective: Choice


def real_sets(data: Path, scratch: Path) -> dict[str, RealSet]:
    """Write the three real tables into `scratch`: two classes, 1,000 rows drawn once, four classes."""
    reviews = zipfile.ZipFile(data / "womens_clothing_reviews" / "Womens Clothing E-Commerce Reviews.csv.zip")
    name = next(n for n in reviews.namelist() if n.endswith(".csv") and not n.startswith("__"))
    frame = pd.read_csv(io.BytesIO(reviews.read(name)), index_col=0).drop(columns=["Rating"])  # gives the target away
    frame.sample(1000, random_state=0).to_csv(scratch / "reviews_1000.csv", index=False)
    bikes = zipfile.ZipFile(data / "bike_sharing" / "Bike-Sharing-Dataset.zip")
    frame = pd.read_csv(io.BytesIO(bikes.read("hour.csv"))).drop(columns=["instant", "dteday", "yr", "mnth"])
    frame["season"] = frame["season"].map({1: "winter", 2: "spring", 3: "summer", 4: "autumn"})
    frame.to_csv(scratch / "seasons.csv", index=False)
    boosting, hinton = Choice(name="gradient_boosting"), Choice(name="hinton")
    shoppers = data / "online_shoppers" / "online_shoppers_intention.csv"
    return {
        "online_shoppers": RealSet(
            DatasetSpec(source=str(shoppers), target="Revenue", task="binary"), boosting, hinton
        ),
        "reviews_1000": RealSet(
            DatasetSpec(source=str(scratch / "reviews_1000.csv"), target="Recommended IND", task="binary"),
            boosting,
            hinton,
        ),
        "seasons": RealSet(
            DatasetSpec(source=str(scratch / "seasons.csv"), target="season", task="multiclass"), boosting, hinton
        ),
    }


def fresh_set(name: str, rows: int, seed: int, scratch: Path) -> RealSet:
    """Make a new table of a scenario: other rows of the same kind, for training and for the test."""
    entry = SCENARIOS.get(name)
    path = scratch / f"{name}-{seed}.csv"
    entry.make(np.random.default_rng([seed, rows]), rows).to_csv(path, index=False)
    facts = entry.facts
    spec = DatasetSpec(
        source=str(path), target=facts["target"], task=facts["task"], positive=facts.get("positive"), split_seed=seed
    )
    return RealSet(spec, facts["teacher"], facts["objective"])


def lesson_logits(lesson: str, dataset: Dataset, teacher: Array) -> Array:
    """Make a lesson's soft labels for the training rows. Shape: (N, C)."""
    if lesson == "permuted":
        return np.asarray(teacher[np.random.default_rng(0).permutation(len(teacher))])
    if lesson == "priors":
        if dataset.task == "regression":
            return np.zeros_like(teacher)  # targets are scaled to mean 0
        shares = np.bincount(dataset.train.y, minlength=dataset.num_outputs) / len(dataset.train.y)
        return np.tile(np.log(shares), (len(teacher), 1)).astype(teacher.dtype)
    return teacher


def train_unit(made: RealSet, recipe: Recipe, lessons: tuple[str, ...] = LESSONS) -> dict[str, Any]:
    """Train and judge one split under each lesson: gains of all metrics, and the word of the primary one."""
    start, start_cpu = time.perf_counter(), time.process_time()
    dataset = prepare(made.spec)
    teacher = teacher_answers(
        dataset, made.teacher, folds=recipe.folds, seed=0, cache=None, notify=ignore, should_stop=never, device="cpu"
    )
    ready = time.perf_counter()
    metric = task_of(dataset.task).primary
    facts = METRICS.get(metric).facts
    student = StudentSpec(name=recipe.student, arch=Choice(name="mlp", settings={"size": recipe.student}))
    training = TrainingSpec(epochs=recipe.epochs)
    baseline: list[Answers] = []
    found: dict[str, Any] = {}
    for lesson in lessons:
        taught: list[Answers] = []
        z = lesson_logits(lesson, dataset, teacher.logits["train"])
        while more := _next(recipe, metric, baseline, taught):
            seeds = range(len(taught), len(taught) + more)
            variants = [Variant(student, None, s) for s in seeds if s >= len(baseline)]
            variants += [Variant(student, made.objective, s) for s in seeds]
            trained = fused.train(SweepWork.of(dataset, variants, z, training), Hooks())
            answers = [_test(dataset, trained.get(number)) for number in range(len(variants))]
            fresh = len(variants) - len(seeds)
            baseline += answers[:fresh]
            taught += answers[fresh:]
        arms = {"student": taught, "baseline": baseline[: len(taught)]}
        gains = {}
        for entry in METRICS.entries():
            compared = Comparison.measure(entry.name, arms) if dataset.task in entry.tasks else None
            if compared:
                gains[entry.name] = asdict(compared.gain("student", "baseline"))
                if entry.name == metric:
                    margin = compare.margin_in_units(facts["margin"], facts["relative"], compared.values("baseline"))
                    word = compare.verdict(compared.gain("student", "baseline"), margin).word
        found[lesson] = {"gains": gains, "word": word, "seeds": len(taught)}
    return {
        "metric": metric,
        "task": dataset.task,
        "rows": {k: len(v) for k, v in dataset.parts.items()},
        "lessons": found,
        "teacher_seconds": round(ready - start, 1),
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(time.process_time() - start_cpu, 1),
    }


def _next(recipe: Recipe, metric: str, baseline: list[Answers], taught: list[Answers]) -> int:
    """How many seeds to train next: a fixed number at once, or by the rule that looks at widths."""
    n = len(taught)
    if recipe.seeds:
        return recipe.seeds - n
    if n < 2:
        return more_seeds(None, None, n)
    compared = Comparison.measure(metric, {"student": taught, "baseline": baseline[:n]})
    assert compared is not None
    gain = compared.gain("student", "baseline")
    return more_seeds(gain.seeds_half, gain.rows_half, n)


def _test(dataset: Dataset, trained: TrainedVariant | None) -> Answers:
    assert trained is not None and not trained.diverged, trained and trained.diverged
    z = predict(trained.module(dataset), dataset.view().parts["test"])
    return from_logits(dataset.task, dataset.test.y, z, dataset.target_mean, dataset.target_std)
