"""A `compressed` block in the documented shape, with invented numbers: for tests of words and screens only."""

from __future__ import annotations

from typing import Any

HALF = {"name": "prune_structured", "settings": {"share": 0.5}}
AGAIN = {"name": "distill", "settings": {}}
INT8 = {"name": "int8", "settings": {}}


def difference(mean: float, half: float | None = 0.2, n: int = 3) -> dict[str, Any]:
    """A difference in points, as the block holds it."""
    bounds = [None, None] if half is None else [mean - half, mean + half]
    rows = 0.8 * (half or 0.25)
    return {"mean": mean, "ci95": bounds, "seeds_half": None if half is None else 0.6 * half, "rows_half": rows, "n": n}


def stage(number: int, parent: int | None, step: dict[str, Any] | None, name: str, **more: Any) -> dict[str, Any]:
    """One stage; `score`, `bytes`, `ms`, `lost`, `flags` and what else is said replace the invented ones."""
    score, ms, size = more.pop("score", 0.92), more.pop("ms", 0.05), more.pop("bytes", 86_000)
    whole = {
        "1": {"p50": ms, "p95": 1.2 * ms, "p99": 1.4 * ms},
        "1000": {"p50": 300 * ms, "p95": 310 * ms, "p99": 320 * ms},
    }
    return {
        "id": number,
        "chain": None if parent is None else 0,
        "parent": parent,
        "step": step,
        "told": {},
        "name": name,
        "metrics": {"accuracy": score, "f1_macro": score - 0.01},
        "scores": [score - 0.001, score, score + 0.001],
        "validation": score + 0.002,
        "lost": None if parent is None else difference(0.1),
        "again": None,
        "agreement": None if parent is None else 0.995,
        "agreement_before": None if parent is None else 0.996,
        "seeds": [0, 1, 2],
        "bytes": size,
        "compact": None,
        "parameters": 21_000,
        "nonzero": 20_900,
        "flops": 42_000,
        "latency": {"whole": whole, "onnxruntime": {"1": {"p50": ms / 3, "p95": ms / 2, "p99": ms}}},
        "seconds": 1.5,
        "flags": [],
        "passes": True,
        "reason": None,
        "weights": f"artifacts/stages/{number}.safetensors",
        "file": f"artifacts/stages/{number}.onnx",
        **more,
    }


def compressed(**more: Any) -> dict[str, Any]:
    """A student halved, taught again and rounded, and rounded at once: two chains, the first of which was chosen."""
    stages = [
        stage(0, None, None, "student", score=0.9271, bytes=86_016),
        stage(
            1,
            0,
            HALF,
            "half",
            score=0.914,
            bytes=47_104,
            lost=difference(1.31),
            passes=False,
            flags=[{"code": "lost", "mean": 1.31, "ci95": [1.11, 1.51], "most": 1.0, "sure": True}],
        ),
        stage(2, 1, AGAIN, "half-again", score=0.9268, bytes=47_104, lost=difference(0.03), again=difference(0.42)),
        stage(3, 2, INT8, "half-again-int8", score=0.9265, bytes=14_336, ms=0.03, lost=difference(0.06, 0.16)),
        stage(
            4,
            0,
            INT8,
            "int8",
            score=0.9262,
            bytes=22_528,
            ms=0.09,
            chain=1,
            lost=difference(0.09),
            agreement=0.987,
            flags=[
                {
                    "code": "slower",
                    "runtime": "whole",
                    "batch": 1,
                    "milliseconds": 0.09,
                    "before": 0.05,
                    "than": "student",
                },
                {
                    "code": "slower",
                    "runtime": "onnxruntime",
                    "batch": 256,
                    "milliseconds": 58.0,
                    "before": 9.5,
                    "than": "student",
                },
                {"code": "unlike", "agreement": 0.987, "before": 0.987},
            ],
        ),
    ]
    layers = [("body.0", 0.8, 0.4), ("body.2", 0.1, 0.9), ("head", 2.25, 0.1)]
    scanned = [
        {"layer": name, "kind": "linear", "parameters": int(9000 * size), "share": 0.5, "score": 0.92, "lost": lost}
        for name, lost, size in layers
    ]
    return {
        "run": "first",
        "name": "visits",
        "student": "tiny",
        "arch": {"name": "mlp", "settings": {"size": "tiny"}},
        "seeds": [0, 1, 2],
        "searched": False,
        "goals": {"most_lost": 1.0, "bytes": None, "microseconds": None},
        "metric": {
            "name": "accuracy",
            "title": "Accuracy",
            "better": "higher",
            "margin": 0.005,
            "unit": "share",
            "relative": False,
        },
        "test_reads": 2,
        "sensitivity": scanned,
        "stages": stages,
        "chains": [[1, 2, 3], [4]],
        "best": 3,
        "rule": {"code": "smallest_that_keeps", "stages": 4, "name": "half-again-int8"},
        "known": [],
        **more,
    }
