"""What going on gave and what it cost: every student against its unchanged self, on new rows kept apart and on the run's test rows.

Each is one of two statements about a student, and the word is that of the interval which holds for all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from kd_core.data.dataset import Array
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.intervals import compare, families
from kd_core.evaluate.intervals.compare import verdict
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.models.building import build_for, reading_of
from kd_core.runs.assessment import spread
from kd_core.runs.cells.trainings import Arms
from kd_core.runs.continuing.asking import Told
from kd_core.runs.continuing.earlier import Earlier
from kd_core.runs.continuing.joined import Joined
from kd_core.runs.store.measured import write_gain
from kd_core.specs import RunSpec
from kd_core.task import task_of
from kd_core.teachers.base import known_rows
from kd_core.training.predict import predict

BEFORE, STUDENT, BASELINE = "before", "student", "baseline"
AGREEMENT = "accuracy"  # of classes, where the teacher's first class stands for the label
WORDS = {
    "new": {"beats": "learned", "ties": "nothing_new", "hurts": "worse", "inconclusive": "unclear"},
    "old": {"beats": "better", "ties": "kept", "hurts": "forgot", "inconclusive": "unclear"},
}


def counts(rows: Joined) -> dict[str, int]:
    """Count the rows by what they were for."""
    return {
        "new": len(rows.new),
        "labelled": int(rows.new.labelled.sum()),
        "learned": len(rows.learned) + len(rows.bare),
        "bare": len(rows.bare),
        "chosen_by": len(rows.chosen_by),
        "held": len(rows.held_labelled) if rows.measured else len(rows.held),
        "old": len(rows.kept),
        "old_of": len(rows.old.train),
        "old_test": len(rows.old.test),
    }


def students(
    rows: Joined,
    earlier: Earlier,
    told: Told,
    spec: RunSpec,
    arms: Mapping[int, Arms],
    metric: str,
    margins: Mapping[str, float],
    device: torch.device,
) -> list[dict[str, Any]]:
    """Judge every student; the test rows of the run and the new rows kept apart are read here, after all choices. `margins`: by student, of the run's metric."""
    found = []
    for index, arm in arms.items():
        student = spec.students[index]
        kind = reading_of(student.arch, rows.old.views.kinds)
        before = []
        for seed in arm.seeds:
            module = build_for(rows.dataset, student.arch)
            module.load_state_dict(earlier.state("student", student.name, seed))
            before.append(module.to(device).eval())
        sides = {BEFORE: before, STUDENT: [t.module for t in arm.student], BASELINE: [t.module for t in arm.baseline]}
        old_x = rows.old.view(kind).parts["test"]
        old = _place(rows, "old", rows.old.test.y, told.old_test, old_x, sides, metric, rows.old.test.groups, device)
        new = _new(rows, told, kind, sides, metric, device)
        places = {"new": new, "old": old}
        for name, place in places.items():
            place |= _word(name, place, margins[student.name], 2 * len(arms), METRICS.get(metric).facts["relative"])
        found.append({"name": student.name, **places})
    return found


def _new(
    rows: Joined, told: Told, kind: str, sides: Mapping[str, Sequence[Any]], metric: str, device: torch.device
) -> dict[str, Any]:
    """Measure on new rows kept apart: by their labels, or where none has one by the teacher's answers."""
    if rows.measured:
        test = rows.dataset.test
        x = rows.read_new(kind, rows.held_labelled)
        z = told.held[rows.new.labelled[rows.held]]
        return _place(rows, "labels", test.y, z, x, sides, metric, test.groups, device)
    task, answered = task_of(rows.old.task), known_rows(told.held)
    z, at = told.held[answered], rows.held[answered]
    by = AGREEMENT if task.has_classes else metric
    y = task.unscaled(task.decided(z), rows.old.target_mean, rows.old.target_std)
    return _place(rows, "teacher", y, None, rows.read_new(kind, at), sides, by, None, device)


def _place(
    rows: Joined,
    against: str,
    y: Array,
    teacher: Array | None,
    x: Any,
    sides: Mapping[str, Sequence[Any]],
    metric: str,
    units: Array | None,
    device: torch.device,
) -> dict[str, Any]:
    data = rows.old
    scale = data.target_mean, data.target_std
    models = {
        name: [from_logits(data.task, y, predict(module, x, device), *scale) for module in modules]
        for name, modules in sides.items()
    }
    codes = None if units is None else np.unique(units, return_inverse=True)[1]
    found = Evidence(models, codes)
    values: dict[str, Any] = {name: spread(found.values(metric, name)) for name in models}
    if teacher is not None and known_rows(teacher).all():
        values["teacher"] = METRICS.get(metric).make(from_logits(data.task, y, teacher, *scale))
    gains = {name: found.gain(metric, STUDENT, name) for name in (BEFORE, BASELINE)}
    alone = found.gain(metric, BASELINE, BEFORE)
    return {
        "against": "labels" if against == "old" else against,
        "metric": metric,
        "rows": len(y),
        "values": values,
        "gain": {name: None if gain is None else write_gain(gain) for name, gain in gains.items()},
        "baseline_gain": None if alone is None else write_gain(alone),
        "_gain": gains[BEFORE],
    }


def _word(name: str, place: dict[str, Any], margin: float, members: int, relative: bool) -> dict[str, Any]:
    """Name what became of the student there, by the interval that holds for all statements of the run."""
    gain = place.pop("_gain")
    if place["against"] == "teacher":
        facts = METRICS.get(place["metric"]).facts
        margin = compare.margin_in_units(facts["margin"], facts["relative"], place["values"][BEFORE]["values"])
    if gain is None:
        return {"word": "unclear", "margin": margin, "ci_family": [None, None]}
    wide = families.simultaneous(gain, members)
    return {"word": WORDS[name][verdict(wide, margin).word], "margin": margin, "ci_family": [wide.low, wide.high]}
