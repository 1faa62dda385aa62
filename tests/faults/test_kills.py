"""Real SIGKILL against the server and the worker, and native crashes: what is left must be true and resumable."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from kd_core.runs.service.locks import is_locked
from kd_core.runs.store.runs import RunStore
from tests.runs.fake_worker import RESULT
from tests.runs.services import ENDED, FAKE, run_spec, state, training, wait_for

SEED = 20261120


def start_server(root):
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.server", str(root)], stdout=subprocess.PIPE, text=True
    )
    return server, server.stdout.readline().split()


def kill(server):
    server.kill()
    server.wait()
    server.stdout.close()


def kept_count(folder):
    path = folder.checkpoints / "count.json"
    return json.loads(path.read_text())["count"] if path.exists() else 0


def kill_the_server(root, services, pause):
    """Kill a server after a pause, start another, and check everything it must find."""
    server, (run_id, waiting) = start_server(root)
    time.sleep(pause)
    kill(server)
    service = services()
    row = state(service, run_id, "interrupted")
    state(service, waiting, "done")
    folder = service.store.folder(run_id)
    assert not is_locked(folder.lock_path) and not folder.complete and row.ended_utc
    events = folder.events()
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    epochs = [e["epoch"] for e in events if e["kind"] == "epoch"]
    count = kept_count(folder)
    assert not epochs or abs(count - epochs[-1]) <= 1
    service.resume(run_id)
    wait_for(lambda: kept_count(folder) > count + 1)
    service.stop(run_id)
    state(service, run_id, "cancelled")
    assert folder.result()["from"] == count and folder.complete and folder.damage() == []
    again = folder.events()
    assert [e["n"] for e in again] == list(range(1, len(again) + 1)) and again[: len(events)] == events
    shown = service.store.snapshot(run_id).curves[0]
    assert shown.total == len({e["epoch"] for e in again if e["kind"] == "epoch"})
    service.close()


def test_kill_the_server_while_it_trains(own_workspace, services):
    kill_the_server(own_workspace, services, 0.9)


@pytest.mark.parametrize("moment", range(20))
def test_kill_the_server_at_a_random_moment(own_workspace, services, moment):
    kill_the_server(own_workspace, services, random.Random(f"{SEED}/{moment}").uniform(0.0, 2.0))


def kill_the_worker(services, pause):
    service = services()
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    time.sleep(pause)
    pid = service.status().pid
    os.kill(pid, signal.SIGKILL)
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("interrupted", "worker_killed")
    folder = service.store.folder(run_id)
    count, events = kept_count(folder), folder.events()
    assert events[-1]["state"] == "interrupted" and count >= events[-2].get("epoch", 1) - 1
    service.resume(run_id)
    wait_for(lambda: kept_count(folder) > count)
    assert service.status().pid != pid
    service.stop(run_id)
    state(service, run_id, "cancelled")
    assert folder.result()["from"] == count


def test_kill_the_worker_while_it_trains(services):
    kill_the_worker(services, 0.2)


@pytest.mark.parametrize("moment", range(20))
def test_kill_the_worker_at_a_random_moment(services, moment):
    kill_the_worker(services, random.Random(f"{SEED}/worker/{moment}").uniform(0.0, 1.0))


def test_a_native_crash_fails_the_run_and_spares_the_server(services):
    service = services()
    run_id = service.submit(run_spec("abort"))
    after = service.submit(run_spec("quick", 1))
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("failed", "worker_crashed")
    assert "SIGABRT" in row.error.message and row.error.error_id in row.error.hint
    assert "Fatal Python error: Aborted" in (services.root / "worker.log").read_text()
    state(service, after, "done")


def test_a_run_that_crashes_again_is_never_resumed_by_itself(services):
    service = services()
    run_id = service.submit(run_spec("abort"))
    for attempt in (1, 2, 3):
        state(service, run_id, "failed")
        assert service.store.snapshot(run_id).attempts == attempt
        service.resume(run_id)
    state(service, run_id, "failed")
    quick = service.submit(run_spec("quick", 1))
    state(service, quick, "done")
    assert service.store.snapshot(run_id).attempts == 4
    assert [e["state"] for e in service.store.folder(run_id).events() if e["kind"] == "state"] == [
        "running",
        "failed",
    ] * 4


def test_a_polite_end_of_the_worker_interrupts_the_run(services):
    service = services()
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    os.kill(service.status().pid, signal.SIGTERM)
    row = state(service, run_id, *ENDED)
    assert row.state == "interrupted"
    assert kept_count(service.store.folder(run_id)) > 0
    state(service, service.submit(run_spec("quick", 1)), "done")


LEAVES_ONCE = """
import pathlib, sys
mark = pathlib.Path(sys.argv[1])
if not mark.exists():  # asked to end in the moment a run is given to it
    print('{"say": "ready", "environment": {}}', flush=True)
    sys.stdin.readline()
    mark.touch()
    sys.exit(0)
sys.argv = sys.argv[2:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_run_given_to_a_worker_that_just_ends_goes_to_the_next_one(services, tmp_path):
    service = services(command=[sys.executable, "-c", LEAVES_ONCE, str(tmp_path / "left"), FAKE[1]])
    assert state(service, service.submit(run_spec("quick")), *ENDED).state == "done"
    assert (tmp_path / "left").exists() and service.status().restarts == 1


LEAVES_ALWAYS = """
import sys
with open(sys.argv[1], "a") as mark:
    print('{"say": "ready", "environment": {}}', flush=True)
    if sys.stdin.readline():
        mark.write("x")
"""


def test_a_run_is_given_back_once_only(services, tmp_path):
    """A run whose workers always leave untouched would otherwise go round for ever."""
    service = services(command=[sys.executable, "-c", LEAVES_ALWAYS, str(tmp_path / "left")])
    row = state(service, service.submit(run_spec("quick")), *ENDED)
    assert (row.state, row.error) == ("interrupted", None)
    assert (tmp_path / "left").read_text() == "xx"


DIES_POLITELY = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)
print('{"say": "ready", "environment": {}}', flush=True)
sys.stdin.readline()
print('{"say": "started"}', flush=True)
time.sleep(600)
"""


def test_a_worker_that_dies_of_sigterm_was_ended_from_outside(services):
    service = services(command=[sys.executable, "-c", DIES_POLITELY])
    run_id = service.submit(run_spec("quick"))
    wait_for(lambda: service.status().worker == "busy")
    os.kill(service.status().pid, signal.SIGTERM)
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("interrupted", "worker_killed")


def test_an_orphan_that_still_works_is_waited_for(own_workspace, services, monkeypatch):
    from kd_core.runs.service.locks import LockFile

    store = RunStore(own_workspace)  # no service yet: it would take the run from the queue
    run_id = store.create(run_spec("steps"))
    folder = store.folder(run_id)
    orphan = LockFile(folder.lock_path)
    assert orphan.acquire()
    folder.write_status(state="running")
    store.refresh(run_id)
    second = services(executor="thread", run=lambda *a: RESULT)
    waiting = second.submit(run_spec("quick", 1))
    time.sleep(0.6)
    assert second.store.get(run_id).state == "running" and second.position(waiting) == 1
    orphan.release()
    state(second, run_id, "interrupted")
    state(second, waiting, "done")
