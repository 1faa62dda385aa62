"""What is found when a student is looked at: groups of rows, disturbed rows, what it leans on; plain values for pages and files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.errors import KDError, Stopped
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import Answers, better_of
from kd_core.evaluate.examination.disturbance import DISTURBANCES, STRENGTHS
from kd_core.evaluate.examination.importance import alike, importance
from kd_core.evaluate.examination.slices import slices
from kd_core.evaluate.intervals.row_spread import units_of
from kd_core.machine import device as devices
from kd_core.runs import artifacts
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.examining.confidence import surest
from kd_core.runs.examining.subjects import Asked, Kept, Subjects, kept_rows, subjects
from kd_core.runs.predictor import FromFile, Predictor, load
from kd_core.safe_io import write_json
from kd_core.seeding import derive
from kd_core.task import IN_PARTS, task_of
from kd_core.training.loop import ShouldStop, never

SCHEMA = 1
MOST_ROWS = 1000  # that are disturbed and dealt anew
MOST_COLUMNS = 40  # whose importance is told, the student's own order
MOST_DISAGREEMENTS = 20
DRAWS = 3  # of each disturbance and strength
Notify = Callable[[str, int, int], None]  # what is done, how many parts of how many


def why_not(task: str) -> str | None:
    """Say why students of a task can't be looked at closer, or None where they can: groups, mistakes and effects are of one answer a row."""
    if task_of(task).by_order:
        return "a ranking compares the rows of a query, and a closer look would take queries apart"
    told = task_of(task)
    if IN_PARTS(told):
        return "a row has several targets, and this looks at one answer a row"
    return "a row has several labels, and this looks at one answer a row" if told.each_alone else None


def opened(run: Path | str, student: str | None = None) -> tuple[Predictor, Mapping[str, Any], Kept]:
    """Open a student of a run with its result and the test rows that were kept.

    Errors: as `predictor.load`, `kept_rows`; KDError `examine_no_rows` of a file, or of a plain model; `examine_catalogue`.
    """
    model = load(run, student)
    if why := why_not(model.purpose.task.name):
        raise KDError(
            "'{name}' can't be looked at closer: {why}.",
            "The overview and the mistakes of the run tell of each label.",
            "examine_task",
            name=student or str(run),
            why=why,
        )
    result = None if isinstance(model, FromFile) else model.folder.result()
    if result is None or "index" not in model.student:
        raise KDError(
            "'{name}' has no test rows beside it, at which it could be looked.",
            "Give a run, and a student of it.",
            "examine_no_rows",
            name=student or str(run),
        )
    if model.purpose.task.compact:
        raise KDError(
            "A closer look is not made where the target is an item of a whole catalogue: its groups, disturbances and columns are those of tables.",
            "The result tells new users and rare items apart.",
            "examine_catalogue",
        )
    return model, result, kept_rows(model, result)


def examine(
    run: Path | str,
    student: str | None = None,
    *,
    notify: Notify = lambda what, done, of: None,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Look at a student with the test rows that its run kept, and keep what is found beside the run.

    Nothing is chosen by it: it is a description of test rows, not a second selection on them.
    Errors: as `opened`; Stopped.
    """
    began = time.perf_counter()
    model, result, kept = opened(run, student)
    notify("open", 0, 1)
    with devices.threads(1):  # trees on several threads wait longer for each other than they work
        data = RunData(model.folder)
        who = subjects(model, result, kept, data, should_stop=should_stop)
        surer = surest(model, who.asked["student"], kept, data)
        disturbed = _disturbed(model, result["metric"]["name"], kept, who, notify, should_stop)
    found = {
        "schema": SCHEMA,
        "student": str(model.student["name"]),
        "rows": len(kept.labels),
        "metric": result["metric"]["name"],
        "asked": list(who.asked),
        "left_out": who.left_out,
        **_groups(model, kept, result),
        **surer,
        **disturbed,
    }
    found["seconds"] = round(time.perf_counter() - began, 3)
    path = place(model)
    path.parent.mkdir(exist_ok=True)
    write_json(path, found)
    return found


def opened_with_others(run: Path | str, student: str | None = None) -> tuple[Predictor, Kept, Subjects]:
    """Open a student with the kept rows and everybody who can be asked beside it. Errors: as `opened`."""
    model, result, kept = opened(run, student)
    with devices.threads(1):
        return model, kept, subjects(model, result, kept, RunData(model.folder))


def place(model: Predictor) -> Path:
    """Return where it is kept what was found of a student; no part of the run's own files."""
    return model.folder.path / "examined" / f"{int(model.student['index'])}.json"


def answers_of(model: Predictor, y: Array, found: Array) -> Answers:
    """Turn what a model says into answers. Shape: y (N,); found as `Asked` gives it."""
    task = model.purpose.task
    if task.has_classes:
        return Answers(task.name, y, p=np.asarray(found, np.float64))
    return Answers(task.name, np.asarray(y, np.float64), values=np.asarray(found, np.float64)[:, 0])


def _groups(model: Predictor, kept: Kept, result: Mapping[str, Any]) -> dict[str, Any]:
    purpose = model.purpose
    scale = purpose.mean, purpose.std
    logits = {"teacher": kept.teacher, "baseline": kept.baseline, "student": kept.student}
    arms = {
        arm: from_logits(purpose.task.name, kept.labels, z, *scale)
        for arm, z in logits.items()
        if z is not None and not np.isnan(z).any()
    }
    spec = model.folder.spec()
    group = spec.dataset.group
    units = units_of(kept.frame[group].astype(str).to_numpy()) if group in kept.frame else None
    frame = kept.frame[[name for name in model.columns if name in kept.frame]]
    classes = purpose.classes if purpose.task.has_classes else ()
    found: dict[str, Any] = {
        f"versus_{other}": [one.told() for one in slices(frame, arms, "student", other, classes, units)]
        for other in ("baseline", "teacher")
        if other in arms
    }
    if "teacher" in arms and purpose.task.has_classes:
        found["disagreements"] = _disagreements(arms["student"], arms["teacher"])
        found["disagree"] = float((arms["student"].predicted != arms["teacher"].predicted).mean())
    return found


def _disagreements(student: Answers, teacher: Answers) -> list[dict[str, Any]]:
    """List the rows where the two answer otherwise, those first of which both are surest."""
    assert student.p is not None and teacher.p is not None
    rows = np.flatnonzero(student.predicted != teacher.predicted)
    sure = student.p.max(axis=1) * teacher.p.max(axis=1)
    return [
        {
            "row": int(row),
            "label": int(student.y[row]),
            "student": int(student.predicted[row]),
            "teacher": int(teacher.predicted[row]),
            "student_p": float(student.p[row].max()),
            "teacher_p": float(teacher.p[row].max()),
        }
        for row in rows[np.argsort(-sure[rows], kind="stable")][:MOST_DISAGREEMENTS]
    ]


def _disturbed(
    model: Predictor, metric: str, kept: Kept, who: Subjects, notify: Notify, should_stop: ShouldStop
) -> dict[str, Any]:
    some = artifacts.kept_rows(
        len(kept.labels), "examined", MOST_ROWS
    )  # of all: the first ones may be the oldest, or of one class
    frame, y = kept.frame.iloc[some].reset_index(drop=True), kept.labels[some]
    types = model.deployed.reader.types if model.deployed else model.engine.view.types
    make = METRICS.get(metric).make

    def score(ask: Asked, rows: pd.DataFrame) -> float | None:
        if should_stop():
            raise Stopped
        return make(answers_of(model, y, ask(rows)))

    ways = [one for one in DISTURBANCES if one.columns(types)]
    dealt = [name for name in model.columns if types[name].kind not in ("text", "picture")]
    columns = dealt[:MOST_COLUMNS]
    parts = len(ways) * len(STRENGTHS) + len(who.asked) * bool(len(columns) > 1)
    done, lines = 0, []
    for way in ways:
        for strength in STRENGTHS:
            made = [way.disturbed(frame, types, strength, derive(0, "disturbed", way.name, n)) for n in range(DRAWS)]
            for arm, ask in who.asked.items():
                values = [v for rows in made if (v := score(ask, rows)) is not None]
                if values:
                    told = {"way": way.name, "strength": strength, "arm": arm}
                    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
                    lines.append({**told, "score": float(np.mean(values)), "spread": spread})
            done += 1
            notify("disturb", done, parts)
    leaning = {}
    if len(columns) > 1:
        for arm, ask in who.asked.items():
            own: Asked = ask
            leaning[arm] = importance(lambda rows, own=own: score(own, rows), frame, columns, better=better_of(metric))  # type: ignore[misc]
            done += 1
            notify("lean", done, parts)
    alikeness = {
        other: value
        for other in ("teacher", "baseline")
        if other in leaning and (value := alike(leaning["student"], leaning[other])) is not None
    }
    return {
        "asked_rows": len(frame),
        "undisturbed": {arm: score(ask, frame) for arm, ask in who.asked.items()},
        "disturbed": lines,
        "columns": [len(columns), len(dealt)],
        "importance": {arm: [asdict(one) for one in found] for arm, found in leaning.items()},
        "alike": alikeness,
    }
