"""What a run's mode changes of it: the recipe as it is carried out, what is trained apart, and what can't go together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.distill import MODES, placebo
from kd_core.distill.meeting import Lesson, Link, Way
from kd_core.distill.sweep.variants import digest
from kd_core.distill.terms import hears_inside, soft_share
from kd_core.errors import Problem, Says
from kd_core.evaluate.base import measure
from kd_core.models.sizes import sizes_for
from kd_core.runs.assessment import answers
from kd_core.specs import OFFLINE, RunSpec
from kd_core.teachers.answer_cache.cache import CODE, code_version
from kd_core.teachers.base import TeacherAnswers, members
from kd_core.teachers.fitting import IN_SAMPLE
from kd_core.teachers.made_rows import NEIGHBOURS, MadeRows, Making

_IN_GRID = Says(
    "mode_in_grid",
    "error",
    "A what-if compares lessons in the mode '{offline}', not in '{name}': its variants share one table of answers.",
    "Set the mode to '{offline}', or run this setting by itself.",
)
_IN_CHOICE = Says(
    "mode_in_choice",
    "error",
    "The best student can't be chosen in the mode '{name}': every candidate would be trained in it.",
    "Choose the student in the mode '{offline}' first, or name one.",
)
_NO_LABELS = Says(
    "mode_without_labels",
    "error",
    "The mode '{name}' learns from true labels as well, and there are none: they are made from the teacher's answers.",
    "Set the mode to '{offline}', or name a target.",
)
_UNHEARD = Says(
    "mode_unheard",
    "error",
    "With alpha 0 a student learns from its labels alone, whatever the mode '{name}' does.",
    "Set alpha above 0, or the mode to '{offline}'.",
)
_MADE_ROWS = Says(
    "mode_made_rows",
    "error",
    "The mode '{name}' does not use made rows: they have answers of the stored teacher only.",
    "Set made_rows to 0, or the mode to '{offline}'.",
)
_FEATURES = Says(
    "mode_features",
    "error",
    "The loss '{loss}' reads what the teacher thinks inside, and in the mode '{name}' students do not learn from the teacher itself.",
    "Choose another loss, or the mode '{offline}'.",
)


def settings(spec: RunSpec) -> Any:
    """Return the settings of a run's mode. Errors: UnknownName, SpecError."""
    return MODES.get(spec.mode.name).spec.parse(spec.mode.settings, f"mode {spec.mode.name}")


def carried_out(spec: RunSpec) -> RunSpec:
    """Return a run as its mode carries it out; one that nobody knows, or with wrong settings, stays as it is and is told of elsewhere."""
    if spec.mode.name not in MODES.names():
        return spec
    entry = MODES.get(spec.mode.name)
    recipe = entry.facts.get("recipe")
    found: RunSpec = spec if recipe is None else recipe(settings(spec), spec)
    return found


def facts(spec: RunSpec) -> dict[str, Any]:
    """Return what is registered of a run's mode beside its settings. Errors: UnknownName."""
    return dict(MODES.get(spec.mode.name).facts)


def apart(spec: RunSpec) -> bool:
    """Say whether the mode trains each student itself."""
    return bool(MODES.get(spec.mode.name).facts.get("apart"))


def own_lesson(spec: RunSpec) -> bool:
    """Say whether the run's loss, with its temperature and alpha, is not used."""
    return bool(MODES.get(spec.mode.name).facts.get("own_lesson"))


def unlabelled(mode: str) -> bool:
    """Say whether students hear no label in a mode, whatever alpha is; in one that nobody knows they may."""
    return mode in MODES.names() and bool(MODES.get(mode).facts.get("unlabelled"))


def heard(spec: RunSpec, notes: Sequence[Mapping[str, str]]) -> tuple[dict[str, str], ...]:
    """Leave out of a teacher's notes that it knows the training rows, where students hear nothing that it says of them."""
    told = not facts(spec).get("unread")
    return tuple(dict(note) for note in notes if told or note["code"] != IN_SAMPLE.code)


def why_no_placebo(spec: RunSpec, task: str) -> str | None:
    """Name why there is no placebo for a run, or None when there is one; `mode`: its students are not taught by stored answers."""
    return "mode" if apart(spec) else placebo.why_none(task, spec.objective)


def times(spec: RunSpec) -> float:
    """Say how many trainings of a student the training of a taught one is worth."""
    count = MODES.get(spec.mode.name).facts.get("times")
    return 1.0 if count is None else float(count(settings(spec)))


def making(spec: RunSpec) -> Making:
    """Say how rows are made of training rows in this mode: of neighbours where it says nothing."""
    own = MODES.get(spec.mode.name).facts.get("making")
    return NEIGHBOURS if own is None else own(settings(spec))


def rows(spec: RunSpec, dataset: Dataset, folds: int, seed: int, times: int) -> MadeRows:
    """Make the rows that a teacher answers beside the training rows: those of the mode, else mixed ones. Errors: as `making` makes them."""
    make = MODES.get(spec.mode.name).facts.get("rows")
    found: MadeRows = (
        making(spec).make(dataset, folds, seed, times) if make is None else make(settings(spec), dataset, folds, seed)
    )
    return found


def link(spec: RunSpec, dataset: Dataset, teacher: TeacherAnswers, folds: int, way: Way, place: Path) -> Link | None:
    """Train what stands between teacher and students, None where nothing does. Its checkpoints lie in `place`.

    A run that was cut off trains it again, or goes on from a checkpoint: the answers, and with them all finished trainings, are the same.
    Errors: SpecError, Stopped; KDError as in a training.
    """
    entry = MODES.get(spec.mode.name)
    make = entry.facts.get("chain")
    if make is None:
        return None
    largest = max(spec.students, key=lambda s: sizes_for(dataset, s.arch).parameters)
    told = teacher.logits["train"]
    lesson = Lesson(dataset, largest, spec.objective, told, spec.training, spec.teacher)
    decides = [
        dataset.hash,
        digest(told),
        spec.objective.to_json(),
        spec.training.to_json(),
        spec.mode.to_json(),
        folds,
        way.device.type,
    ]
    named = hashlib.sha256(json.dumps([*decides, code_version((*CODE, "distill"))]).encode()).hexdigest()[:16]
    found: Link = make(
        settings(spec), lesson, replace(way, checkpoint=place / f"{named}.ckpt"), folds, teacher.num_parameters
    )
    return found


def told_link(dataset: Dataset, found: Link) -> dict[str, Any]:
    """Say of what stands between teacher and students who it is and what it scores; the test rows are read here."""
    size = sizes_for(dataset, found.who.arch)
    return {
        "name": found.who.name,
        "arch": found.who.arch.model_dump(),
        "parameters": size.parameters,
        "size_bytes": size.size_bytes,
        "folds": found.folds,
        "seconds": round(found.seconds, 3),
        "validation": measure(answers(dataset, "validation", found.student.logits["validation"])),
        "metrics": measure(answers(dataset, "test", found.student.test_logits())),
    }


def once(spec: RunSpec, folds: int) -> int:
    """Count the trainings that are done once for all students: of a chain one, and one per fold."""
    return 1 + folds * (folds > 1) if "chain" in MODES.get(spec.mode.name).facts else 0


def live_fits(spec: RunSpec) -> int:
    """Count the trainings of the teacher that are done beside the students: of a joint mode one for each student and seed."""
    live = MODES.get(spec.mode.name).facts.get("live", False)
    return len(spec.students) * spec.training.seeds_at_first if live else 0


def way(spec: RunSpec, stacked: bool) -> str:
    """Name how a run's students are trained, by which its pace is learned."""
    if spec.mode.name != OFFLINE:
        return spec.mode.name
    return "stacks" if stacked else "apart"


def longer(spec: RunSpec) -> float:
    """Say how many times as long the trainings of a run take as those of the usual mode: one side of each pair takes more."""
    again = MODES.get(spec.mode.name).facts.get("again")
    alone = len(members(spec.teacher)) if facts(spec).get("members") and settings(spec).singles else 0
    return (1.0 + times(spec) + alone + (0.0 if again is None else float(again(settings(spec))))) / 2


def told(spec: RunSpec) -> dict[str, Any]:
    """Say the mode for the result; nothing of the usual one, so that results of older recipes stay as they were."""
    if spec.mode.name == OFFLINE:
        return {}
    entry = MODES.get(spec.mode.name)
    return {"name": entry.name, "title": entry.title, "settings": settings(spec).model_dump(), "times": times(spec)}


def check(spec: RunSpec) -> list[Problem]:
    """Find what does not go together with the mode of a run; every part of it is known."""
    if spec.mode.name == OFFLINE:
        return []
    facts, found = MODES.get(spec.mode.name).facts, []
    if spec.sweep is not None:
        found.append(_IN_GRID.problem(name=spec.mode.name, offline=OFFLINE))
    if spec.choose is not None and (facts.get("apart") or "chain" in facts):
        found.append(_IN_CHOICE.problem(name=spec.mode.name, offline=OFFLINE))
    if spec.dataset.answer_columns and facts.get("apart"):
        found.append(_NO_LABELS.problem(name=spec.mode.name, offline=OFFLINE))
    if "recipe" not in facts and not soft_share(spec.objective):
        found.append(_UNHEARD.problem(name=spec.mode.name, offline=OFFLINE))
    others = "chain" in facts or (facts.get("apart") and not facts.get("own_lesson"))
    if others and not facts.get("inside") and hears_inside(spec.objective):
        found.append(_FEATURES.problem(name=spec.mode.name, loss=spec.objective.name, offline=OFFLINE))
    if (own := facts.get("checks")) and (problem := own(settings(spec), spec)):
        found.append(problem)
    if spec.training.made_rows and (facts.get("apart") or "chain" in facts):
        found.append(_MADE_ROWS.problem(name=spec.mode.name, offline=OFFLINE))
    return found
