"""A workspace as it looks after a year of use: two real runs, and thousands of folders that are copies of them.

    python benchmarks/many_runs.py FOLDER [--runs N]

One run of ordinary students and one what-if are trained (about a minute); their files are linked into the other folders,
each with a status, a name and a date of its own, so that lists, charts and results are read as in any workspace.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.store.runs import RunStore
from kd_core.scenarios import default_spec
from kd_core.specs import RunSpec
from kd_core.workspace import samples

ORDINARY, SWEEP = "20261127-1200-aaaa", "20261127-1201-bbbb"  # newer than every copy
EACH_WHAT_IF = 10  # of the copies one in so many is a what-if
OWN = frozenset({"status.json", "annotation.json", "lock"})  # what a copy has for itself


@dataclass(frozen=True)
class Place:
    """A workspace of many runs: its folder, the ordinary run, the what-if, and the id of their data."""

    root: Path
    ordinary: str
    sweep: str
    data: str


def _specs() -> dict[str, RunSpec]:
    spec = default_spec("purchase")
    training = spec.training.model_copy(update={"seeds": 3, "epochs": 8})
    spec = spec.model_copy(update={"training": training})
    plan = {"temperature": [1.0, 2.0, 4.0, 8.0], "alpha": [0.0, 0.3, 0.5, 0.7, 1.0]}
    held = spec.model_dump(mode="json")
    return {
        ORDINARY: spec,
        SWEEP: RunSpec.parse({**held, "students": held["students"][:1], "choose": None, "sweep": plan}, "what-if"),
    }


def _copy(source: Path, target: Path) -> None:
    """Link a run's files into a folder of its own."""
    for path in source.rglob("*"):
        there = target / path.relative_to(source)
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        elif path.name not in OWN:
            there.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, there)


def make(root: Path, runs: int = 2000) -> Place:
    """Train the two runs and fill the workspace; one that is there already is taken as it is."""
    os.environ["KD_WORKSPACE"] = str(root)
    from kd_core.data.library import DataLibrary

    data = DataLibrary(root).save_spec(_specs()[ORDINARY].dataset)
    place = Place(root, ORDINARY, SWEEP, data)
    made = root / "runs" / SWEEP
    if made.is_dir() and len(list((root / "runs").iterdir())) >= runs:
        return place
    shutil.rmtree(root / "runs", ignore_errors=True)
    (root / "runs").mkdir(parents=True)
    for run_id, spec in _specs().items():
        run_here(spec, root / "runs" / run_id, lambda event: None, StopSignal())
    statuses = {i: json.loads((root / "runs" / i / "status.json").read_text()) for i in (ORDINARY, SWEEP)}
    rng, start = random.Random(0), datetime(2026, 11, 27, 11, tzinfo=UTC)
    for number in range(runs - 2):
        of = SWEEP if number % EACH_WHAT_IF == EACH_WHAT_IF - 1 else ORDINARY
        when = start - timedelta(minutes=37 * number)
        run_id = f"{when:%Y%m%d-%H%M}-{number:04d}"
        _copy(root / "runs" / of, root / "runs" / run_id)
        utc = f"{when:%Y-%m-%dT%H:%M:%S}.000Z"
        status = {**statuses[of], "run_id": run_id, "created_utc": utc, "started_utc": utc, "ended_utc": utc}
        (root / "runs" / run_id / "status.json").write_text(json.dumps(status))
        said = {
            "name": f"visits {runs - number}",
            "star": rng.random() < 0.1,
            "note": "looked at twice" * (number % 7 == 0),
        }
        (root / "runs" / run_id / "annotation.json").write_text(json.dumps(said))
    RunStore(root).rebuild()
    return place


def main() -> None:
    """Fill a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=2000)
    args = parser.parse_args()
    print(make(args.folder, args.runs), f"samples of {samples()}")


if __name__ == "__main__":
    main()
