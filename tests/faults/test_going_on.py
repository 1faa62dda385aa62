"""A run that goes on from another is killed in the middle: it is told, goes on where it was, and ends as an undisturbed one."""

from __future__ import annotations

import os
import signal

import pytest

from kd_core.runs.continuing.asked import spec_of
from kd_core.runs.service.process import command
from kd_core.specs import Choice
from tests.faults.test_real_training import outcome, student_epochs
from tests.runs.continuing.test_going import table
from tests.runs.services import ENDED, state, wait_for
from tests.runs.tables import small_spec

pytestmark = pytest.mark.slow


def test_going_on_that_is_killed_goes_on_where_it_was(services, tmp_path):
    table(900, 1).to_csv(tmp_path / "old.csv", index=False)
    table(400, 2, 0.7).to_csv(tmp_path / "new.csv", index=False)
    first = small_spec(tmp_path / "old.csv", epochs=3, seeds=2)
    first = first.model_copy(
        update={
            "dataset": first.dataset.model_copy(update={"target": "bought"}),
            "teacher": Choice(name="gradient_boosting", settings={"rounds": 20}),
        }
    )
    service = services(command=command())
    begun = service.submit(first)
    assert state(service, begun, *ENDED, seconds=200).state == "done"
    spec = spec_of(begun, str(tmp_path / "new.csv"), epochs=400)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"patience": 400})})
    whole = service.submit(spec)
    assert state(service, whole, *ENDED, seconds=300).state == "done"
    total = student_epochs(service, whole)
    broken = service.submit(spec, again=True)
    wait_for(lambda: student_epochs(service, broken) > 0.4 * total, 300)
    os.kill(service.status().pid, signal.SIGKILL)
    row = state(service, broken, *ENDED, seconds=60)
    assert (row.state, row.error.code) == ("interrupted", "worker_killed") and row.error.hint
    service.resume(broken)
    assert state(service, broken, *ENDED, seconds=300).state == "done"
    assert service.store.snapshot(broken).attempts == 2
    assert outcome(service, broken) == outcome(service, whole)
    ours, theirs = (service.store.folder(run).result()["continued"] for run in (broken, whole))
    assert ours == theirs
