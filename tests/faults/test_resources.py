"""Full disks, jumping clocks, lost output and a crowd at the Start button."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine

from kd_core import limits
from kd_core.runs.service import execution
from kd_core.runs.store import events
from kd_core.runs.store.runs import RunStore
from tests.runs.fake_worker import RESULT, fake_run
from tests.runs.services import ENDED, Services, run_spec, state, training, wait_for


def test_a_disk_that_fills_up_interrupts_and_the_run_goes_on_later(small_disk, monkeypatch):
    monkeypatch.setattr(limits, "MIN_FREE_DISK_BYTES", 2**20)
    services = Services(small_disk / "workspace")
    try:
        service = services(executor="thread", run=fake_run)
        run_id = service.submit(run_spec("steps"))
        training(service, run_id)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 4096)
                except OSError:
                    break
        row = state(service, run_id, *ENDED)
        assert (row.state, row.error.code) == ("interrupted", "disk_full")
        assert "MB free, 1 MB needed" in row.error.message
        filler.unlink()
        kept = service.store.folder(run_id)
        before = max(e["epoch"] for e in kept.events() if e["kind"] == "epoch")
        service.resume(run_id)
        wait_for(lambda: service.store.snapshot(run_id).curves[0].epochs[-1] > before)
        service.stop(run_id)
        assert state(service, run_id, "cancelled").error is None
        assert kept.result()["from"] >= before - 1
        assert RunStore(services.root).take_notices() == []
    finally:
        services.close()


def test_telemetry_that_cannot_be_written_does_not_stop_the_training(services, monkeypatch):
    service = services(executor="thread", run=fake_run)
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    real = events.os.pwrite

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(events.os, "pwrite", full)
    folder = service.store.folder(run_id)
    kept = folder.checkpoints / "count.json"
    wait_for(kept.exists)
    before = kept.read_text()
    wait_for(lambda: kept.read_text() != before)
    threading.Event().wait(0.8)
    assert folder.status()["state"] == "running"
    monkeypatch.setattr(events.os, "pwrite", real)
    service.stop(run_id)
    state(service, run_id, "cancelled")
    epochs = [e["epoch"] for e in folder.events() if e["kind"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1)) and folder.complete


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(hours=1), timedelta(days=1)])
def test_a_jumping_clock_hurts_nobody(services, jump):
    import datetime

    service = services(executor="thread", run=fake_run)
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    with time_machine.travel(datetime.datetime.now(datetime.UTC) + jump, tick=True):
        seen = service.store.snapshot(run_id).curves[0].total
        wait_for(lambda: service.store.snapshot(run_id).curves[0].total > seen)
        found = service.store.snapshot(run_id)
        assert found.state == "running" and 0 <= found.elapsed_s < 60 and (found.eta_s or 0) >= 0
        service.stop(run_id)
        row = state(service, run_id, *ENDED)
    assert row.state == "cancelled" and 0 < row.seconds < 60
    times = [e["t"] for e in service.store.folder(run_id).events()]
    assert times == sorted(times) and times[0] >= 0


def test_ten_tabs_press_start_at_once_and_one_run_starts(services):
    service = services(executor="thread", run=fake_run)
    ids, ready = [], threading.Barrier(10)

    def press(i):
        ready.wait()
        ids.append(service.submit(run_spec("steps"), click="one press" if i % 2 else None))

    tabs = [threading.Thread(target=press, args=(i,)) for i in range(10)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(ids) == 10 and len(set(ids)) == 1 and service.store.count() == 1


def test_ten_different_runs_work_one_after_another(services):
    at_work, most = [], []

    def watched(spec, folder, on_event, should_stop):
        at_work.append(folder.id)
        most.append(len(at_work))
        threading.Event().wait(0.01)
        at_work.remove(folder.id)
        return RESULT

    service = services(executor="thread", run=watched)
    ids = [service.submit(run_spec("quick", i)) for i in range(10)]
    for run_id in ids:
        state(service, run_id, "done")
    assert len(most) == 10 and max(most) == 1
    started = [service.store.folder(i).events()[0]["utc"] for i in ids]
    assert started == sorted(started)


def test_memory_of_a_failed_run_is_given_back(services):
    import gc
    import weakref

    class Tensor:
        pass

    held = []

    def greedy(spec, folder, on_event, should_stop):
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory")

    service = services(executor="thread", run=greedy)
    row = state(service, service.submit(run_spec()), *ENDED)
    assert (row.state, row.error.code) == ("failed", "out_of_memory")
    gc.collect()
    assert held[0]() is None  # nothing, such as a kept traceback, holds the tensors


def test_a_lost_gpu_asks_for_a_fresh_process(own_workspace):
    from kd_core.runs.store.folder import RunFolder

    def lost(spec, folder, on_event, should_stop):
        raise RuntimeError("CUDA error: device-side assert triggered")

    folder = RunFolder.create(own_workspace / "run", run_spec())
    ending = execution.Execution(folder, lost, execution.StopSignal()).carry_out()
    assert ending.renew and ending.error.message == "The GPU stopped answering." and "device 'cpu'" in ending.error.hint
