"""What-ifs in every state, in the documented shape, for tests of the screen only; their numbers are made up."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from kd_core.evaluate import METRICS
from kd_core.runs.cells import cell_scores, grid
from kd_core.runs.cells.cell_scores import Judge, Score
from kd_core.runs.cells.grid import plan_fields
from kd_core.safe_io import write_bytes, write_json
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, SweepSpec, TrainingSpec
from tests.pages.fixtures import CLASSES, PRIMARY, result, store, write_artifacts

NO_TEACHER_HELPS = "no teacher helps"  # a name of what-ifs in which alpha 0 is best
TARGETS = {"binary": "purchased", "multiclass": "next_category", "regression": "minutes"}


def sweep_spec(
    task: str = "binary", students: tuple[str, ...] = ("tiny",), seeds: int = 3, name: str = "many", **axes: Any
) -> RunSpec:
    """A what-if; without axes 3 temperatures (where there is one) and 3 alphas."""
    soft = task != "regression"
    axes = axes or {"temperature": (1, 4, 16) if soft else (), "alpha": (0, 0.5, 1)}
    return RunSpec(
        name=name,
        dataset=DatasetSpec(source="sample:visits", name="visits", target=TARGETS[task], task=task),
        teacher=Choice(name="gradient_boosting"),
        students=tuple(StudentSpec(name=s, arch=Choice(name="mlp", settings={"size": s})) for s in students),
        objective=Choice(name="hinton" if soft else "mse"),
        training=TrainingSpec(seeds=seeds, epochs=6),
        sweep=SweepSpec(**axes),
    )


def score(spec: RunSpec, training: grid.GridTraining, sign: float) -> float:
    """A made-up validation score: alpha 0.5 is best, higher temperatures a little worse, seeds a little apart."""
    like = training.like
    gain = (
        0.0
        if training.arm == "baseline"
        else 0.02 - 0.04 * abs((like.alpha or 0) - 0.5) - 0.001 * (like.temperature or 0)
    )
    if spec.name == NO_TEACHER_HELPS and training.arm != "baseline" and like.alpha:
        gain = -0.02 * like.alpha
    wobble = 0.0004 * ((training.position * 7) % 5)
    return 0.85 + sign * (gain + 0.01 * like.student + 0.001 * training.seed + wobble)


def events(
    spec: RunSpec, metric: str, *, finished: int | None = None, diverged: tuple[int, ...] = ()
) -> list[dict[str, Any]]:
    """Events up to a number of finished trainings (all when None); the next one is at work."""
    better = METRICS.get(metric).facts["better"]
    sign = 1.0 if better == "higher" else -1.0
    trainings = grid.trainings(spec)
    done = len(trainings) if finished is None else finished
    found: list[dict[str, Any]] = [
        {"kind": "phase", "phase": "data", "state": "start"},
        {
            "kind": "plan",
            "trainings": len(trainings),
            "phases": ["data", "teacher", "sweep", "evaluate"],
            "students": [s.name for s in spec.students],
            "seeds": list(grid.seeds(spec)),
            "epochs": 6,
            "batch_size": 64,
            "metric": metric,
            "better": better,
            "device": "cpu",
            "estimate_seconds": 20.0,
            **plan_fields(spec),
        },
        {"kind": "phase", "phase": "data", "state": "end", "seconds": 0.4},
        {
            "kind": "teacher",
            "name": "gradient_boosting",
            "metrics": {metric: 0.85 + sign * 0.05},
            "parameters": 31_000,
            "size_bytes": 266_000,
            "seconds": 1.2,
            "cached": True,
        },
        {"kind": "phase", "phase": "sweep", "state": "start"},
        {
            "kind": "sweep",
            "mode": "fused",
            "why": "Fused is foreseen to be fastest.",
            "trainings": len(trainings),
            "precision": "float32",
        },
        {
            "kind": "scores",
            "epoch": 3,
            "epochs": 6,
            "best": {str(t.position): score(spec, t, sign) for t in trainings[done : done + 1]},
        },
    ]
    for t in trainings[:done]:
        lost = t.position in diverged
        value = None if lost else score(spec, t, sign)
        found.append(
            {
                "kind": "variant",
                "training": t.position,
                "arm": t.arm,
                "student": spec.students[t.like.student].name,
                "seed": t.seed,
                "cells": list(t.cells),
                "score_selected": value,
                "score_last": value,
                "selected_epoch": 5,
                "last_epoch": 6,
                "seconds": 0.2,
                "stopped": False,
                "diverged": "no number" if lost else None,
                "done": t.position + 1,
                "of": len(trainings),
            }
        )
    return found


def sweep_result(
    spec: RunSpec, task: str, *, finished: int | None = None, diverged: tuple[int, ...] = ()
) -> dict[str, Any]:
    """A result whose cells are compared by the engine's own arithmetic."""
    found = result(task=task, students=tuple(s.name for s in spec.students), seeds=spec.training.seeds)
    facts = METRICS.get(PRIMARY[task]).facts
    judge = Judge(facts["better"], facts["margin"], facts["relative"])
    sign = 1.0 if judge.better == "higher" else -1.0
    trainings = grid.trainings(spec)
    known = {
        t.position: Score(None if t.position in diverged else score(spec, t, sign), diverged=t.position in diverged)
        for t in trainings[:finished]
    }
    own = {(c, t.seed): t.position for t in trainings for c in t.cells}
    alone = {(grid.budget(spec, t.like), t.seed): t.position for t in trainings if t.arm == "baseline"}
    seeds = grid.seeds(spec)
    scores = [
        cell_scores.gather(
            c,
            seeds,
            [known.get(own[c.index, s]) for s in seeds],
            [known.get(alone[grid.budget(spec, c), s]) for s in seeds],
        )
        for c in grid.cells(spec)
    ]
    best = cell_scores.best(scores, judge.better)
    assert best is not None
    names = [s.name for s in spec.students]
    rows = [
        {
            **cell_scores.told(s, scores[best], judge, names[s.cell.student]),
            "selected_epochs": [5] * len(s.seeds),
            "parameters": 250 * (1 + 4 * s.cell.student),
            "size_bytes": 1200 * (1 + 4 * s.cell.student),
            "latency_ms": 0.005 * (1 + s.cell.student),
        }
        for s in scores
    ]
    count = grid.count(spec)
    best_of = {
        n: cell_scores.best([s for s in scores if s.cell.student == i], judge.better) for i, n in enumerate(names)
    }
    found["cells"] = rows
    found["sweep"] = {
        "axes": grid.axes(spec),
        "best": best,
        "best_of": {n: b for n, b in best_of.items() if b is not None},
        "cells_asked": count.cells,
        "cells_compared": sum(bool(s.paired[0]) for s in scores),
        "variants": count.variants,
        "trainings": count.trainings,
        "mode": "fused",
        "why": "Fused is foreseen to be fastest.",
        "seconds": 12.5,
    }
    for student in found["students"]:
        student["cell"] = best_of[student["name"]]
        cell = next((c for c in rows if c["cell"] == student["cell"]), None)
        if cell is not None and cell["alpha"] == 0:
            _own_baseline(student)
    found["artifacts"]["cells"] = "artifacts/cells.npz"
    return found


def _own_baseline(student: dict[str, Any]) -> None:
    """Let a student be its own baseline, as the engine writes it: its gains are of a training over itself."""
    student |= {"alpha": 0.0, "metrics": student["baseline"]["metrics"], "verdict": "inconclusive", "small": False}
    nothing = {"mean": 0.0, "ci95": [-0.006, 0.006], "seeds_half": 0.0, "rows_half": 0.006}
    student["gain"] = {name: {**gain, **nothing} for name, gain in student["gain"].items()}
    student["advice"] = {"kind": "rows", "need": 360}
    student["reason"] = {"code": "wide_interval", "values": {"width": 0.012, "n": 3}}


def write_cells(path: Any, spec: RunSpec, found: dict[str, Any], rows: int = 40) -> None:
    """Write made-up answers of every cell on validation rows; NaN for a cell without a score."""
    rng = np.random.default_rng(1)
    outputs = max(1, len(found["dataset"]["classes"]))
    labels: Any = rng.integers(0, outputs, rows) if outputs > 1 else rng.normal(30, 8, rows)
    teacher = rng.normal(size=(rows, outputs)).astype(np.float32)
    logits = np.stack([teacher + rng.normal(scale=0.5, size=teacher.shape) for _ in found["cells"]]).astype(np.float16)
    for i, cell in enumerate(found["cells"]):
        if cell["mean"] is None:
            logits[i] = np.nan
    buffer = io.BytesIO()
    np.savez_compressed(buffer, row_ids=np.arange(rows) * 3, labels=labels, teacher=teacher, logits=logits)
    write_bytes(path / "artifacts" / "cells.npz", buffer.getvalue())


def make_sweep(
    state: str = "done",
    task: str = "binary",
    *,
    finished: int | None = None,
    diverged: tuple[int, ...] = (),
    **more: Any,
) -> str:
    """Make a what-if in a state and return its id."""
    spec, runs = sweep_spec(task, **more), store()
    run_id = runs.create(spec)
    folder = runs.folder(run_id)
    if state != "queued":
        folder.append_events(events(spec, PRIMARY[task], finished=finished, diverged=diverged))
    if state in ("done", "cancelled"):
        found = {**sweep_result(spec, task, finished=finished, diverged=diverged), "run_id": run_id}
        write_artifacts(folder.path, found)
        write_cells(folder.path, spec, found)
        write_json(folder.path / "result.json", found)
    ended = (
        {"ended_utc": "2026-01-02T03:05:05.000Z", "seconds": 21.0} if state in ("done", "cancelled", "failed") else {}
    )
    error = (
        {"code": "boom", "message": "It broke.", "hint": "Try again.", "error_id": "abcd1234"}
        if state == "failed"
        else None
    )
    times = {} if state == "queued" else {"started_utc": "2026-01-02T03:04:05.000Z"}
    folder.write_status(state=state, error=error, **times, **ended)
    runs.refresh(run_id)
    assert CLASSES[task] is not None
    return run_id
