"""What a starting server makes of runs that a dead process left behind."""

from __future__ import annotations

import pytest

from kd_core.runs.service.locks import LockFile
from kd_core.runs.service.recover import recover, settle
from kd_core.runs.store.rows import RunError
from kd_core.runs.store.runs import RunStore
from tests.runs.fake_worker import RESULT
from tests.runs.services import run_spec


@pytest.fixture
def store(own_workspace):
    return RunStore(own_workspace)


def left(store, state, seed=0):
    run_id = store.create(run_spec(first_seed=seed))
    store.folder(run_id).write_status(state=state)
    store.refresh(run_id)
    return run_id


@pytest.mark.parametrize("state", ["starting", "running", "cancelling"])
def test_a_run_without_a_process_is_interrupted(store, state):
    run_id = left(store, state)
    store.folder(run_id).append_events([{"kind": "state", "state": "running"}])
    assert recover(store) == ()
    row = store.get(run_id)
    assert (row.state, row.queue_number) == ("interrupted", None) and row.ended_utc
    assert [e["state"] for e in store.folder(run_id).events()] == ["running", "interrupted"]


def test_a_run_that_had_its_manifest_keeps_its_ending(store):
    run_id = left(store, "running")
    store.folder(run_id).append_events([{"kind": "state", "state": "cancelled"}])
    store.folder(run_id).finish("cancelled", RESULT)
    assert recover(store) == ()
    assert store.get(run_id).state == "cancelled" and store.folder(run_id).damage() == []


def test_waiting_and_ended_runs_are_left_alone(store):
    waiting, failed = left(store, "queued"), left(store, "failed", 1)
    assert recover(store) == ()
    assert (store.get(waiting).state, store.get(failed).state) == ("queued", "failed")
    assert store.folder(failed).events() == []


def test_a_living_process_is_reported_and_not_touched(store):
    run_id = left(store, "running")
    with LockFile(store.folder(run_id).lock_path).require("", "", ""):
        assert recover(store) == (run_id,)
        assert not settle(store, run_id, RunError("x", "y"), "failed")
        assert store.get(run_id).state == "running"
    assert settle(store, run_id, RunError("x", "y", "z", "1"), "failed")
    assert (store.get(run_id).state, store.get(run_id).error) == ("failed", RunError("x", "y", "z", "1"))
