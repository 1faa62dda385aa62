"""How teacher and student meet: what every mode is, and what it is given.

A mode may change the recipe (what is taught, for how long), make what students are taught once for all of them (a chain), or train
each student in its own way (both networks together). Whatever it does, the baseline is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.inner.hints import Hints
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.student import Start, TrainedStudent, train_student
from kd_core.distill.terms import hears_live
from kd_core.registry import Registry
from kd_core.specs import Choice, RunSpec, StudentSpec, TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, ignore, never

NETWORK = "network."  # before a weight's name: table of the teacher's own network
MEMBER = "member."  # before the number and name of one of several teachers: table of its answers
HELPER = "helper"  # the arm of what learns for a student's sake: its events and curves


@dataclass(frozen=True)
class Lesson:
    """What students are taught, and who learns. `members`: by number and name, what each of several teachers answers alone, for a mode that asks.
    `teacher`: who made the answers, for a mode that trains it again beside the student. `weights`: by name, of the teacher's network, for a mode
    that takes them (`network`). `hints`: what the teacher thinks inside, for a mode that hands it on (`inside`).

    Shape: answers (N, C) of the training rows, NaN where not answered.
    """

    dataset: Dataset
    student: StudentSpec
    objective: Choice
    answers: Array
    training: TrainingSpec
    teacher: Choice | None = None
    made: MadeLesson | None = None
    weights: Mapping[str, Array] = field(default_factory=dict)
    hints: Hints | None = None
    members: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """How one training is carried out: who is told, who may stop it, and where. `metric` selects epochs."""

    seed: int
    notify: Notify = ignore
    should_stop: ShouldStop = never
    checkpoint: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    metric: str | None = None

    def beside(self, name: str, seed: int | None = None) -> Way:
        """Return the way of a further training for the student's sake: a place and a seed of its own, told of under its name."""

        def tell(event: dict[str, Any]) -> None:
            self.notify({**event, "helper": name} if event["kind"] == "epoch" else event)

        place = None if self.checkpoint is None else self.checkpoint.with_suffix(f".{name.replace(' ', '-')}")
        return replace(self, seed=self.seed if seed is None else seed, notify=tell, checkpoint=place)


@dataclass(frozen=True)
class Helper:
    """What learned for a student's sake. `score`: of the selection metric on validation rows, at the epoch that counts.

    `measure`: what the score is where it is something else, in words that a number follows.
    """

    name: str
    score: float | None
    seconds: float
    parameters: int
    measure: str = ""

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "score": self.score,
            "seconds": round(self.seconds, 3),
            "parameters": self.parameters,
            **({"measure": self.measure} if self.measure else {}),
        }


@dataclass(frozen=True)
class Met:
    """A student that was taught, and who learned for its sake."""

    student: TrainedStudent
    helpers: tuple[Helper, ...] = ()


@dataclass(frozen=True)
class Link:
    """What stands between teacher and students. Shape: answers (N, C) to the training rows, by fits of `folds` that never saw them
    (1: that were trained on them). `student`: trained on all rows, which answers validation and test. Units: seconds of all fits.
    """

    who: StudentSpec
    answers: Array
    student: TrainedStudent
    seconds: float
    folds: int


def taught(
    lesson: Lesson, way: Way, objective: Choice | None = None, *, alone: bool = False, start: Start | None = None
) -> TrainedStudent:
    """Train a student on answers that are at hand (`alone`: on the labels only). `start`: see `train_student`. Errors: as `train_student`."""
    asked = None if alone else objective or lesson.objective
    return train_student(
        lesson.dataset,
        lesson.student,
        asked,
        None if alone else lesson.answers,
        lesson.training,
        way.seed,
        notify=way.notify,
        should_stop=way.should_stop,
        checkpoint=way.checkpoint,
        device=way.device,
        selection_metric=way.metric,
        hints=None if alone else lesson.hints,
        made=None if alone else lesson.made,
        start=start,
    )


# mode(spec, lesson, way) -> Met: trains one student, whose start weights and batches come from `way.seed` as the baseline's do.
Mode = Callable[[Any, Lesson, Way], Met]

# facts: about="one paragraph for the form"; apart=True where each student is trained by the mode itself (else by stored answers, in stacks);
# members=True where each of several teachers is also heard alone; live=True where the teacher is trained anew beside each student;
# inside=True where students may be taught by losses that look inside the teacher; network=True where students take weights of the teacher's
# network; own_lesson=True where the run's loss is not used, only the mode's; recipe=function(spec, run) -> run as it is carried out (`RunSpec`);
# unlabelled=True where students hear no label, whatever alpha says: the recipe gives the teacher the whole lesson;
# unread=True where students hear nothing that the teacher says of training rows, so that it does not matter which ones it learned from;
# chain=function(spec, lesson, way, folds, the teacher's parameters or None) -> Link: what students are taught, made once for all of them;
# rows=function(spec, dataset, folds, seed) -> MadeRows that the teacher answers as well, in the place of mixed ones (a recipe asks for them);
# making=function(spec) -> Making: how rows are made of training rows where not of neighbours;
# again=function(spec) -> how many more trainings there are for comparison only;
# looks=function(spec) -> how often the teacher's network looks at a picture while they are made, for the estimate;
# checks=function(spec, run) -> Problem or None: what of a run it can't work with, beside its needs;
# times=function(spec) -> how many trainings of a student one of its trainings is worth, for the estimate and a second baseline of as many epochs
MODES: Registry[Mode] = Registry("mode", "kd_core.distill.modes")


def hears_network(spec: RunSpec) -> bool:
    """Say whether the mode or the lesson of a run takes the weights of the teacher's network.

    A mode that nobody knows takes none, and is told of elsewhere. Errors: UnknownName, SpecError for the lesson.
    """
    known = spec.mode.name in MODES.names() and bool(MODES.get(spec.mode.name).facts.get("network"))
    return known or hears_live(spec.objective)
