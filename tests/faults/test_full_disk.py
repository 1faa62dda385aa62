"""A full disk is reported as a full disk, with the free and the needed MB, whatever shows it first."""

from __future__ import annotations

import errno
import sqlite3

import pytest

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.service import disk, execution, loss
from kd_core.runs.store.folder import RunFolder
from tests.runs.services import ENDED, Services, run_spec, state, training


def fill(place):
    with (place / "filler").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return


@pytest.mark.parametrize("kind", ["steps", "mapped"])
def test_a_real_worker_on_a_full_disk_ends_as_disk_full(small_disk, monkeypatch, kind):
    """`mapped` writes to a mapped file, which a full disk answers by a signal instead of an error."""
    monkeypatch.setattr(limits, "MIN_FREE_DISK_BYTES", 2**20)
    services = Services(small_disk / "workspace")
    try:
        service = services()
        run_id = service.submit(run_spec(kind))
        training(service, run_id)
        fill(small_disk)
        row = state(service, run_id, *ENDED)
        assert (row.state, row.error.code) == ("interrupted", "disk_full")
        needed = {"steps": 500, "mapped": 1}[kind]  # said by the worker itself; by the server, for which it is set here
        assert row.error.message == f"The disk is full: 0 MB free, {needed} MB needed. The last checkpoint is kept."
        assert row.error.hint == "Delete runs or other files, then resume this run."
        (small_disk / "filler").unlink()
        service.resume(run_id)
        state(service, run_id, "running")
    finally:
        services.close()


def wrapped():
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError:
        raise KDError("The events could not be written.", "Try again.", "events") from None


@pytest.mark.parametrize(
    "make",
    [
        lambda: OSError(errno.ENOSPC, "No space left on device"),
        lambda: OSError(errno.EDQUOT, "Disk quota exceeded"),
        lambda: sqlite3.OperationalError("database or disk is full"),
        lambda: RuntimeError("[enforce fail at inline_container.cc] . unexpected pos: No space left on device"),
        wrapped,
    ],
)
def test_a_full_disk_is_recognised_behind_other_errors(own_workspace, monkeypatch, make):
    def run(*values):
        raise make()

    folder = RunFolder.create(own_workspace / "run", run_spec())
    ending = execution.Execution(folder, run, execution.StopSignal()).carry_out()
    assert (ending.state, ending.error.code) == ("interrupted", "disk_full")
    assert f"MB free, {limits.MIN_FREE_DISK_BYTES / 2**20:,.0f} MB needed" in ending.error.message


def test_a_log_on_the_full_disk_does_not_crash_the_worker(own_workspace, monkeypatch):
    def run(*values):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self):
            pass

    folder = RunFolder.create(own_workspace / "run", run_spec())
    (folder.path / "log.txt").mkdir()  # the trace goes to the worker's own log instead, which can't take it either
    monkeypatch.setattr(execution.sys, "stderr", Full())
    assert execution.Execution(folder, run, execution.StopSignal()).carry_out().error.code == "disk_full"


def test_other_errors_are_no_full_disk():
    assert not disk.is_full(OSError(errno.EACCES, "Permission denied")) and not disk.is_full(None)
    loop = ValueError("a")
    loop.__context__ = KeyError("b")
    loop.__context__.__context__ = loop
    assert not disk.is_full(loop)


@pytest.mark.parametrize(
    ("status", "free_mb", "code"),
    [
        (-7, 400, "disk_full"),
        (-7, 600, "worker_crashed"),
        (-11, 400, "worker_crashed"),
        (-11, 10, "disk_full"),
        (1, 10, "disk_full"),
    ],
)
def test_a_crash_is_a_full_disk_where_there_is_no_space(tmp_path, monkeypatch, status, free_mb, code):
    usage = type("Usage", (), {"free": free_mb * 2**20})
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage)
    error, _ = loss.explain(tmp_path, status, stop_asked=False, frozen=False)
    assert error.code == code
    assert code != "disk_full" or f"{free_mb} MB free, 500 MB needed" in error.message
