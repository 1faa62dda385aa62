"""The worker's protocol, spoken to a real process by hand."""

from __future__ import annotations

import json
import subprocess
import time

import psutil
import pytest

from kd_core.runs.service.locks import LockFile
from kd_core.runs.service.worker import NICE
from kd_core.runs.store.folder import RunFolder
from tests.runs.services import FAKE, run_spec, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def worker(own_workspace, tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    with (tmp_path / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(FAKE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        stream.close()


def send(worker, **command):
    worker.stdin.write(json.dumps(command) + "\n")
    worker.stdin.flush()


def answers(worker, last):
    found = []
    while not found or found[-1]["say"] != last:
        found.append(json.loads(worker.stdout.readline()))
    return found


def test_jobs_sent_before_it_is_ready_are_done_and_prints_go_elsewhere(worker, tmp_path):
    worker.stdin.write("not json\n")
    folder = RunFolder.create(tmp_path / "run", run_spec())
    send(worker, do="run", path=str(folder.path))
    found = answers(worker, "ended")
    assert [m["say"] for m in found] == ["ready", "started", "ended"]
    assert (found[0]["pid"], found[2]["state"], found[2]["error"]) == (worker.pid, "done", None)
    assert psutil.Process(worker.pid).nice() == min(19, psutil.Process().nice() + NICE)  # pages come first
    written = (tmp_path / "errors.txt").read_text()
    assert "a stray line on standard output" in written and "unreadable command: 'not json" in written


def test_the_end_of_its_input_puts_the_run_down_and_ends_it(worker, tmp_path):
    folder = RunFolder.create(tmp_path / "run", run_spec("slow"))
    send(worker, do="run", path=str(folder.path))
    answers(worker, "started")
    begun = time.monotonic()
    worker.stdin.close()
    assert worker.wait(10) == 0 and time.monotonic() - begun < 6
    assert folder.status()["state"] == "interrupted" and folder.result() is None
    assert folder.events()[-1]["state"] == "interrupted"


def test_a_stop_names_its_run_and_a_locked_run_is_refused(worker, tmp_path):
    folder = RunFolder.create(tmp_path / "run", run_spec("slow"))
    with LockFile(folder.lock_path).require("", "", ""):
        send(worker, do="run", path=str(folder.path))
        refused = answers(worker, "refused")[-1]
        assert refused["code"] == "run_locked" and "is being carried out by process" in refused["message"]
        assert folder.status()["state"] == "queued"
    send(worker, do="run", path=str(folder.path))
    answers(worker, "started")
    send(worker, do="stop", run_id="another run")
    time.sleep(0.2)
    assert folder.status()["state"] == "running"
    send(worker, do="stop", run_id=folder.id)
    found = answers(worker, "ended")
    assert [m["say"] for m in found] == ["stopping", "ended"] and found[-1]["state"] == "cancelled"
    assert folder.result()["partial"] is True


def test_a_deaf_run_is_written_down_as_interrupted_before_the_worker_goes(worker, tmp_path):
    folder = RunFolder.create(tmp_path / "run", run_spec("deaf"))
    send(worker, do="run", path=str(folder.path))
    answers(worker, "started")
    worker.stdin.close()
    assert worker.wait(10) == 0
    assert folder.status()["state"] == "interrupted"
    wait_for(lambda: LockFile(folder.lock_path).acquire())
