"""A worker whose runs behave as their name says; a real process with the real protocol, without training."""

from __future__ import annotations

import errno
import json
import mmap
import os
import shutil
import sys
import time

from kd_core import safe_io
from kd_core.errors import KDError, Stopped

RESULT = {"metric": {"name": "accuracy", "better": "higher"}, "students": []}


HARMS = {  # what a run, or a person, does to its folder while it works
    "vanish": shutil.rmtree,
    "move": lambda path: path.rename(path.with_name(f"{path.name}-moved")),
    "file": lambda path: (shutil.rmtree(path), path.write_text("in the way")),
    "speck": lambda path: (path / "spec.json").unlink(),
    "status": lambda path: (path / "status.json").write_bytes(bytes(64)),
    "list": lambda path: (path / "status.json").write_text("[]"),
    "lock": lambda path: (path / "lock").unlink(),
    "events": lambda path: (path / "events.jsonl").unlink(),
    "result": lambda path: (path / "result.json").mkdir(),
}


def epoch(number, **more):
    return {
        "kind": "epoch",
        "arm": "baseline",
        "student": "small",
        "seed": 0,
        "fold": None,
        "epoch": number,
        "epochs": 5000,
        "loss": 1 / number,
        "hard": 1 / number,
        "soft": None,
        "score": 1 - 1 / number,
        "best": True,
        "rows_per_s": 1e5,
        **more,
    }


def fake_run(spec, folder, on_event, should_stop):
    """Do what the run's name says; names are told apart by their first word."""
    kind = spec.name.split()[0]
    print("a stray line on standard output")
    if kind == "raise":
        raise ZeroDivisionError("secret/path")
    if kind == "refuse":
        raise KDError("Column {column} is empty.", "Drop it.", "empty_column", column="a")
    if kind == "memory":
        raise MemoryError
    if kind == "full":
        safe_io.write_json(folder.checkpoints / "kept.json", {"kept": True})
        raise OSError(errno.ENOSPC, "No space left on device")
    if kind == "abort":
        on_event(epoch(1))
        os.abort()
    if kind == "nothing":
        raise Stopped("nothing to keep")
    if kind == "nan":
        return {"value": float("nan")}
    if kind == "exit":
        sys.exit(3)
    if kind == "leave":
        os._exit(0)
    if kind in HARMS:
        on_event(epoch(1))
        HARMS[kind](folder.path)
    on_event({"kind": "phase", "phase": "baseline", "state": "start"})
    if kind == "quick":
        on_event(epoch(1))
        return RESULT
    if kind == "deaf":
        while True:
            time.sleep(0.05)
    if kind == "mapped":
        return _mapped(folder, on_event, should_stop)
    if kind == "busy":  # works without saying anything
        while not should_stop():
            sum(range(10_000))
        return RESULT
    if kind in ("slower", "stuck"):  # sees the stop at once; evaluating takes longer than the grace, or for ever
        on_event(epoch(1))
        while not should_stop():
            time.sleep(0.01)
        time.sleep(2.5 if kind == "slower" else 600)
        return {**RESULT, "partial": True}
    if kind == "slow":  # one long step, then the partial result takes a while as well
        while not should_stop():
            time.sleep(0.01)
        time.sleep(0.6)
        return {**RESULT, "partial": True}
    return _steps(kind, folder, on_event, should_stop)


def _steps(kind, folder, on_event, should_stop):
    """Count to a high number, keeping the count in a checkpoint, and stop when asked."""
    kept = folder.checkpoints / "count.json"
    start = json.loads(kept.read_text())["count"] if kept.exists() else 0
    for number in range(start + 1, 100_000 if kind == "steps" else 100):
        if should_stop():
            on_event({"kind": "phase", "phase": "evaluate", "state": "start"})
            return {**RESULT, "partial": True, "from": start, "count": number}
        on_event(epoch(number))
        safe_io.write_json(kept, {"count": number})
        time.sleep(0.004)
    return RESULT


def _mapped(folder, on_event, should_stop):
    """Write to a mapped file, page by page and slowly: what a full disk answers with SIGBUS."""
    with (folder.checkpoints / "mapped").open("wb") as file:
        file.truncate(64 * 2**20)
    with (folder.checkpoints / "mapped").open("r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        on_event(epoch(1))
        for at in range(0, len(pages), 4096):
            if should_stop():
                break
            pages[at] = 1
            time.sleep(0.005)
    return RESULT


if __name__ == "__main__":
    from kd_core.runs.service import worker

    sys.exit(worker.serve(fake_run))
