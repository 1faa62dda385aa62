"""How often the test part of a dataset was read in this workspace.

Every look at the test rows makes choosing by them a little more tempting: after many runs the best of them is
partly the luckiest. A run counts once for each split it reads, however often it is resumed or opened.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

from kd_core.errors import KDError

FILE = "test_reads.jsonl"
MANY = 10  # reads from which a verdict says how many there were


def note_read(workspace: Path, dataset_hash: str, run_id: str) -> int:
    """Note that a run reads the test part of a dataset; return how many runs have, this one included.

    `dataset_hash` names rows and split. Errors: KDError `ledger_refused` when the disk does not take the line.
    """
    path = workspace / FILE
    line = json.dumps({"dataset": dataset_hash, "run": run_id})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two runs may end at once
            file.seek(0)
            held = file.read()
            runs = _runs(held.splitlines(), dataset_hash)
            if run_id not in runs:
                file.write(("\n" if held and not held.endswith("\n") else "") + line + "\n")
                file.flush()
    except OSError as error:
        raise KDError(
            "The read of the test part could not be noted in {path}: {error}.",
            "Free some disk space, or make the workspace writable.",
            "ledger_refused",
            path=str(path),
            error=str(error),
        ) from None
    return len(runs | {run_id})


def _runs(lines: list[str], dataset_hash: str) -> set[str]:
    """Collect the runs of a dataset; a line that a crash tore is no read that can be told apart."""
    found = set()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("dataset") == dataset_hash:
            found.add(str(entry.get("run")))
    return found
