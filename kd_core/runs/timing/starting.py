"""Cold starts and peak memory: models opened in fresh processes, which take turns."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kd_core
from kd_core.machine.rounds import interval, order
from kd_core.runs.timing import fresh
from kd_core.runs.timing.models import Timed

SECONDS = 120.0  # that one process may take
ROWS = 64
RUNTIMES = ("onnxruntime", "torch")
_SHOWN = 200  # letters of what a process said


def described(model: Timed, runtime: str, place: Path, batch: int) -> dict[str, Any] | str:
    """Write what a fresh process needs into a folder and describe it; or say why none can be started for this."""
    if why := model.lacks.get(runtime):
        return why
    told = {"runtime": runtime, "threads": 1, "rows": [fresh.as_json(row) for row in model.rows[:ROWS]], "batch": batch}
    if not model.rows:
        return "the run kept no rows to ask it about"
    if runtime == "onnxruntime":
        if model.file is None:
            return "there is no file of it that takes raw rows"
        (place / "model.onnx").write_bytes(model.file)
        return {**told, "file": str(place / "model.onnx")}
    if model.parts is None:
        return "no process but this one can make it"
    (place / "weights").write_bytes(model.parts["weights"])
    view = {}
    for number, (name, data) in enumerate(model.parts["view"].items()):
        view[name] = str(place / f"view-{number}")
        Path(view[name]).write_bytes(data)
    parts = {"entry": model.parts["entry"], "view": view, "weights": str(place / "weights")}
    return {**told, **parts, "purpose": model.purpose.told()}


def started(asked: Mapping[str, Any]) -> tuple[float, int]:
    """Start a process and wait for it: seconds until its first answer, and its peak memory in bytes. Errors: RuntimeError with its last words."""
    code = str(Path(kd_core.__file__).resolve().parent.parent)
    path = os.pathsep.join(p for p in (code, os.environ.get("PYTHONPATH", "")) if p)
    threads = str(asked["threads"])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    written = json.dumps(asked) + "\n"
    with tempfile.TemporaryFile() as errors:  # a pipe that nobody reads would fill up
        before = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", fresh.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        ) as process:
            late = threading.Timer(SECONDS, process.kill)
            late.start()
            try:
                assert process.stdin is not None and process.stdout is not None
                with contextlib.suppress(BrokenPipeError):  # it ended at once: what it said is read below
                    process.stdin.write(written)
                    process.stdin.close()
                first = process.stdout.readline()
                seconds = time.perf_counter() - before
                rest = process.stdout.read().strip().splitlines()
            except BaseException:
                process.kill()
                raise
            finally:
                late.cancel()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip().splitlines()
    if first.strip() != "answered" or not rest or process.returncode:
        raise RuntimeError((said or [f"it ended with {process.returncode}"])[-1][:_SHOWN])
    return seconds, int(json.loads(rest[-1])["peak_bytes"])


def start_all(
    asked: Mapping[Any, Mapping[str, Any]],
    starts: int,
    on_start: Callable[[int, int], None] = lambda done, of: None,
    should_stop: Callable[[], bool] = lambda: False,
    until: float = math.inf,
    start: Callable[[Mapping[str, Any]], tuple[float, int]] = started,
) -> dict[Any, dict[str, Any]]:
    """Start every model so many times, in turns, after one that is not counted: it fills the file cache.

    After `until` seconds no further turn begins once each was counted; `starts` tells how many there were. Units: seconds until the first
    answer, with their interval; bytes. One that fails has a `reason`.
    """
    found: dict[Any, list[tuple[float, int]]] = {name: [] for name in asked}
    failed: dict[Any, str] = {}
    done, of, began = 0, len(asked) * (starts + 1), time.monotonic()
    for number in range(starts + 1 if asked else 0):
        if number > 1 and time.monotonic() - began > until:
            break
        for name in order(list(asked), number):
            if should_stop():
                break
            if name not in failed:
                try:
                    one = start(asked[name])
                except (RuntimeError, OSError, ValueError, KeyError) as error:
                    failed[name] = str(error)
                else:
                    found[name] += [one] if number else []
            done += 1
            on_start(done, of)
    told: dict[Any, dict[str, Any]] = {name: {"reason": why} for name, why in failed.items()}
    for name, some in found.items():
        if some and name not in failed:
            seconds = [s for s, _ in some]
            low, high, sure = interval(seconds)
            middle = {"seconds": statistics.median(seconds), "low": low, "high": high, "sure": sure}
            told[name] = {**middle, "starts": len(some), "peak_bytes": int(statistics.median(b for _, b in some))}
    return told
