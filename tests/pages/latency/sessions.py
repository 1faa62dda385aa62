"""A session of the latency lab in the documented shape, for tests of its screen only."""

from __future__ import annotations

from typing import Any

from kd_core.runs.store.events import utc_now
from kd_core.runs.timing.kept import PLACE, SCHEMA
from kd_core.safe_io import write_json

WAYS = (("onnxruntime", 1), ("torch", 1), ("torch", 2))


def times(model: str, form: str, way: tuple[str, int], batch: int, p50: float, sure: bool = True) -> dict[str, Any]:
    """Times of one candidate."""
    spread = {"p50": p50, "low": p50 * 0.9, "high": p50 * 1.2, "sure": sure, "p95": p50 * 2, "p99": p50 * 3}
    more = {"per_second": 1000 * batch / p50, "calls": 300, "rounds": [p50] * 6}
    return {
        "model": model,
        "form": form,
        "runtime": way[0],
        "threads": way[1],
        "device": "cpu",
        "batch": batch,
        **spread,
        **more,
    }


def session(run: str, name: str = "tiny", **changes: Any) -> dict[str, Any]:
    """A session of a run's student, its baseline, and a teacher that could not be timed."""
    roles = {"teacher": "gradient_boosting", "baseline": name, "student": name}
    ids = {role: f"{run}/{role}/{own}" for role, own in roles.items()}
    size = {"bytes": 7400, "compact": 4400, "parameters": 1042, "nonzero": 900, "flops": 2000}
    models: list[dict[str, Any]] = [
        {
            "id": ids[role],
            "run": run,
            "run_name": "visits",
            "role": role,
            "name": own,
            "size": size,
            "notes": [],
            "missing": [],
        }
        for role, own in roles.items()
    ]
    models[0] |= {
        "missing": [{"reason": "The teacher can't be timed here: only its answers were kept."}],
        "by_run": {"native": {"1": {"p50": 0.8, "p95": 1.0, "p99": 1.1}}},
    }
    models[2]["notes"] = ["<b>odd</b> *note*"]
    found = [
        times(ids[role], form, way, batch, 0.02 * batch**0.5 * (1 if way[0] == "onnxruntime" else 2) * way[1])
        for role in ("baseline", "student")
        for form in ("whole", "network")
        for way in WAYS
        for batch in (1, 256)
    ]
    probe = [
        {"runtime": r, "threads": n, "device": "cpu", "p50": p, "low": p, "high": p}
        for (r, n), p in zip(WAYS, (2.0, 1.0, 3.0), strict=True)
    ]
    chosen = {"model": ids["student"], "batch": 256, "runtime": "torch", "threads": 1, "device": "cpu", "probe": probe}
    return {
        "schema": SCHEMA,
        "utc": utc_now(),
        "asked": {},
        "seconds": 12.0,
        "machine": {
            "device": "cpu",
            "device_name": "AMD EPYC 7B13",
            "cores": 2,
            "threads": 2,
            "torch": "2.10",
            "python": "3.11.7",
            "onnxruntime": "1.31.1",
            "load": [0.2, 0.4],
            "busy": 1.0,
        },
        "rounds": {"asked": 6, "done": 6},
        "models": models,
        "times": found,
        "prepared": [],
        "fresh": [
            {
                "model": ids["student"],
                "runtime": "onnxruntime",
                "seconds": 0.9,
                "low": 0.8,
                "high": 1.0,
                "sure": False,
                "starts": 3,
                "peak_bytes": 150 * 2**20,
            },
            {"model": ids["student"], "runtime": "torch", "reason": "no process but this one can make it"},
        ],
        "chosen": [{**chosen, "session": {"best": {}, "times": 1.02}}],
        **changes,
    }


def keep(folder: Any, found: dict[str, Any]) -> None:
    """Put a session beside a run."""
    (folder.path / PLACE).mkdir(exist_ok=True)
    write_json(folder.path / PLACE / "20260102.json", found)
