"""A law: no exception ends or spins the supervisor, and the queue moves, whatever a run does."""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
import time

import pytest

from kd_core.errors import KDError
from kd_core.runs.service import process, supervisor
from kd_core.runs.service.jobs import JobService
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from tests.runs.fake_worker import HARMS, fake_run
from tests.runs.services import ENDED, FAKE, run_spec, state, training, wait_for

OVER = (*ENDED, "damaged")
ERRORS = {
    "os": lambda: OSError(errno.EACCES, "Permission denied"),
    "full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "ours": lambda: KDError("No.", "Yes.", "no"),
    "refused": lambda: KDError("The list of runs can't be used.", "Wait.", "index_refused"),
    "value": lambda: ValueError("embedded null byte"),
    "key": lambda: KeyError("state"),
    "memory": MemoryError,
    "depth": lambda: RecursionError("too deep"),
    "database": lambda: sqlite3.OperationalError("no such column"),
}
PLACES = {  # where it is raised -> the object and the name the supervisor reaches it by
    "folder": (RunStore, "folder"),
    "refresh": (RunStore, "refresh"),
    "queue": (RunStore, "queue"),
    "status": (RunFolder, "status"),
    "write_status": (RunFolder, "write_status"),
    "settle": (supervisor, "settle"),
    "give": (process.WorkerThread, "run"),
}


class Injected:
    """Raises in one place for one run (or for whoever asks first), some times or for ever."""

    def __init__(self, monkeypatch, place, make, times):
        owner, name = PLACES[place]
        self.real, self.make, self.left, self.victim, self.calls = getattr(owner, name), make, times, None, 0
        injected = self
        monkeypatch.setattr(owner, name, lambda *values, **more: injected(*values, **more))

    def __call__(self, *values, **more):
        about = [v.id if isinstance(v, RunFolder) else v for v in values]
        for_all = isinstance(values[0], RunStore) and len(values) == 1  # asks for no run in particular
        if self.victim is not None and self.left and (self.victim in about or for_all):
            self.left -= 1
            self.calls += 1
            raise self.make()
        return self.real(*values, **more)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "error", [e if e in ("os", "full") else pytest.param(e, marks=pytest.mark.slow) for e in ERRORS]
)
def test_an_exception_anywhere_neither_ends_the_supervisor_nor_holds_up_the_queue(services, monkeypatch, place, error):
    monkeypatch.setattr(supervisor, "BUSY_POLL_SECONDS", 0.02)
    injected = Injected(monkeypatch, place, ERRORS[error], times=6)
    service = services(executor="thread", run=fake_run)
    wait_for(lambda: service.status().worker == "ready")
    with service._supervisor.lock:  # both wait before either is started
        harmed, after = (service.store.create(run_spec("quick", i)) for i in (0, 1))
        injected.victim = harmed
    service._supervisor.wake()
    wait_for(lambda: _quietly(lambda: service.store.get(after).state == "done"))
    injected.victim = None
    wait_for(lambda: service.store.get(harmed).state in OVER)
    assert injected.calls > 0 and service._supervisor._thread.is_alive()
    assert state(service, service.submit(run_spec("quick", 2)), "done")


def _quietly(check):
    """The page that asks meets the same exception; here only the supervisor is of interest."""
    try:
        return check()
    except Exception:
        return None


@pytest.mark.parametrize("executor", ["process", "thread"])
@pytest.mark.parametrize("harm", [*HARMS, "exit", "leave"])
def test_a_run_that_harms_its_own_folder_or_worker_ends_and_the_next_one_works(services, executor, harm):
    if (harm, executor) == ("leave", "thread"):
        pytest.skip("a run in a thread that ends the process ends the server")
    service = services(executor=executor, run=fake_run if executor == "thread" else None)
    harmed, after = service.submit(run_spec(harm)), service.submit(run_spec("quick", 1))
    state(service, after, "done")
    row = state(service, harmed, *OVER)
    gone = not (service.store.runs / harmed).is_dir()
    assert gone is (harm in ("vanish", "move", "file"))
    if harm in ("vanish", "move"):
        assert (row.state, row.error.code) == ("damaged", "folder_gone")
        assert row.error.message == f"The folder of run {harmed} is gone: it was removed or moved by hand."
    if harm == "result":  # it could not be written; what stands there is no result
        assert (row.state, row.error.code) == ("failed", "unexpected")
    assert service._supervisor._thread.is_alive() and service.status().running is None


def test_the_folder_of_a_training_run_removed_by_hand_ends_the_run_and_stays_removed(services):
    import shutil

    service = services()
    run_id = service.submit(run_spec("steps"))
    after = service.submit(run_spec("quick", 1))
    training(service, run_id)
    pid = service.status().pid
    shutil.rmtree(service.store.folder(run_id).path, ignore_errors=True)
    shutil.rmtree(service.store.runs / run_id, ignore_errors=True)  # the worker may have written in between
    row = state(service, run_id, *OVER)
    assert (row.state, row.error.code, row.name) == ("damaged", "folder_gone", "steps")
    state(service, after, "done")
    assert service.status().pid == pid  # the same worker went on
    time.sleep(0.5)
    assert not (service.store.runs / run_id).exists()
    service.store.delete(run_id)
    assert [r.id for r in service.store.list()] == [after]


def test_the_same_exception_again_and_again_is_noted_and_logged_once(services, monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "BUSY_POLL_SECONDS", 0.01)
    service = services(executor="thread", run=fake_run)
    calls = []

    def refuse(self):
        calls.append(1)
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(RunStore, "queue", refuse)
    monkeypatch.setattr(supervisor, "IDLE_POLL_SECONDS", 0.01)
    service._supervisor.wake()
    wait_for(lambda: len(calls) > 20)
    monkeypatch.undo()
    told = [e for e in service.status().errors if "Permission denied" in e["message"]]
    assert len(told) == 1 and len([r for r in caplog.records if r.message == "supervisor"]) == 1


def test_a_worker_program_that_is_missing_does_not_keep_the_server_from_starting(own_workspace, monkeypatch):
    monkeypatch.setattr(supervisor, "START_BACKOFF_SECONDS", 0.05)
    own_workspace.mkdir()
    service = JobService(own_workspace, command=["/no/such/program"], executor="process")
    try:
        row = state(service, service.submit(run_spec()), *ENDED)
        assert (row.state, row.error.code) == ("failed", "worker_start")
        assert any("FileNotFoundError" in e["message"] for e in service.status().errors)
    finally:
        service.close()


NOISE = """
import sys, runpy
sys.stdout.buffer.write(b'\\xff\\xfe\\x00 no text\\n5\\n[]\\n{"do": 1}\\n' + b'[' * 100000 + b'\\n')
sys.stdout.flush()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_answers_that_are_no_messages_are_noted_as_noise(services):
    service = services(command=[sys.executable, "-c", NOISE, FAKE[1]])
    assert state(service, service.submit(run_spec()), *ENDED).state == "done"
    said = [e["message"] for e in service.status().errors if e["code"] == "worker_noise"]
    assert len(said) == 5 and any('{"do": 1}' in m for m in said)
    json.dumps(said)
