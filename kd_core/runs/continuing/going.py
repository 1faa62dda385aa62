"""A run that goes on, step by step as an experiment asks for it: its rows, its teacher's answers, its start weights, its judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from kd_core.data.dataset import Array, Dataset
from kd_core.runs.cells.grid import GridTraining
from kd_core.runs.cells.trainings import Arms
from kd_core.runs.continuing import asking, judged
from kd_core.runs.continuing.asking import Ask, Told
from kd_core.runs.continuing.dealing import deal
from kd_core.runs.continuing.earlier import opened, why_not
from kd_core.runs.continuing.joined import join
from kd_core.runs.continuing.new_rows import read
from kd_core.specs import RunSpec
from kd_core.teachers.base import TeacherAnswers


class Going:
    """Opens the run, reads both files and deals the new rows. Errors: as `opened`, `Earlier.data`, `read`, `deal`."""

    def __init__(self, spec: RunSpec) -> None:
        assert spec.continues is not None
        self.asked, self.spec = spec.continues, spec
        self.earlier = opened(self.asked)
        if error := why_not(self.earlier):
            raise error
        old, known = self.earlier.data()
        new = read(self.asked, old, known)
        self.rows = join(self.asked, old, new, deal(new, old, self.asked.held_out))
        self.told: Told | None = None

    @property
    def dataset(self) -> Dataset:
        """Return what is learned from and judged by."""
        return self.rows.dataset

    def carried_out(self) -> RunSpec:
        """Return the recipe as it is carried out: rows without a label are taught as made rows are."""
        made = int(self.rows.made is not None)
        return self.spec.model_copy(update={"training": self.spec.training.model_copy(update={"made_rows": made})})

    def ask(self, folds: int, answers: Ask) -> TeacherAnswers:
        """Ask the teacher. Errors: as `asking.ask`."""
        self.told = asking.ask(self.rows, self.spec.teacher, folds, answers)
        return self.told.answers

    def start(self, training: GridTraining) -> Mapping[str, Tensor]:
        """Return the weights that a training goes on from: those of the same student, side and seed."""
        return self.earlier.state(training.arm, self.spec.students[training.like.student].name, training.seed)

    def judge(
        self, found: Mapping[str, Any], arms: Mapping[int, Arms], class_weights: Array | None, device: torch.device
    ) -> dict[str, Any]:
        """Return what a result `found` says of it as well: rows, and each student against its unchanged self on old and on new rows."""
        assert self.told is not None
        metric, margins = found["metric"]["name"], {s["name"]: s["margin"] for s in found["students"]}
        told = self.told.balanced(class_weights)
        block = {
            "run": self.earlier.folder.id,
            "name": self.earlier.spec.title(),
            "rows": judged.counts(self.rows),
            "old_share": self.asked.old_share,
            "students": judged.students(self.rows, self.earlier, told, self.spec, arms, metric, margins, device),
        }
        return {"work_hash": self.spec.work_hash(), "continued": block}
