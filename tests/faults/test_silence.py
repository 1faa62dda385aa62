"""A frozen worker is noticed, said, and can be ended with its run going on; one that only says nothing is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.service import execution
from kd_core.runs.service.pulse import Pulse
from kd_core.runs.store.runs import RunStore
from kd_core.runs.view import snapshot
from tests.faults.test_kills import kept_count, kill, start_server
from tests.runs.fake_worker import fake_run
from tests.runs.services import run_spec, state, training, wait_for


@pytest.fixture
def frozen(services, monkeypatch):
    """A run whose worker process has been stopped by SIGSTOP while it trained; silent for at least half a second."""
    monkeypatch.setattr(limits, "SILENT_SECONDS", 0.5)
    service = services()
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    pid = service.status().pid
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: service.store.snapshot(run_id).silent_s > limits.SILENT_SECONDS)
    return service, run_id, pid


def test_a_frozen_worker_is_noticed_and_its_run_goes_on_in_another(frozen):
    service, run_id, pid = frozen
    found = service.store.snapshot(run_id)
    assert found.state == "running" and found.silent_s > 0.5
    snapshot._views.clear()  # a page that opens only now knows it too, from the time of the last event
    assert service.store.snapshot(run_id).silent_s > 0.5
    kept = kept_count(service.store.folder(run_id))
    service.interrupt(run_id, again=True)
    wait_for(lambda: kept_count(service.store.folder(run_id)) > kept + 1)
    assert service.status().pid != pid and service.store.snapshot(run_id).attempts == 2
    said = [e for e in service.store.folder(run_id).events() if e["kind"] == "state"]
    assert [e["state"] for e in said] == ["running", "interrupted", "running"]
    assert (
        said[1]["code"] == "worker_frozen"
        and said[1]["message"] == "The worker process made no progress and was ended."
    )
    assert service.store.snapshot(run_id).silent_s < 5
    service.stop(run_id)
    state(service, run_id, "cancelled")
    assert service.store.folder(run_id).result()["from"] >= kept


def test_a_frozen_worker_can_be_ended_alone_and_the_run_resumed_later(frozen):
    service, run_id, _ = frozen
    service.interrupt(run_id)
    row = state(service, run_id, "interrupted")
    assert row.error.code == "worker_frozen" and service.store.snapshot(run_id).silent_s == 0.0
    state(service, service.submit(run_spec("quick", 1)), "done")
    with pytest.raises(KDError, match=rf"No process works on run {run_id}\. Look at the run again"):
        service.interrupt(run_id)
    service.resume(run_id)
    state(service, run_id, "running")


def test_stopping_a_frozen_worker_frees_the_queue(frozen, monkeypatch):
    monkeypatch.setattr(limits, "KILL_GRACE_SECONDS", 0.3)
    service, run_id, _ = frozen
    after = service.submit(run_spec("quick", 1))
    service.stop(run_id)
    assert state(service, run_id, "cancelled").error.code == "stopped_hard"
    state(service, after, "done")


def test_the_frozen_worker_of_a_killed_server_can_be_ended(own_workspace, services):
    server, (run_id, waiting) = start_server(own_workspace)
    training_by = RunStore(own_workspace)
    wait_for(lambda: training_by.snapshot(run_id).curves)
    import psutil

    (worker,) = psutil.Process(server.pid).children()
    worker.suspend()
    kill(server)
    service = services()
    try:
        assert service.store.get(run_id).state == "running" and service.position(waiting) == 1
        service.interrupt(run_id)
        state(service, run_id, "interrupted")
        state(service, waiting, "done")
    finally:
        if worker.is_running():
            worker.kill()


def test_a_run_that_works_without_a_word_is_not_silent(services, monkeypatch):
    monkeypatch.setattr(execution, "RESOURCE_SECONDS", 0.1)
    service = services(executor="thread", run=fake_run)
    run_id = service.submit(run_spec("busy"))
    wait_for(lambda: len([e for e in service.store.folder(run_id).events() if e["kind"] == "resources"]) > 5)
    events = service.store.folder(run_id).events()
    (begun,) = [e["t"] for e in events if e["kind"] == "phase"]  # the last word of the run itself
    assert service.store.snapshot(run_id).silent_s < events[-1]["t"] - begun
    service.stop(run_id)
    state(service, run_id, "cancelled")


def test_readings_without_processor_time_are_no_sign_of_work():
    pulse = Pulse()
    pulse.see_state("running")

    def reading(t, cpu_s):
        pulse.take({"kind": "resources", "t": t, "cpu_s": cpu_s, "utc": "2026-01-01T00:00:00Z"})
        return pulse._last_work is not None

    assert reading(0.0, 5.0)  # the first: nothing to compare with
    pulse._last_work = None
    assert not reading(10.0, 5.1)  # 1 % of a core
    assert reading(20.0, 5.4)  # 3 %
    pulse._last_work = None
    assert not reading(30.0, 4.0)  # a child has ended
    pulse.take({"kind": "epoch", "t": 31.0, "utc": "2026-01-01T00:00:00Z"})
    assert pulse._last_work is not None


def test_events_of_an_earlier_attempt_do_not_make_a_starting_run_silent():
    pulse = Pulse()
    pulse.see_state("starting")
    pulse.take({"kind": "state", "t": 1.0, "utc": "2020-01-01T00:00:00Z"})
    pulse.read()
    assert pulse.silent_s < 60
    other = Pulse()
    other.see_state("running")
    other.take({"kind": "state", "t": 1.0, "utc": "2020-01-01T00:00:00Z"})
    other.read()
    assert other.silent_s > 1e6


def test_a_lock_that_nobody_holds_ends_nobody(tmp_path):
    from kd_core.runs.service.locks import end_holder

    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (tmp_path / "lock").write_text(f'{{"pid": {sleeper.pid}, "host": "here"}}')
        assert not end_holder(tmp_path / "lock") and sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
