"""What-ifs for tests: a small table with a made-up teacher, and an engine that gives scores without training."""

from __future__ import annotations

import numpy as np
import torch

from kd_core.data.preparation import prepare
from kd_core.distill.sweep.variants import TEACHER, TrainedVariant
from kd_core.models.building import build_for
from kd_core.runs.cells import grid
from kd_core.runs.cells.judging import Judging
from kd_core.runs.cells.trainings import Trainings
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import SweepSpec
from kd_core.teachers.base import TeacherAnswers
from tests.runs.tables import small_spec, write_table

SQUARE = SweepSpec(temperature=(1, 4), alpha=(0, 0.5))
METRIC = {"binary": "roc_auc", "regression": "rmse"}


def sweep_spec(path, task="binary", sweep=SQUARE, **training):
    """Return a spec of two temperatures and two alphas (one temperature for regression)."""
    if task == "regression":
        sweep = sweep.model_copy(update={"temperature": ()})
    return small_spec(write_table(path / "t.csv", task), task, **{"seeds": 2, **training}).model_copy(
        update={"sweep": sweep}
    )


def teacher_of(dataset, seed=0):
    """Make a teacher that knows the labels but for some noise."""
    rng = np.random.default_rng(seed)
    logits = {}
    for part in dataset.parts:
        y = dataset.scaled_y(part)
        truth = y[:, None] if dataset.task == "regression" else 4 * np.eye(len(dataset.classes))[y]
        logits[part] = (truth + 0.3 * rng.normal(size=truth.shape)).astype(np.float32)
    return TeacherAnswers("made up", logits, 10, 40, {}, 0.0, 2)


def sweep_in(path, spec, notify=lambda e: None, should_stop=lambda: False, dataset=None, teacher=None):
    """Set a sweep up in a folder, as an experiment does after its teacher phase."""
    folder = RunFolder(path) if (path / "spec.json").exists() else RunFolder.create(path, spec)
    dataset = dataset or prepare(spec.dataset)
    metric = METRIC[dataset.task]
    teacher = teacher or teacher_of(dataset)
    lessons, device = {TEACHER: teacher.logits["train"]}, torch.device("cpu")
    log = folder.path / "variants.jsonl"
    return OneSweep(
        spec,
        dataset,
        lessons,
        metric,
        device,
        folder.checkpoints,
        notify,
        should_stop,
        log,
        teacher=teacher,
        folder=folder,
    )


class OneSweep(Trainings):
    """The trainings of a what-if with its teacher and folder at hand."""

    def __init__(self, *args, teacher, folder):
        super().__init__(*args)
        self.teacher, self.folder = teacher, folder

    def train(self):
        super().train(grid.seeds(self.spec))


def build_result(made, seconds):
    judging = Judging(made, made.teacher)
    return judging.result(made.folder, judging.room(), seconds, made.notify)


def engine(score, asked=None, precision="float32", fail_after=None):
    """Make a double of the engine: `score(variant)` gives a number, None, 'stopped' or 'diverged'; nothing is trained."""

    def train(work, hooks, mode="auto"):
        if asked is not None:
            asked.append((list(work.variants.values()), work.training, {"work": work, "hooks": hooks, "mode": mode}))
        told = {"mode": "fused", "why": "A double.", "trainings": len(work.variants), "precision": precision}
        hooks.notify({"kind": "sweep", **told})
        results = {}
        for count, (number, variant) in enumerate(work.variants.items()):
            if fail_after is not None and count >= fail_after:
                raise KeyboardInterrupt
            value = score(variant)
            if value is None:
                continue
            state = build_for(work.dataset, variant.student.arch).state_dict()
            reached = 0.5 if isinstance(value, str) else value
            done = TrainedVariant(variant, state, 2, 3, reached, reached, 0.1)
            if value == "diverged":
                done = TrainedVariant(variant, {}, 0, 0, float("nan"), float("nan"), 0.1, diverged="The loss is nan.")
            done.stopped = value == "stopped"
            hooks.notify({"kind": "scores", "epoch": 3, "epochs": 3, "best": {str(number): reached}})
            hooks.on_trained(number, done)
            results[number] = done
        return results

    return train


def alpha_of(variant):
    """Return a variant's alpha, 0 for a baseline."""
    return variant.objective.settings["alpha"] if variant.objective else 0.0
