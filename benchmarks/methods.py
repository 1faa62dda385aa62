"""What every registered loss gives a student, on pictures, questions and order lines, each with the same number of settings.

    python benchmarks/methods.py --keep FOLDER --data ../shared/data [--sets pictures,questions] [--methods hinton,dkd]
                                 [--seeds 3] [--choose 1] [--jobs 2] [--device cuda] [--minutes 60] [--table FILE.md]

Sets: `pictures` (Fashion-MNIST, 12,000 of its training pictures, CNN base to CNN tiny), `pictures_all` (all 70,000 in their own parts; hours, only when named), `questions` and `questions_lstm` (banking77,
its own test part, MiniLM to a weighted bag and to a bidirectional LSTM), `orders` (online_retail, 40,000 lines, is a customer known,
LightGBM to an MLP); smaller ones for losses that ask the teacher's network about each batch or need numbers: `pictures_few` (5,000
pictures), `questions_blocks` (transformer to transformer) and `rentals` (bike_sharing, LightGBM to an MLP).
Each loss that can work there gets three settings: its defaults, little of the teacher, much of the teacher. The setting is chosen by
the validation part, over `--choose` seeds; the test part is read once, for the chosen one. Beside it stand the same student without a
teacher (equal epochs, the same seeds) and a placebo: labels smoothed as the teacher smooths them, or for losses that compare features
the teacher's answers in another order of rows. Intervals are paired, over seeds and rows, at 95 %, without a correction for the number of methods.
Where a loss takes 1.5 times the seconds of the student alone or more, it stands beside a second baseline of equal seconds, too: twice or
three times the epochs. `--best 10`: the three best on validation, and hinton, with ten seeds.
FOLDER keeps every training; the same command goes on where it ended, and prints what is there when `--minutes` are over.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.method_cases import CASES
from benchmarks.method_jobs import (
    ALONE,
    Job,
    answers,
    chosen,
    dataset,
    equal,
    inside,
    kept,
    leaders,
    seconds,
    settings_of,
    train,
    why_not,
)
from kd_core.distill import LOSSES
from kd_core.errors import KDError
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import verdict
from kd_core.runs import assessment
from kd_core.task import task_of


def rounds(asked: argparse.Namespace) -> Iterator[list[Job]]:
    """Return what is to be trained: the students alone and all settings, then the chosen ones on all seeds, then their placebos."""
    offered = [(c, m) for c in asked.sets for m in asked.methods if why_not(c, m, asked.data, asked.keep) is None]
    first = [Job(c, ALONE, "defaults", seed) for c in asked.sets for seed in range(asked.seeds)]
    yield first + [Job(c, m, s, seed) for seed in range(asked.choose) for c, m in offered for s in settings_of(m)]
    best = [(c, m, s) for c, m in offered if (s := chosen(c, m, asked)) is not None]
    yield [Job(c, m, s, seed) for seed in range(asked.seeds) for c, m, s in best]
    needed = {(c, n) for c, m, s in best if (n := equal(c, m, s, asked)) is not None}
    yield [Job(c, ALONE, n, seed) for seed in range(asked.seeds) for c, n in sorted(needed)]
    leading = [(c, ALONE, "defaults") for c in asked.sets] + [(c, m, s) for c, m, s in best if m in leaders(c, asked)]
    yield [Job(c, m, s, seed) for seed in range(asked.best) for c, m, s in leading]
    yield [Job(c, m, s, seed, placebo=True) for seed in range(asked.seeds) for c, m, s in best]


def fill(asked: argparse.Namespace) -> None:
    """Train what is missing, several at a time."""
    end = asked.began + 60 * asked.minutes
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


def logits_of(job: Job, asked: argparse.Namespace, seeds: int | None = None) -> list[Any] | None:
    """Return the test logits of all seeds, None while one is missing."""
    every = range(seeds or asked.seeds)
    paths = [Job(job.case, job.method, job.setting, s, job.placebo).path(asked.keep) for s in every]
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
    yield f"| method | chosen | {metric} | gain in points | verdict | placebo's gain | seconds | gain at equal seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    margin, refused = float(METRICS.get(metric).facts["margin"]), []
    for method in asked.methods:
        if reason := why_not(case, method, asked.data, asked.keep):
            refused.append(f"- `{method}` {reason}.")
            continue
        setting = chosen(case, method, asked)
        taught = setting and logits_of(Job(case, method, setting, 0), asked)
        if not taught or setting is None:
            yield f"| `{method}` | not finished | | | | | | |"
            continue
        hollow = logits_of(Job(case, method, setting, 0, placebo=True), asked)
        sides = {"alone": alone, "taught": taught, **({"placebo": hollow} if hollow else {})}
        evidence = assessment.evidence(found, "test", teacher, sides)
        gain, idle = evidence.gain(metric, "taught", "alone"), hollow and evidence.gain(metric, "placebo", "alone")
        mean = np.mean([assessment.score(found, "test", z, metric) for z in taught])
        took = seconds(Job(case, method, setting, 0), asked.seeds, asked.keep)
        longer = equal(case, method, setting, asked)
        other = longer and logits_of(Job(case, ALONE, longer, 0), asked)
        sides = {"longer": other, "taught": taught} if other else {}
        more = assessment.evidence(found, "test", teacher, sides).gain(metric, "taught", "longer") if sides else None
        timed = "same" if longer is None else f"{longer}: {_told(more, metric)}"
        yield f"| `{method}` | {setting} | {mean:.4f} | {_told(gain, metric)} | {verdict(gain, margin).word if gain else '-'} | {_told(idle, metric)} | {took:.0f} | {timed} |"
    yield ""
    yield from refused
    yield from best_of(case, asked)


def best_of(case: str, asked: argparse.Namespace) -> Iterator[str]:
    """Tell the gains of the leading losses over more seeds, where these are there."""
    if not asked.best or (alone := logits_of(Job(case, ALONE, "defaults", 0), asked, asked.best)) is None:
        return
    found = dataset(case, asked.data, asked.keep)
    metric = task_of(found.task).primary
    margin = float(METRICS.get(metric).facts["margin"])
    teacher = answers(case, asked.data, asked.keep, frozenset(), asked.device).logits["test"]
    yield ""
    for method in leaders(case, asked):
        setting = chosen(case, method, asked)
        if setting and (taught := logits_of(Job(case, method, setting, 0), asked, asked.best)):
            gain = assessment.evidence(found, "test", teacher, {"alone": alone, "taught": taught}).gain(
                metric, "taught", "alone"
            )
            yield f"- `{method}`, {asked.best} seeds: {_told(gain, metric)}, {verdict(gain, margin).word if gain else '-'}."


def _told(gain: Any, metric: str) -> str:
    """Say a gain in points, or in the metric's own unit where it is no share."""
    times = 100 if METRICS.get(metric).facts["unit"] == "share" else 1
    return "-" if not gain else f"{times * gain.mean:+.2f} [{times * gain.low:.2f}, {times * gain.high:.2f}]"


def main() -> None:
    """Ask the teachers, train, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(c for c in CASES if c != "pictures_all"))
    parser.add_argument("--methods", default=",".join(LOSSES.names()))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", type=int, default=3, help="seeds over which settings are chosen")
    parser.add_argument("--best", type=int, default=0, help="seeds of the three best on validation and of hinton")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--teachers-only", action="store_true", help="ask the teachers, and end")
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    asked.keep, asked.began = asked.keep.resolve(), time.monotonic()  # asking the teachers takes of the minutes, too
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
