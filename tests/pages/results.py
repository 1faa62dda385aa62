"""Results in the documented shape, for tests of the screens only."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import certified
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.measured import write_gain

HOSTILE = ("<script>alert(1)</script>", "![x](http://evil.example/x.png)", "$\\href{javascript:alert(1)}{y}$")
CLASSES = {"binary": ("no", "yes"), "multiclass": ("books", "garden", "toys"), "regression": ()}
PRIMARY = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}


def spread(mean: float, values: list[float]) -> dict[str, Any]:
    """Mean, standard deviation and values over seeds."""
    return {"mean": mean, "std": float(np.std(values, ddof=1)) if len(values) > 1 else None, "values": values}


def difference(ours: list[float], theirs: list[float], metric: str, rows_half: float = 0.002) -> dict[str, Any]:
    """A difference as result.json holds it, with an invented part for the rows."""
    facts = METRICS.get(metric).facts
    found = certified(
        [(1 if facts["better"] == "higher" else -1) * (a - b) for a, b in zip(ours, theirs, strict=True)],
        rows_half / 1.96,
    )
    return write_gain(found)


def result(
    run_id: str = "r",
    task: str = "binary",
    students: tuple[str, ...] = ("tiny",),
    verdict: str = "beats",
    seeds: int = 3,
    **more: Any,
) -> dict[str, Any]:
    """A result in the documented shape whose gain fits the verdict.

    `classes`, `reason`, `room`, `placebo_reason`, `smooth` (the placebo's lead over the baseline), `advice`,
    `test_reads` and `splits` may be replaced.
    """
    metric = PRIMARY[task]
    sign = 1.0 if METRICS.get(metric).facts["better"] == "higher" else -1.0
    classes = list(more.get("classes", CLASSES[task]))
    shift, noise = {"beats": (0.009, 0.001), "ties": (0.001, 0.001), "hurts": (-0.02, 0.002)}.get(
        verdict, (0.004, 0.01)
    )
    names = [m.name for m in METRICS.entries() if task in m.tasks]

    def block(offset: float) -> dict[str, Any]:
        found: dict[str, Any] = {"metrics": {}}
        for name in names:
            up = 1.0 if METRICS.get(name).facts["better"] == "higher" else -1.0
            values = [0.88 + up * (offset + (noise if offset else 0.0) * (i % 3 - 1)) for i in range(seeds)]
            found["metrics"][name] = spread(float(np.mean(values)), values)
        if task != "regression":
            count = len(classes)
            matrix = np.full((count, count), 5.0) + np.eye(count) * 80
            matrix[0, -1] += 11
            found["confusion"] = matrix.tolist()
            found["calibration"] = [
                {"low": b / 15, "confidence": b / 15 + 0.03, "accuracy": min(1.0, b / 15 + 0.05), "count": 20.0}
                for b in range(8, 15)
            ]
            found["fidelity"] = {"agreement": spread(0.93 + offset, [0.93] * seeds), "kl": spread(0.04, [0.04] * seeds)}
        return found

    teacher = block(0.0)
    teacher["metrics"] = {m: 0.88 + (0.046 if METRICS.get(m).facts["better"] == "higher" else -0.046) for m in names}

    def one(index: int, name: str) -> dict[str, Any]:
        ours, theirs = block(shift), block(0.0)
        smooth = block(more.get("smooth", shift / 3))
        gain, over, away = (
            {m: difference(ours["metrics"][m]["values"], values(m), m) for m in names}
            for values in (
                lambda m: theirs["metrics"][m]["values"],
                lambda m: smooth["metrics"][m]["values"],
                lambda m: [teacher["metrics"][m]] * seeds,
            )
        )
        if len(students) > 1:
            for m in names:
                low, high = gain[m]["ci95"]
                gain[m]["ci_family"] = [None if low is None else low - 0.001, None if high is None else high + 0.001]
        reason = more.get("placebo_reason", "regression" if task == "regression" else None)
        found = {"metrics": smooth["metrics"], "gain": over} if reason is None else None
        picks = [
            {
                "seed": s,
                "selected_epoch": 5,
                "last_epoch": 6,
                "score_selected": 0.88,
                "score_last": 0.87,
                "seconds": 0.5,
            }
            for s in range(seeds)
        ]
        return {
            "name": name,
            "arch": {"name": "mlp", "settings": {}},
            "objective": "hinton",
            "temperature": 2.0,
            "alpha": 0.7,
            "seeds": list(range(seeds)),
            "parameters": 249 * (index + 1),
            "size_bytes": more.get("size_bytes", 1240 * (index + 1)),
            "flops": 480 * (index + 1),
            **ours,
            "baseline": theirs,
            "gain": gain,
            "gap_closed": dict.fromkeys(names, 0.6),
            "versus_teacher": away,
            "placebo": found,
            "placebo_reason": reason,
            "gap_closed_ci95": {m: [0.4, 0.9] for m in names},
            "advice": more.get("advice", {"kind": "none", "need": None}),
            "agreement": 0.94,
            "verdict": verdict,
            "small": False,
            "margin": 0.005 if task != "regression" else 0.0176,
            "selection": {"student": picks, "placebo": picks if found else [], "baseline": picks, "kept_seed": 0},
            "stopped_early": False,
            "reason": more.get("reason", {"code": "gain", "values": {}}),
            "latency_ms": {
                "torch": {b: {"p50": 0.02, "p95": 0.03, "p99": 0.05} for b in ("1", "32", "256")},
                "onnxruntime": {b: {"p50": 0.005, "p95": 0.006, "p99": 0.01} for b in ("1", "32", "256")},
            },
        }

    made = {
        "schema": 2,
        "run_id": run_id,
        "name": "visits",
        "work_hash": "0" * 64,
        "created_utc": "2026-01-02T03:04:05+00:00",
        "task": task,
        "metric": {
            "name": metric,
            "title": METRICS.get(metric).title,
            "better": "higher" if sign > 0 else "lower",
            "margin": 0.005 if sign > 0 else 0.02,
            "relative": sign < 0,
            "unit": METRICS.get(metric).facts["unit"],
            "selection": metric,
        },
        "dataset": {
            "name": "visits",
            "hash": "1" * 64,
            "target": "purchased",
            "rows": {"train": 1000, "validation": 200, "test": 200},
            "classes": classes,
            "features": 9,
        },
        "teacher": {
            "name": "gradient_boosting",
            "parameters": 31_000,
            "size_bytes": 266_000,
            **teacher,
            "latency_ms": {"sklearn": {"1": {"p50": 0.8, "p95": 1.0, "p99": 1.1}}},
            "folds": 5,
            "cached": False,
            "fit_seconds": 1.2,
        },
        "students": [one(i, n) for i, n in enumerate(students)],
        "room": more.get("room", [{"student": s, "teacher": 0.93, "baseline": 0.88, "room": True} for s in students]),
        "problems": [],
        "test_reads": more.get("test_reads", 1),
        **{name: more[name] for name in ("splits", "budget") if name in more},
        "artifacts": {
            "soft_labels": "artifacts/soft_labels.npz",
            "rows": "artifacts/rows.parquet",
            "rows_kept": 60,
            "rows_of": 200,
            "target_mean": 30.0,
            "target_std": 8.0,
            "students": [
                {
                    "index": i,
                    "name": n,
                    "seed": 0,
                    "weights": f"artifacts/students/{i}.safetensors",
                    "onnx": f"artifacts/students/{i}.onnx",
                }
                for i, n in enumerate(students)
            ],
        },
        "environment": {
            "device": "cpu",
            "device_name": "AMD EPYC 7B13",
            "cores": 2,
            "threads": 1,
            "torch": "2.10",
            "python": "3.11.7",
            "system": "Linux",
            "code_version": "0.1.0",
        },
        "seconds": {"data": 0.4, "teacher": 1.3, "cache": 0.1, "baseline": 2.0, "students": 2.0, "evaluate": 1.0},
    }
    made = {**made, "schema": 3, "cells": [c.raw for c in read_outcome(made).cells]}
    return beside_plain(made, more["plain"]) if "plain" in more else made


def beside_plain(made: dict[str, Any], standing: str) -> dict[str, Any]:
    """The same result as version 4 writes it: deployed files, whole times, and a plain model of 1,100 bytes, timed too, beside each student."""
    known = [
        {"name": "trees_30x4", "title": "30 trees of 4 leaves", "bytes": 1100, "selected": 0.9},
        {"name": "linear", "title": "a linear model", "bytes": 1000, "selected": 0.8},
    ]
    shift = {"ahead": -0.01, "behind": 0.01, "level": 0.0, "unclear": -0.004}[standing]
    sign = 1 if made["metric"]["better"] == "higher" else -1
    whole = {"1": {"p50": 0.04, "p95": 0.05, "p99": 0.06}, "1000": {"p50": 4.0, "p95": 5.0, "p99": 6.0}}
    for student in made["students"]:
        ours = {m: student["metrics"][m]["values"] for m in student["metrics"]}
        plain = {m: [v + sign * shift + 0.001 * i for i, v in enumerate(values)] for m, values in ours.items()}
        best = {
            **known[0],
            "metrics": {m: spread(float(np.mean(v)), v) for m, v in plain.items()},
            "gain": {m: difference(ours[m], plain[m], m) for m in ours},
            "versus_teacher": {
                m: difference(v, [made["teacher"]["metrics"][m]] * len(v), m)
                for m, v in plain.items()
                if made["teacher"]["metrics"].get(m) is not None
            },
            "ci_family": difference(
                ours[made["metric"]["name"]], plain[made["metric"]["name"]], made["metric"]["name"]
            )["ci95"],
            "word": standing,
            "latency_ms": {"whole": {"1": {"p50": 0.02, "p95": 0.03, "p99": 0.04}}},
        }
        student["reference"] = {"best": best, "smallest": known[0]}
        size = student["size_bytes"]
        student["deployed"] = {"form": "onnx", "bytes": size, "inputs": "columns", "apart": 1e-7}
        student["latency_ms"]["whole"] = whole
    made["teacher"]["latency_ms"]["whole"] = {"1": {"p50": 1.0, "p95": 1.2, "p99": 1.3}}
    return {**made, "schema": 4, "references": {"known": known, "missing": []}}


def with_smaller(made: dict[str, Any], word: str = "level", best: str = "level") -> dict[str, Any]:
    """The same result, whose smallest plain model that keeps up was asked about the test rows; `best`: how the one of the student's size stands to it."""
    for student in made["students"]:
        known = {"name": "linear", "title": "a linear model", "bytes": 400, "word": word, "best": {"word": best}}
        student["reference"]["smallest"] = {**student["reference"]["best"], **known}
    return made
