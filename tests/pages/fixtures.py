"""Runs in every state, in the documented shape, for tests of the screens only."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.evaluate import METRICS
from kd_core.runs.store.runs import RunStore
from kd_core.safe_io import write_bytes, write_json
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.workspace import workspace
from tests.pages.results import CLASSES as CLASSES
from tests.pages.results import HOSTILE as HOSTILE
from tests.pages.results import PRIMARY as PRIMARY
from tests.pages.results import difference as difference
from tests.pages.results import result as result
from tests.pages.results import spread as spread


def store() -> RunStore:
    """The run store the screens read in this test."""
    from pages.ui.shared import engine

    engine._store.cache_clear()
    return engine.store()


def spec(name: str = "visits", students: tuple[str, ...] = ("tiny",), seeds: int = 3, **more: Any) -> RunSpec:
    """A plain spec; `dataset`, `target` and `teacher` may be replaced."""
    objective = more.get("objective") or Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.7})
    return RunSpec(
        name=name,
        dataset=DatasetSpec(
            source="sample:visits", name=more.get("dataset", "visits"), target=more.get("target", "purchased")
        ),
        teacher=Choice(name=more.get("teacher", "gradient_boosting")),
        students=tuple(StudentSpec(name=s, arch=Choice(name="mlp")) for s in students),
        objective=objective,
        training=TrainingSpec(seeds=seeds, epochs=6),
        mode=Choice(name=more.get("mode", "offline")),
    )


def curve_events(students: tuple[str, ...], seeds: int, metric: str, epochs: int = 6) -> list[dict[str, Any]]:
    """Events of a whole run: plan, teacher, baselines, room, students."""
    total, done = 2 * len(students) * seeds, 0
    events: list[dict[str, Any]] = [
        {"kind": "phase", "phase": "data", "state": "start"},
        {
            "kind": "plan",
            "trainings": total,
            "phases": ["data", "teacher", "baseline", "students", "evaluate"],
            "students": list(students),
            "seeds": list(range(seeds)),
            "epochs": epochs,
            "metric": metric,
            "better": METRICS.get(metric).facts["better"],
            "device": "cpu",
            "estimate_seconds": 20.0,
        },
        {"kind": "phase", "phase": "data", "state": "end", "seconds": 0.4},
        {"kind": "phase", "phase": "teacher", "state": "start"},
        {
            "kind": "teacher",
            "name": "gradient_boosting",
            "metrics": {metric: 0.93},
            "parameters": 31_000,
            "size_bytes": 266_000,
            "seconds": 1.2,
            "cached": False,
        },
        {"kind": "phase", "phase": "teacher", "state": "end", "seconds": 1.3, "cached": False},
        {"kind": "warning", "code": "leak", "message": "Column 'id' looks like a row number.", "hint": "Drop it."},
    ]
    for arm, phase in (("baseline", "baseline"), ("student", "students")):
        events.append({"kind": "phase", "phase": phase, "state": "start"})
        for seed in range(seeds):
            for name in students:
                for epoch in range(1, epochs + 1):
                    score = 0.9 - 0.2 / epoch + (0.01 if arm == "student" else 0.0) + 0.001 * seed
                    events.append(
                        {
                            "kind": "epoch",
                            "arm": arm,
                            "student": name,
                            "seed": seed,
                            "fold": None,
                            "epoch": epoch,
                            "epochs": epochs,
                            "loss": 1.0 / epoch,
                            "hard": 0.5 / epoch,
                            "soft": 0.5 / epoch,
                            "score": score,
                            "metrics": {metric: score},
                            "learning_rate": 1e-3,
                            "rows_per_s": 41_000.0,
                            "best": epoch,
                        }
                    )
                done += 1
                events.append(
                    {
                        "kind": "trained",
                        "arm": arm,
                        "student": name,
                        "seed": seed,
                        "fold": None,
                        "selected_epoch": epochs,
                        "last_epoch": epochs,
                        "score_selected": score,
                        "score_last": score,
                        "seconds": 0.5,
                        "done": done,
                        "of": total,
                    }
                )
        events.append({"kind": "phase", "phase": phase, "state": "end", "seconds": 2.0})
        if arm == "baseline":
            gain = {"mean": 0.05, "ci95": [0.03, 0.07], "seeds_half": 0.01, "rows_half": 0.017, "n": seeds}
            rows = [
                {
                    "student": s,
                    "teacher": 0.93,
                    "baseline": 0.88,
                    "gain": gain,
                    "units": 1800,
                    "state": "room",
                    "room": True,
                }
                for s in students
            ]
            events.append({"kind": "room", "metric": metric, "students": rows})
    events.append({"kind": "resources", "rss_mb": 812.0, "gpu_mb": None})
    return events


def write_artifacts(path: Path, found: dict[str, Any], columns: tuple[str, ...] = ("pages", "device")) -> None:
    """Write soft labels, rows and (dummy) weights as `kd_core.runs.artifacts` lays them out."""
    rng = np.random.default_rng(0)
    count, num = found["artifacts"]["rows_kept"], max(len(found["dataset"]["classes"]), 1)
    labels: Any = rng.integers(0, num, count) if num > 1 else rng.normal(30, 8, count).astype(np.float32)
    teacher = rng.normal(size=(count, num)).astype(np.float32)
    if num > 1:
        teacher[np.arange(count), labels] += 2.5
    arrays = {"row_ids": np.arange(count), "labels": labels, "teacher": teacher}
    for i in range(len(found["students"])):
        arrays[f"student_{i}"] = teacher + rng.normal(scale=0.7, size=(count, num)).astype(np.float32)
        arrays[f"baseline_{i}"] = teacher + rng.normal(scale=1.3, size=(count, num)).astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path / "artifacts" / "soft_labels.npz", buffer.getvalue())
    rows = io.BytesIO()
    first, second = columns
    frame = pd.DataFrame({first: np.arange(count), second: [HOSTILE[i % 3] for i in range(count)]})
    frame.to_parquet(rows, index=False)
    write_bytes(path / "artifacts" / "rows.parquet", rows.getvalue())
    for entry in found["artifacts"]["students"]:
        write_bytes(path / entry["weights"], b"weights")
        write_bytes(path / entry["onnx"], b"onnx")


def make_run(
    state: str = "done",
    students: tuple[str, ...] = ("tiny",),
    found: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    error: dict[str, Any] | None = None,
    task: str = "binary",
    **more: Any,
) -> str:
    """Make a run in a state, with events, result and artifacts, and return its id."""
    runs = store()
    run_id = runs.create(spec(students=students, **more))
    folder = runs.folder(run_id)
    if state != "queued":
        folder.append_events(curve_events(students, 3, PRIMARY[task]) if events is None else events)
    if found is not None:
        found = {**found, "run_id": run_id}
        write_artifacts(folder.path, found, more.get("columns", ("pages", "device")))
        write_json(folder.path / "result.json", found)
    times = {} if state == "queued" else {"started_utc": "2026-01-02T03:04:05.000Z"}
    ended = (
        {"ended_utc": "2026-01-02T03:05:05.000Z", "seconds": 60.0} if state in ("done", "cancelled", "failed") else {}
    )
    folder.write_status(state=state, error=error, **times, **ended)
    runs.refresh(run_id)
    return run_id


def done_run(task: str = "binary", students: tuple[str, ...] = ("tiny",), verdict: str = "beats", **more: Any) -> str:
    """Make a finished run with everything a finished run has."""
    keys = (
        "classes",
        "reason",
        "room",
        "size_bytes",
        "seeds",
        "placebo_reason",
        "smooth",
        "advice",
        "test_reads",
        "splits",
        "budget",
        "plain",
    )
    found = result(task=task, students=students, verdict=verdict, **{k: more.pop(k) for k in keys if k in more})
    lesson = more["objective"].settings if "objective" in more else {}
    found["students"] = [{**s, **lesson} for s in found["students"]]
    return make_run("done", students, found, task=task, **more)


def root() -> Path:
    """The workspace of this test."""
    return workspace()
