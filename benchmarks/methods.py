"""What every registered loss gives a student, on pictures, questions and order lines, each with the same number of settings.

    python benchmarks/methods.py --keep FOLDER --data ../shared/data [--sets pictures,questions] [--methods hinton,dkd]
                                 [--seeds 3] [--choose 1] [--jobs 2] [--device cuda] [--minutes 60] [--table FILE.md]

Sets: `pictures` (Fashion-MNIST, 12,000 of its training pictures, CNN base to CNN tiny), `questions` and `questions_lstm` (banking77,
its own test part, MiniLM to a weighted bag and to a bidirectional LSTM), `orders` (online_retail, 40,000 lines, is a customer known,
LightGBM to an MLP).
Each loss that can work there gets three settings: its defaults, little of the teacher, much of the teacher. The setting is chosen by
the validation part, over `--choose` seeds; the test part is read once, for the chosen one. Beside it stand the same student without a
teacher (equal epochs, the same seeds) and a placebo: labels smoothed as the teacher smooths them, or for losses that compare features
the teacher's answers in another order of rows. Intervals are paired, over seeds and rows, at 95 %, without a correction for the number of methods.
FOLDER keeps every training; the same command goes on where it ended, and prints what is there when `--minutes` are over.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.method_cases import CASES
from kd_core.data.dataset import Dataset
from kd_core.data.preparation import prepare
from kd_core.distill import LOSSES, placebo
from kd_core.distill.inner.hints import Hints
from kd_core.distill.student import train_student
from kd_core.errors import KDError
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import verdict
from kd_core.models.base import ARCHS, GIVES
from kd_core.registry import Situation
from kd_core.runs import assessment
from kd_core.safe_io import write_json
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import TeacherAnswers, gives
from kd_core.training.loop import ignore, never

ALONE = "alone"
SETTINGS = ("defaults", "little", "much")
FEWER = {"alpha": 0.3}
MORE = {"alpha": 0.9, "temperature": 4.0}


def lesson(method: str, setting: str) -> Choice:
    """Return a loss in one of its settings; the fields that it lacks are left out."""
    wanted = {"defaults": {}, "little": FEWER, "much": MORE}[setting]
    fields = LOSSES.get(method).spec.model_fields
    return Choice(name=method, settings={n: v for n, v in wanted.items() if n in fields})


def settings_of(method: str) -> list[str]:
    """Name the settings of a loss that differ: one that has neither alpha nor a temperature has its defaults alone."""
    seen = {lesson(method, setting).to_json(): setting for setting in reversed(SETTINGS)}
    return [setting for setting in SETTINGS if setting in seen.values()]


@dataclass(frozen=True)
class Job:
    """One training: a method (or `ALONE`) in one of its settings, or its placebo."""

    case: str
    method: str
    setting: str
    seed: int
    placebo: bool = False

    def objective(self) -> Choice | None:
        """Return the lesson."""
        return None if self.method == ALONE else lesson(self.method, self.setting)

    def path(self, keep: Path) -> Path:
        """Name where its outcome is kept, by all that decides it."""
        about = [
            repr(CASES[self.case].student),
            CASES[self.case].epochs,
            repr(self.objective()),
            self.seed,
            self.placebo,
        ]
        name = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
        return keep / self.case / f"{self.method}-{self.setting}{'-placebo' * self.placebo}-{self.seed}-{name}.json"


@functools.cache
def dataset(case: str, data: Path, keep: Path) -> Dataset:
    """Read and split a set."""
    (keep / "data").mkdir(parents=True, exist_ok=True)
    return prepare(CASES[case].write(data, keep / "data"), keep)


@functools.cache
def answers(case: str, data: Path, keep: Path, inside: frozenset[str], device: str) -> TeacherAnswers:
    """Ask the teacher, once for what losses need of its inside; by one fit where several would have no basis in common."""
    told = CASES[case]
    folds = told.folds if "one_basis" not in inside or "one_basis" in gives(told.teacher, told.folds) else 1
    return teacher_answers(
        dataset(case, data, keep),
        told.teacher,
        folds=folds,
        seed=0,
        cache=TeacherCache(keep / "teachers"),
        notify=ignore,
        should_stop=never,
        device=device,
        hidden="teacher_features" in inside,
        maps="teacher_maps" in inside,
    )


def inside(method: str) -> frozenset[str]:
    """Name what a loss needs of the teacher beside answers."""
    return frozenset({"teacher_features", "teacher_maps", "one_basis"}.intersection(LOSSES.get(method).needs))


def why_not(case: str, method: str, data: Path, keep: Path) -> str | None:
    """Say why a loss can't work on a set, or None."""
    told, found = CASES[case], dataset(case, data, keep)
    given = gives(told.teacher, told.folds) | gives(told.teacher, 1)
    student = ARCHS.get(told.student.name).facts.get("gives", GIVES)
    return LOSSES.get(method).why_not(
        Situation(found.task, found.num_outputs, given, frozenset(found.views.kinds), student)
    )


def train(job: Job, data: Path, keep: Path, device: str) -> str:
    """Carry out one training and keep its validation score and test logits. Errors: KDError."""
    torch.set_num_threads(1)
    found, told, objective = dataset(job.case, data, keep), CASES[job.case], job.objective()
    logits = hints = None
    if objective is not None:
        teacher = answers(job.case, data, keep, inside(objective.name), device)
        logits = teacher.logits["train"]
        hints = Hints.of_answers(teacher, found, told.teacher, seed=0)
        if job.placebo and placebo.why_none(found.task, objective) is None:
            logits = placebo.placebo_logits(found.train.y, logits, objective, None)
        elif job.placebo:
            order = np.random.default_rng(job.seed).permutation(len(logits))
            logits, hints = logits[order], None if hints is None else hints.shuffled(job.seed)
    start = time.monotonic()
    trained = train_student(
        found,
        StudentSpec(name="student", arch=told.student),
        objective,
        logits,
        TrainingSpec(epochs=told.epochs),
        job.seed,
        device=torch.device(device),
        hints=hints,
    )
    outcome = {"validation": trained.trained.score_selected, "seconds": time.monotonic() - start}
    path = job.path(keep)
    np.save(path.with_suffix(".npy"), trained.test_logits().astype(np.float16))
    write_json(path, outcome)
    return path.name


def kept(job: Job, keep: Path) -> dict[str, Any] | None:
    """Return the outcome of a training that was carried out."""
    path = job.path(keep)
    return json.loads(path.read_text()) if path.exists() else None


def chosen(case: str, method: str, asked: argparse.Namespace) -> str | None:
    """Return the setting with the best mean on validation over the first seeds, None while one is missing."""
    better = 1 if task_of(dataset(case, asked.data, asked.keep).task).has_classes else -1
    means = {}
    for setting in settings_of(method):
        found = [kept(Job(case, method, setting, seed), asked.keep) for seed in range(asked.choose)]
        if any(one is None for one in found):
            return None
        means[setting] = better * float(np.mean([one["validation"] for one in found if one]))
    return max(means, key=means.__getitem__)


def rounds(asked: argparse.Namespace) -> Iterator[list[Job]]:
    """Return what is to be trained: the students alone and all settings, then the chosen ones on all seeds, then their placebos."""
    offered = [(c, m) for c in asked.sets for m in asked.methods if why_not(c, m, asked.data, asked.keep) is None]
    first = [Job(c, ALONE, "defaults", seed) for c in asked.sets for seed in range(asked.seeds)]
    yield first + [Job(c, m, s, seed) for seed in range(asked.choose) for c, m in offered for s in settings_of(m)]
    best = [(c, m, s) for c, m in offered if (s := chosen(c, m, asked)) is not None]
    yield [Job(c, m, s, seed) for seed in range(asked.seeds) for c, m, s in best]
    yield [Job(c, m, s, seed, placebo=True) for seed in range(asked.seeds) for c, m, s in best]


def fill(asked: argparse.Namespace) -> None:
    """Train what is missing, several at a time."""
    end = time.monotonic() + 60 * asked.minutes
    started = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=started) as pool:
        for jobs in rounds(asked):
            lacking = [job for job in jobs if kept(job, asked.keep) is None]
            print(f"{len(lacking)} of {len(jobs)} trainings to do", flush=True)
            waiting = {pool.submit(train, job, asked.data, asked.keep, asked.device): job for job in lacking}
            try:
                for done in as_completed(waiting, timeout=max(0.1, end - time.monotonic())):
                    if error := done.exception():
                        print(f"{waiting[done]}: {error if isinstance(error, KDError) else repr(error)}", flush=True)
            except TimeoutError:
                pool.shutdown(wait=False, cancel_futures=True)
                print("The time is over.", flush=True)
                return


def logits_of(job: Job, asked: argparse.Namespace) -> list[Any] | None:
    """Return the test logits of all seeds, None while one is missing."""
    paths = [Job(job.case, job.method, job.setting, s, job.placebo).path(asked.keep) for s in range(asked.seeds)]
    if not all(path.exists() for path in paths):
        return None
    return [np.load(path.with_suffix(".npy")).astype(np.float32) for path in paths]


def table(case: str, asked: argparse.Namespace) -> Iterator[str]:
    """Write the table of one set, the best gain on validation first; refused methods with their reasons last."""
    found = dataset(case, asked.data, asked.keep)
    metric, told = task_of(found.task).primary, CASES[case]
    alone = logits_of(Job(case, ALONE, "defaults", 0), asked)
    if alone is None:
        return
    teacher = answers(case, asked.data, asked.keep, frozenset(), asked.device).logits["test"]
    base = [assessment.score(found, "test", z, metric) for z in alone]
    yield f"### {case}: {told.teacher.name} to {told.student.name} {told.student.settings.get('size', '')}"
    yield ""
    score = assessment.score(found, "test", teacher, metric)
    yield f"{len(found.train):,} training and {len(teacher):,} test rows, {told.epochs} epochs, {asked.seeds} seeds; {metric}: teacher {score:.4f}, alone {np.mean(base):.4f}."
    yield ""
    yield f"| method | chosen | {metric} | gain in points | verdict | placebo's gain | seconds |"
    yield "|---|---|---|---|---|---|---|"
    margin, refused = float(METRICS.get(metric).facts["margin"]), []
    for method in asked.methods:
        if reason := why_not(case, method, asked.data, asked.keep):
            refused.append(f"- `{method}` {reason}.")
            continue
        setting = chosen(case, method, asked)
        taught = setting and logits_of(Job(case, method, setting, 0), asked)
        if not taught or setting is None:
            yield f"| `{method}` | not finished | | | | | |"
            continue
        hollow = logits_of(Job(case, method, setting, 0, placebo=True), asked)
        sides = {"alone": alone, "taught": taught, **({"placebo": hollow} if hollow else {})}
        evidence = assessment.evidence(found, "test", teacher, sides)
        gain, idle = evidence.gain(metric, "taught", "alone"), hollow and evidence.gain(metric, "placebo", "alone")
        mean = np.mean([assessment.score(found, "test", z, metric) for z in taught])
        seconds = np.mean([kept(Job(case, method, setting, s), asked.keep)["seconds"] for s in range(asked.seeds)])  # type: ignore[index]
        yield f"| `{method}` | {setting} | {mean:.4f} | {_told(gain)} | {verdict(gain, margin).word if gain else '-'} | {_told(idle)} | {seconds:.0f} |"
    yield ""
    yield from refused


def _told(gain: Any) -> str:
    return "-" if not gain else f"{100 * gain.mean:+.2f} [{100 * gain.low:.2f}, {100 * gain.high:.2f}]"


def main() -> None:
    """Ask the teachers, train, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(CASES))
    parser.add_argument("--methods", default=",".join(LOSSES.names()))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", type=int, default=3, help="seeds over which settings are chosen")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--teachers-only", action="store_true", help="ask the teachers, and end")
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    asked.keep = asked.keep.resolve()
    asked.sets, asked.methods = asked.sets.split(","), asked.methods.split(",")
    for case in asked.sets:
        (asked.keep / case).mkdir(parents=True, exist_ok=True)
        works = [m for m in asked.methods if why_not(case, m, asked.data, asked.keep) is None]
        for needs in sorted({inside(m) for m in works}, key=sorted):
            told = answers(case, asked.data, asked.keep, needs, asked.device)
            print(f"{case}: the teacher has answered, inside: {sorted(needs)}, kept: {told.cached}", flush=True)
    if asked.teachers_only:
        return
    fill(asked)
    lines = [line for case in asked.sets for line in (*table(case, asked), "")]
    print("\n".join(lines))
    if asked.table:
        asked.table.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
