"""Who can be asked about changed rows: the student's file, its baseline's weights, plain models, and the teacher where it is at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.torch

from kd_core.data.dataset import Array
from kd_core.distill import objective
from kd_core.errors import KDError
from kd_core.runs.continuing import earlier
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.exporting.as_written import as_written
from kd_core.runs.predictor import Engine, Predictor, load
from kd_core.runs.store.kept_rows import ANSWERS, answers_of, frame_of
from kd_core.safe_io import Damaged
from kd_core.specs import CompressSpec
from kd_core.task import task_of
from kd_core.teachers.base import Answering
from kd_core.teachers.live import again, opening
from kd_core.training.loop import ShouldStop, never

TEACHER_SECONDS = 120  # a teacher that takes longer to train is not trained once more only to be looked at

# ask(frame) -> each class's probability (N, C), or the number in the target's unit (N, 1); frame: typed rows with all columns
Asked = Callable[[pd.DataFrame], Array]


@dataclass(frozen=True)
class Kept:
    """What a run kept of some test rows: their columns, labels, and the logits of teacher, baseline and student. Shape: N rows, (N,), (N, C).

    `teacher` is None where it answered none of them, `baseline` where the student is the one that learned alone.
    """

    frame: pd.DataFrame
    labels: Array
    teacher: Array | None
    baseline: Array | None
    student: Array


@dataclass
class Subjects:
    """Models by arm, in the order in which they are drawn; `left_out`: who can't be asked, and why, in words."""

    asked: dict[str, Asked] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def kept_rows(model: Predictor, result: Mapping[str, Any]) -> Kept:
    """Read what a run kept of its test rows. A stage of a student made smaller is asked: kept are the student's answers as it was.

    Errors: KDError `run_damaged`.
    """
    folder, number, small = model.folder, int(model.student["index"]), result.get("compressed")
    frame, arrays, at = frame_of(folder), answers_of(folder), 0 if small else number
    try:
        labels, baseline, student = (arrays[name] for name in ("labels", f"baseline_{at}", f"student_{at}"))
    except KeyError as error:
        raise folder.damaged(f"artifacts/{ANSWERS}", Damaged(f"lacks {error}")) from None
    if alone := model.student.get("arm") == "baseline":
        student = baseline
    if small and number:
        student = _logits(model, _by_file(model)(frame))
    return Kept(frame, labels, arrays.get("teacher"), None if alone else baseline, student)


def _logits(model: Predictor, found: Array) -> Array:
    """Turn answers back into what they were made of. Shape: (N, C)."""
    purpose = model.purpose
    if purpose.task.has_classes:
        return np.asarray(np.log(np.maximum(np.asarray(found, np.float64), np.finfo(np.float64).tiny)))
    return np.asarray((np.asarray(found, np.float64) - purpose.mean) / purpose.std)


def subjects(
    student: Predictor, result: Mapping[str, Any], kept: Kept, data: RunData, *, should_stop: ShouldStop = never
) -> Subjects:
    """Open everybody who can be asked about changed rows. Errors: Stopped."""
    found = Subjects()
    openers: dict[str, Callable[[], Asked]] = {
        "teacher": lambda: _teacher(data, result, kept, should_stop),
        "baseline": lambda: _baseline(student, result, data.spec.compress),
        "student": lambda: _by_file(student),
    }
    own = _name(student, result)
    told: Mapping[str, Any] = next((one for one in result["students"] if one["name"] == own), {})
    name = ((told.get("reference") or {}).get("best") or {}).get("name")
    if name is not None and not result.get("compressed"):  # plain models stay with the run that made them
        openers["plain"] = lambda: _by_file(load(student.folder.path, f"plain {name}"))
    for arm, opened in openers.items():
        try:
            found.asked[arm] = opened()
        except KDError as error:
            found.left_out[arm] = str(error)
    return found


def _by_file(model: Predictor) -> Asked:
    types = model.deployed.reader.types if model.deployed else model.engine.view.types
    return lambda frame: model.ask(as_written(frame, types))[0]


def _name(student: Predictor, result: Mapping[str, Any]) -> str:
    """Name a student as its run's recipe does, a stage by the student that it was made of."""
    return str((result.get("compressed") or {}).get("student") or student.student["name"])


def _baseline(student: Predictor, result: Mapping[str, Any], small: CompressSpec | None) -> Asked:
    """Open the same student trained alone, of the weights that the run kept, or the run that a smaller one was made from."""
    if student.student.get("arm") == "baseline":
        raise KDError("The student that is taken home learned alone.", "It is its own baseline.", "baseline_itself")
    found = earlier.opened(small) if small else earlier.open_run(str(student.folder.path))
    own = load(found.folder.path, _name(student, result)) if small else student
    told = own.student
    key: earlier.Key = ("baseline", str(told["name"]), int(told["seed"]))
    if key not in found.files:
        raise KDError(
            "The run did not keep the weights of '{name}' trained alone.",
            "Look at the others.",
            "baseline_gone",
            name=key[1],
        )
    view = {Path(name).name: own.kept(name) for name in told["view"]}
    engine = Engine(view, safetensors.torch.save(found.state(*key)), told, own.purpose)
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
    dataset = data.taught
    if live:
        model: Answering = opening.opened(dataset, spec.teacher)
    else:
        weights, seed = objective.weights_for(data.dataset, spec.training), spec.training.first_seed
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
