"""What every mode gives a student, beside the same student alone for as many epochs, for twice and for three times as many.

    python benchmarks/method_modes.py --keep FOLDER --data ../shared/data [--sets visits,online_shoppers] [--modes assistant,born_again]
                                      [--seeds 3] [--epochs 20] [--table FILE.md]

Chains, generations and peers train more than once for one student: the longer baselines say whether the same seconds without a teacher
give as much. Every mode is a whole run of the product (`kd_core.runs`), its settings are its defaults. Sets: `visits` (the sample, MLP
teacher, tiny MLP), `online_shoppers` (gradient boosting, or an MLP for modes that train one; small MLP) and `blocks` (the sample of
messages, a transformer of four blocks teaches one of two that starts from its first or from every second one).
Intervals are paired, at 95 %: over seeds and rows against the run's own baseline, over seeds alone against the longer ones. FOLDER keeps every run; the same command goes on where it ended.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.library import DataLibrary
from kd_core.data.preparation import prepare
from kd_core.distill.student import train_student
from kd_core.machine.device import pick
from kd_core.runs import assessment, experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import read_json, write_json
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.workspace import workspace

MODES = {
    "offline": Choice(name="offline"),
    "assistant": Choice(name="assistant"),
    "born_again": Choice(name="born_again"),
    "mutual": Choice(name="mutual"),
    "online": Choice(name="online"),
    "patient": Choice(name="patient"),
    "first": Choice(name="feature_reuse"),
    "every": Choice(name="feature_reuse", settings={"blocks": "every"}),
}
TIMES = (1, 2, 3)
NETWORKS = ("mutual", "online")


def _visits(data: Path, folder: Path) -> DatasetSpec:
    return DatasetSpec(source=str(DataLibrary(workspace()).resolve("sample:visits")), target="purchased")


def _messages(data: Path, folder: Path) -> DatasetSpec:
    return DatasetSpec(source=str(DataLibrary(workspace()).resolve("sample:messages")), target="intent")


def _shoppers(data: Path, folder: Path) -> DatasetSpec:
    return DatasetSpec(source=str(data / "online_shoppers" / "online_shoppers_intention.csv"), target="Revenue")


# set: (its data, the teacher, the teacher of modes that train one, the student, modes, epochs of the teacher)
Sets = tuple[Callable[[Path, Path], DatasetSpec], Choice, Choice, Choice, tuple[str, ...]]
MLP = Choice(name="mlp")
TABLES = ("offline", "assistant", "born_again", "mutual", "online", "patient")
SETS: dict[str, Sets] = {
    "visits": (_visits, MLP, MLP, Choice(name="mlp", settings={"size": "tiny"}), TABLES),
    "online_shoppers": (
        _shoppers,
        Choice(name="gradient_boosting"),
        MLP,
        Choice(name="mlp", settings={"size": "small"}),
        TABLES,
    ),
    "blocks": (
        _messages,
        Choice(name="text_transformer", settings={"size": "large", "epochs": 8}),
        Choice(name="text_transformer", settings={"size": "large", "epochs": 8}),
        Choice(name="text_transformer", settings={"size": None, "width": 192, "depth": 2}),
        ("offline", "first", "every"),
    ),
}


def run(case: str, mode: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Carry out a run, or read it again; return its result."""
    write, teacher, network, student, _ = SETS[case]
    spec = RunSpec(
        dataset=write(asked.data, asked.keep),
        teacher=network if mode in NETWORKS else teacher,
        students=(StudentSpec(name="student", arch=student),),
        objective=Choice(name="hinton"),
        mode=MODES[mode],
        training=TrainingSpec(epochs=asked.epochs, seeds=asked.seeds),
        evaluation=EvaluationSpec(
            latency=False, references=False, placebo=False, folds=1 if case == "blocks" else None
        ),
    )
    place = asked.keep / f"{case}-{mode}-{asked.epochs}-{asked.seeds}"
    kept = RunFolder(place)
    if not (place / "result.json").exists():  # one that was cut off begins anew
        shutil.rmtree(place, ignore_errors=True)
        kept = RunFolder.create(place, spec)
        write_json(place / "result.json", experiment.run(spec, kept, lambda event: None, lambda: False))
    return dict(read_json(place / "result.json"))


def longer(case: str, times: int, asked: argparse.Namespace) -> list[Any]:
    """Return the test logits of the student alone, of so many times the epochs, seed by seed."""
    write, _, _, student, _ = SETS[case]
    path = asked.keep / f"{case}-alone-{asked.epochs}x{times}-{asked.seeds}.npy"
    if not path.exists():
        found = prepare(write(asked.data, asked.keep))
        told, how = StudentSpec(name="student", arch=student), TrainingSpec(epochs=times * asked.epochs)
        made = [
            train_student(found, told, None, None, how, seed, device=pick("auto")).test_logits()
            for seed in range(asked.seeds)
        ]
        np.save(path, np.stack(made))
    return list(np.load(path))


def table(case: str, asked: argparse.Namespace) -> list[str]:
    """Write the table of one set."""
    found, (*_, modes) = prepare(SETS[case][0](asked.data, asked.keep)), SETS[case]
    metric = task_of(found.task).primary
    alone = {n: longer(case, n, asked) for n in TIMES}
    scores = {n: np.mean([assessment.score(found, "test", z, metric) for z in side]) for n, side in alone.items()}
    told = ", ".join(f"{score:.4f} ({n} times the epochs)" for n, score in scores.items())
    lines = [
        f"### {case}: {len(found.train):,} training and {len(found.test):,} test rows, {asked.epochs} epochs, {asked.seeds} seeds",
        "",
        f"{metric} of the student alone: {told}.",
        "",
        f"| mode | {metric} | gain | verdict | against twice the epochs | against three times | seconds of all students |",
        "|---|---|---|---|---|---|---|",
    ]
    for mode in modes if asked.modes is None else [m for m in modes if m in asked.modes]:
        result = run(case, mode, asked)
        (student,) = result["students"]
        values, gain = student["metrics"][metric]["values"], student["gain"][metric]
        same = f"{100 * gain['mean']:+.2f} [{100 * gain['ci95'][0]:.2f}, {100 * gain['ci95'][1]:.2f}]"
        more = [over_seeds(values, [assessment.score(found, "test", z, metric) for z in alone[n]]) for n in (2, 3)]
        took = result["seconds"]["students"]
        mean = student["metrics"][metric]["mean"]
        lines.append(f"| {mode} | {mean:.4f} | {same} | {student['verdict']} | {more[0]} | {more[1]} | {took:.0f} |")
        print(lines[-1], flush=True)
    return lines


def over_seeds(taught: Sequence[float], other: Sequence[float | None]) -> str:
    """Say a paired gain in points with its 95 % interval over seeds alone (Student's t)."""
    gains = 100 * (np.asarray(taught) - np.asarray(other, float))
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return f"{gains.mean():+.2f} [{gains.mean() - half:.2f}, {gains.mean() + half:.2f}]"


def main() -> None:
    """Run, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--modes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    asked.keep = asked.keep.resolve()
    asked.keep.mkdir(parents=True, exist_ok=True)
    asked.modes = None if asked.modes is None else asked.modes.split(",")
    torch.set_num_threads(1)
    began, lines = time.monotonic(), []
    for case in asked.sets.split(","):
        lines += [*table(case, asked), ""]
    print("\n".join(lines), f"\n{time.monotonic() - began:.0f} s")
    if asked.table:
        asked.table.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
