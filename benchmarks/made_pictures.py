"""The weights of the terms by which pictures are made without data, chosen by real validation pictures; the test pictures are read once.

    python benchmarks/made_pictures.py --keep FOLDER --data ../shared/data [--layers 1,5,20] [--smooth 1,10,100] [--pictures 1000]
                                       [--epochs 25] [--seeds 3] [--jobs 2] [--device cuda] [--json FILE]

Fashion-MNIST, 12,000 of its training pictures, dealt into three parts; a small CNN of 8 epochs teaches a tiny one that sees made pictures alone
(`data_free_pictures`). Each pair of weights gets one seed and its score on the validation part; the best pair and the defaults then get
all seeds, on the test part. Beside them stands the same student of the real pictures and their labels.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.method_cases import CASES
from kd_core.data.preparation import prepare
from kd_core.distill.beside import made_pictures
from kd_core.distill.meeting import MODES, Lesson, Way, taught
from kd_core.runs import assessment
from kd_core.safe_io import write_json
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.training.loop import ignore, never

TEACHER = Choice(name="cnn", settings={"size": "small", "epochs": 8})
STUDENT = StudentSpec(name="student", arch=Choice(name="cnn", settings={"size": "tiny"}))
MODE = MODES.get("data_free_pictures")
Weights = tuple[float, float]  # of what layers remember, of smoothness
DEFAULTS: Weights = (made_pictures.LIKE_LAYERS, made_pictures.SMOOTH)


def lesson(asked: argparse.Namespace) -> Lesson:
    """Ask the teacher, once for all; a second call finds its answers kept."""
    found = prepare(CASES["pictures"].write(asked.data, asked.keep / "data"), asked.keep)
    told = teacher_answers(
        found,
        TEACHER,
        folds=1,
        seed=0,
        cache=TeacherCache(asked.keep / "teachers"),
        notify=ignore,
        should_stop=never,
        device=asked.device,
        weights=True,
    )
    objective = Choice(name="hinton", settings={"alpha": 1.0})
    training = TrainingSpec(epochs=asked.epochs)
    return Lesson(found, STUDENT, objective, told.logits["train"], training, TEACHER, weights=told.weights)


def train(weights: Weights | None, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Train a student on pictures made with these weights; None: on the real ones and their labels. Return its accuracies."""
    torch.set_num_threads(1)
    what, way = lesson(asked), Way(seed, device=torch.device(asked.device), metric="accuracy")
    if weights is None:
        done, agreed = taught(what, way, alone=True), None
    else:
        made_pictures.LIKE_LAYERS, made_pictures.SMOOTH = weights
        met = MODE.make(MODE.spec(pictures=asked.pictures, steps=asked.steps), what, way)
        done, agreed = met.student, met.helpers[0].score
    test = assessment.score(what.dataset, "test", done.test_logits(), "accuracy")
    return {"weights": weights, "seed": seed, "validation": done.trained.score_selected, "agreed": agreed, "test": test}


def main() -> None:
    """Choose, then judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--layers", default="1,5,20")
    parser.add_argument("--smooth", default="1,10,100")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    asked.keep = asked.keep.resolve()
    (asked.keep / "data").mkdir(parents=True, exist_ok=True)
    what = lesson(asked)
    grid = list(itertools.product(*(map(float, side.split(",")) for side in (asked.layers, asked.smooth))))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=context) as pool:
        tried = list(pool.map(train, grid, itertools.repeat(0), itertools.repeat(asked)))
        for one in tried:
            print(f"layers {one['weights'][0]:g}, smooth {one['weights'][1]:g}: validation {one['validation']:.4f}")
        best: Weights = max(tried, key=lambda one: one["validation"])["weights"]
        arms = [None, *dict.fromkeys((DEFAULTS, best))]
        jobs = [(arm, seed) for arm in arms for seed in range(asked.seeds)]
        done = list(pool.map(train, *zip(*jobs, strict=True), itertools.repeat(asked)))
    for arm in arms:
        scores = [one["test"] for one in done if one["weights"] == arm]
        name = "real pictures" if arm is None else f"layers {arm[0]:g}, smooth {arm[1]:g}"
        print(f"{name}: test {np.mean(scores):.4f} ({', '.join(f'{s:.4f}' for s in scores)})")
    if asked.json:
        facts = {"training": len(what.dataset.train), "test": len(what.dataset.test), "device": asked.device}
        write_json(asked.json, {**facts, "grid": tried, "chosen": best, "judged": done})


if __name__ == "__main__":
    main()
