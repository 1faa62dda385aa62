"""What the tests of runs and of faults share: specs, services with a fake worker, waiting with a limit."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kd_core.runs.service.jobs import JobService
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, TrainingSpec

FAKE = [sys.executable, str(Path(__file__).with_name("fake_worker.py"))]
ENDED = ("done", "cancelled", "failed", "interrupted")


def run_spec(name="quick", first_seed=0, data_name="visits"):
    """Make a spec whose work differs by its first seed."""
    return RunSpec(
        name=name,
        dataset=DatasetSpec(source="sample:visits", name=data_name, target="bought"),
        teacher=Choice(name="boosting"),
        students=(StudentSpec(name="small", arch=Choice(name="mlp")),),
        objective=Choice(name="kd"),
        training=TrainingSpec(first_seed=first_seed),
    )


def wait_for(check, seconds=60.0):
    """Return what `check` returns as soon as it is true; fail when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


def state(service, run_id, *states, seconds=60.0):
    """Wait until the list shows one of the states, and return the row."""

    def check():
        row = service.store.get(run_id)
        return row if row.state in states else None

    try:
        return wait_for(check, seconds)
    except AssertionError:
        found = service.store.get(run_id)
        raise AssertionError(f"{run_id} is {found.state}, not {states}: {found.error}, {service.status()}") from None


def training(service, run_id):
    """Wait until the run writes epochs."""
    wait_for(lambda: service.store.snapshot(run_id).curves)


class Services:
    """Makes services on one workspace."""

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.made = []

    def __call__(self, **more):
        service = JobService(self.root, **{"command": FAKE, "executor": "process", **more})
        self.made.append(service)
        return service

    def close(self):
        for service in self.made:
            service.close()
