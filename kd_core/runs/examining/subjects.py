"""Who can be asked about changed rows: the student's file, its baseline's weights, plain models, and the teacher where it is at hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.distill import objective
from kd_core.errors import KDError
from kd_core.runs.continuing.earlier import open_run
from kd_core.runs.exporting.as_written import as_written
from kd_core.runs.predictor import Engine, Predictor, load
from kd_core.runs.store.folder import RunFolder
from kd_core.task import task_of
from kd_core.teachers.base import known_rows, without_own_columns
from kd_core.teachers.live import again, opening
from kd_core.training.loop import ShouldStop, never

TEACHER_SECONDS = 120  # a teacher that takes longer to train is not trained once more only to be looked at

# ask(frame) -> each class's probability (N, C), or the number in the target's unit (N, 1); frame: typed rows with all columns
Asked = Callable[[pd.DataFrame], Array]


@dataclass(frozen=True)
class Kept:
    """What a run kept of some test rows: their columns, labels, and the logits of teacher, baseline and student. Shape: N rows, (N,), (N, C)."""

    frame: pd.DataFrame
    labels: Array
    teacher: Array | None
    baseline: Array
    student: Array


@dataclass
class Subjects:
    """Models by arm, in the order in which they are drawn; `left_out`: who can't be asked, and why, in words."""

    asked: dict[str, Asked] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def kept_rows(folder: RunFolder, index: int) -> Kept:
    """Read what a run kept of its test rows. Errors: OSError, KeyError, ValueError where files are damaged."""
    with np.load(folder.artifact("soft_labels.npz")) as arrays:
        teacher = arrays.get("teacher")
        sides = arrays[f"baseline_{index}"], arrays[f"student_{index}"]
        return Kept(pd.read_parquet(folder.artifact("rows.parquet")), arrays["labels"], teacher, *sides)


class RunData:
    """The data of a run, prepared as the run did, once and only where somebody asks. Errors: DataError where the file is gone."""

    def __init__(self, folder: RunFolder) -> None:
        self.spec = folder.spec()

    @functools.cached_property
    def dataset(self) -> Dataset:
        """Return it."""
        return prepare(without_own_columns(self.spec.dataset, self.spec.teacher))


def subjects(
    student: Predictor, result: Mapping[str, Any], kept: Kept, data: RunData, *, should_stop: ShouldStop = never
) -> Subjects:
    """Open everybody who can be asked about changed rows. Errors: Stopped."""
    found = Subjects()
    folder, index = student.folder, int(student.student["index"])
    openers: dict[str, Callable[[], Asked]] = {
        "teacher": lambda: _teacher(data, result, kept, should_stop),
        "baseline": lambda: _baseline(student),
        "student": lambda: _by_file(student),
    }
    name = ((result["students"][index].get("reference") or {}).get("best") or {}).get("name")
    if name is not None:
        openers["plain"] = lambda: _by_file(load(folder.path, f"plain {name}"))
    for arm, opened in openers.items():
        try:
            found.asked[arm] = opened()
        except KDError as error:
            found.left_out[arm] = str(error)
    return found


def _by_file(model: Predictor) -> Asked:
    types = model.deployed.reader.types if model.deployed else model.engine.view.types
    return lambda frame: model.ask(as_written(frame, types))[0]


def _baseline(student: Predictor) -> Asked:
    earlier = open_run(str(student.folder.path))
    told = student.student
    path, _ = earlier.files["baseline", str(told["name"]), int(told["seed"])]
    view = {Path(name).name: student.kept(name) for name in told["view"]}
    engine = Engine(view, path.read_bytes(), told, student.purpose)
    types = engine.view.types
    return lambda frame: engine.run(as_written(frame, types))[0]


def _teacher(data: RunData, result: Mapping[str, Any], kept: Kept, should_stop: ShouldStop) -> Asked:
    spec = data.spec
    if opening.sends(spec.teacher):
        raise _not_asked("rows would be sent to another machine")
    live = opening.why_not(spec.teacher) is None
    if not live:
        if reason := again.why_not(spec.teacher):
            raise _not_asked(reason)
        seconds = float((result["teacher"].get("details") or {}).get("full_seconds") or 0.0)
        if seconds > TEACHER_SECONDS:
            raise _not_asked(f"it would have to be trained once more, which took {seconds:,.0f} seconds")
        if kept.teacher is None or not known_rows(kept.teacher).all():
            raise _not_asked("its answers to the kept rows are not known, by which it would be recognised")
    dataset = data.dataset
    if live:
        model = opening.opened(dataset, spec.teacher)
    else:
        assert kept.teacher is not None
        weights, seed = objective.weights_for(dataset, spec.training), spec.training.first_seed
        model = again.trained_again(
            dataset, spec.teacher, seed, kept.frame, kept.teacher, class_weights=weights, should_stop=should_stop
        )
    task, scale = dataset.task, (dataset.target_mean, dataset.target_std)

    def ask(frame: pd.DataFrame) -> Array:
        told = task_of(task).answers(np.asarray(model.ask(frame), np.float64), *scale)
        return np.asarray(told["p"] if "p" in told else told["values"][:, None])

    return ask


def _not_asked(why: str) -> KDError:
    return KDError(
        "The teacher can't be asked about changed rows: {why}.",
        "Look at its students alone.",
        "teacher_not_asked",
        why=why,
    )
