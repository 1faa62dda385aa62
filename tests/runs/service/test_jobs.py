"""The job service with a real worker process, and in thread mode."""

from __future__ import annotations

import json
import os
import signal

import pytest

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.service import jobs
from kd_core.runs.service.jobs import JobService
from kd_core.specs import SweepSpec
from tests.runs.fake_worker import fake_run
from tests.runs.services import ENDED, run_spec, state, training, wait_for

pytestmark = pytest.mark.slow


def test_a_run_goes_from_queue_to_result(services):
    service = services()
    run_id = service.submit(run_spec())
    row = state(service, run_id, *ENDED)
    folder = service.store.folder(run_id)
    assert (row.state, row.error) == ("done", None)
    assert folder.complete and folder.damage() == []
    kinds = [(e["kind"], e.get("state")) for e in folder.events() if e["kind"] != "resources"]
    assert kinds[0] == ("state", "running") and kinds[-1] == ("state", "done")
    assert service.status().worker == "ready" and service.status().running is None


def test_one_at_a_time_in_order_with_positions(services):
    service = services(executor="thread", run=fake_run)
    first = service.submit(run_spec("steps", 0))
    others = [service.submit(run_spec("quick", i)) for i in (1, 2, 3)]
    training(service, first)
    assert [service.position(i) for i in (first, *others)] == [None, 1, 2, 3]
    assert service.status().queue == tuple(others) and service.status().running == first
    assert service.store.snapshot(others[1]).position == 2
    service.stop(others[1])
    assert [service.position(i) for i in others] == [1, None, 2]
    service.stop(first)
    ends = [state(service, i, "done").started_utc for i in (others[0], others[2])]
    assert ends == sorted(ends)
    assert service.store.get(others[1]).state == "cancelled" and service.store.get(others[1]).started_utc is None


def test_the_same_press_and_the_same_work_are_one_run(services):
    service = services(executor="thread", run=fake_run)
    first = service.submit(run_spec("steps"), click="press-1")
    assert service.submit(run_spec("steps", 9), click="press-1") == first
    assert service.submit(run_spec("steps under another name")) == first
    assert service.submit(run_spec("steps"), click="press-2", again=True) == first  # active: one is enough
    assert service.store.count() == 1
    service.stop(first)
    state(service, first, "cancelled")
    done = service.submit(run_spec("quick"))
    assert done != first
    state(service, done, "done")
    assert service.submit(run_spec("quick")) == done
    again = service.submit(run_spec("quick"), again=True)
    assert again != done
    state(service, again, "done")
    assert service.store.find_work(run_spec().work_hash()).id == again


def test_stop_keeps_the_partial_result_and_may_be_asked_twice(services):
    service = services()
    run_id = service.submit(run_spec("slow"))
    state(service, run_id, "running")
    service.stop(run_id)
    assert service.store.get(run_id).state == "cancelling"
    assert service.store.snapshot(run_id).state == "cancelling"
    service.stop(run_id)
    row = state(service, run_id, *ENDED)
    assert row.state == "cancelled"
    assert service.store.folder(run_id).result()["partial"] is True and service.store.folder(run_id).complete
    service.stop(run_id)
    assert service.store.get(run_id).state == "cancelled"


def test_a_run_that_keeps_nothing_is_cancelled_without_result(services):
    service = services(executor="thread", run=fake_run)
    run_id = service.submit(run_spec("nothing"))
    assert state(service, run_id, *ENDED).state == "cancelled"
    assert service.store.folder(run_id).result() is None and not service.store.folder(run_id).complete


def test_a_deaf_run_is_killed_and_the_next_gets_a_fresh_worker(services, monkeypatch):
    monkeypatch.setattr(limits, "KILL_GRACE_SECONDS", 0.4)
    service = services()
    run_id = service.submit(run_spec("deaf"))
    state(service, run_id, "running")
    pid = service.status().pid
    service.stop(run_id)
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("cancelled", "stopped_hard")
    assert "did not stop in time" in row.error.message
    state(service, service.submit(run_spec("quick", 1)), "done")
    assert service.status().pid != pid


def test_a_run_that_has_noticed_the_stop_may_take_longer_than_the_grace_to_evaluate(services, monkeypatch):
    monkeypatch.setattr(limits, "KILL_GRACE_SECONDS", 1.0)
    service = services()
    run_id = service.submit(run_spec("slower"))
    training(service, run_id)
    pid = service.status().pid
    service.stop(run_id)
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error) == ("cancelled", None) and service.status().pid == pid
    assert service.store.folder(run_id).result()["partial"] is True


def test_a_run_that_has_noticed_the_stop_and_hangs_is_ended_in_the_end(services, monkeypatch):
    monkeypatch.setattr("kd_core.runs.service.supervisor.STOP_FINISH_SECONDS", 0.4)
    service = services()
    run_id = service.submit(run_spec("stuck"))
    training(service, run_id)
    service.stop(run_id)
    assert state(service, run_id, *ENDED).error.code == "stopped_hard"


@pytest.mark.parametrize("executor", ["process", "thread"])
def test_failures_say_what_happened_and_the_next_run_works(services, executor):
    service = services(executor=executor, run=fake_run if executor == "thread" else None)
    wrong = service.submit(run_spec("raise", 1))
    refused = service.submit(run_spec("refuse", 2))
    memory = service.submit(run_spec("memory", 3))
    nan = service.submit(run_spec("nan", 4))
    row = state(service, wrong, *ENDED)
    assert (row.state, row.error.code) == ("failed", "unexpected")
    assert row.error.message == "Something unexpected went wrong (ZeroDivisionError)."
    assert "secret" not in str(row.error)
    log = (service.store.folder(wrong).path / "log.txt").read_text()
    assert row.error.error_id in log and "secret/path" in log
    row = state(service, refused, *ENDED)
    assert (row.error.code, row.error.message, row.error.hint) == ("empty_column", "Column a is empty.", "Drop it.")
    row = state(service, memory, *ENDED)
    assert row.error.code == "out_of_memory" and "The memory did not suffice" in row.error.message
    row = state(service, nan, *ENDED)
    assert row.state == "failed" and service.store.folder(nan).result() is None
    last = service.store.folder(refused).events()[-1]
    assert (last["state"], last["code"], last["hint"]) == ("failed", "empty_column", "Drop it.")
    assert state(service, service.submit(run_spec("quick", 5)), *ENDED).state == "done"


def test_a_full_disk_interrupts_and_keeps_the_checkpoint(services):
    service = services(executor="thread", run=fake_run)
    run_id = service.submit(run_spec("full"))
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("interrupted", "disk_full")
    assert "MB free" in row.error.message and "MB needed" in row.error.message
    assert json.loads((service.store.folder(run_id).checkpoints / "kept.json").read_text()) == {"kept": True}


def test_resume_goes_on_where_it_was(services):
    service = services()
    run_id = service.submit(run_spec("steps"))
    training(service, run_id)
    wait_for(lambda: len(service.store.folder(run_id).events()) > 10)
    os.kill(service.status().pid, signal.SIGKILL)
    row = state(service, run_id, *ENDED)
    assert (row.state, row.error.code) == ("interrupted", "worker_killed")
    before = json.loads((service.store.folder(run_id).checkpoints / "count.json").read_text())["count"]
    assert service.resume(run_id) == run_id
    state(service, run_id, "running")
    assert service.resume(run_id) == run_id
    wait_for(lambda: service.store.snapshot(run_id).curves[0].total > before + 2)
    service.stop(run_id)
    state(service, run_id, "cancelled")
    events = service.store.folder(run_id).events()
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    times = [e["t"] for e in events]
    assert times == sorted(times)
    epochs = [e["epoch"] for e in events if e["kind"] == "epoch"]
    assert sorted(epochs)[-1] > before and len(epochs) - len(set(epochs)) <= 1
    shown = service.store.snapshot(run_id)
    assert shown.attempts == 2 and list(shown.curves[0].epochs) == sorted(set(shown.curves[0].epochs))
    with pytest.raises(
        KDError, match="is cancelled; only an interrupted or failed run or a stopped what-if can be resumed"
    ):
        service.resume(run_id)


def test_closing_puts_the_run_down_and_frees_the_workspace(services):
    service = services()
    run_id = service.submit(run_spec("steps"))
    waiting = service.submit(run_spec("quick", 1))
    training(service, run_id)
    with pytest.raises(KDError, match=f"in use by another server \\(process {os.getpid()} on "):
        JobService(services.root, executor="thread", run=fake_run)
    service.close()
    folder = service.store.folder(run_id)
    assert folder.status()["state"] == "interrupted" and not folder.complete
    second = services()
    assert second.store.get(run_id).state == "interrupted"
    state(second, waiting, "done")
    second.resume(run_id)
    state(second, run_id, "running")


def test_a_full_queue_and_a_full_disk_are_refused_with_numbers(services, monkeypatch):
    service = services(executor="thread", run=fake_run)
    service.submit(run_spec("steps"))
    monkeypatch.setattr(limits, "QUEUE_LENGTH", 1)
    wait_for(lambda: service.status().running)
    service.submit(run_spec("quick", 1))
    with pytest.raises(KDError, match="1 runs are waiting already; the queue holds 1"):
        service.submit(run_spec("quick", 2))
    monkeypatch.setattr(limits, "QUEUE_LENGTH", 100)
    monkeypatch.setattr(limits, "MIN_FREE_DISK_BYTES", 2**60)
    with pytest.raises(KDError, match="MB are free on the disk of"):
        service.submit(run_spec("quick", 3))


def test_a_worker_that_cannot_start_fails_the_run_instead_of_looping(services, monkeypatch):
    monkeypatch.setattr("kd_core.runs.service.supervisor.START_BACKOFF_SECONDS", 0.1)
    service = services(command=["/bin/sh", "-c", "echo broken >&2; exit 3"])
    run_id = service.submit(run_spec())
    row = state(service, run_id, *ENDED)
    assert row.error.code == "worker_start" and "3 times in a row" in row.error.message
    wait_for(lambda: service.status().worker == "failed")
    assert "broken" in (services.root / "worker.log").read_text()
    assert any("exit status 3" in e["message"] for e in service.status().errors)


def test_a_deleted_run_does_not_hold_up_the_queue(services):
    service = services(executor="thread", run=fake_run)
    first, gone, last = (service.submit(run_spec("steps" if i == 0 else "quick", i)) for i in range(3))
    training(service, first)
    (service.store.folder(gone).spec_path).unlink()
    service.stop(first)
    state(service, last, "done")
    assert any(gone in e["message"] for e in service.status().errors)


def test_an_unknown_executor_is_refused(own_workspace, monkeypatch):
    monkeypatch.setenv("KD_EXECUTOR", "threads")
    with pytest.raises(KDError, match="KD_EXECUTOR is 'threads'"):
        JobService(own_workspace)


def test_the_service_of_the_process_follows_the_workspace(own_workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "command", lambda: ["/bin/cat"])
    first = jobs.service()
    assert jobs.service() is first and first.root == own_workspace.resolve()
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "other"))
    second = jobs.service()
    assert second is not first and second.root == (tmp_path / "other").resolve()
    second.close()
    third = jobs.service()
    assert third is not second
    third.close()


def test_a_what_if_that_has_ended_goes_on_with_what_was_added(services):
    from kd_core.runs.settings.added import Added, Round

    service = services(executor="thread", run=fake_run)
    ordinary = service.submit(run_spec("quick"))
    state(service, ordinary, "done")
    added = Added((Round((3, 4), (0,)),))
    with pytest.raises(KDError, match="is no what-if with a result"):
        service.go_on(ordinary, added)
    spec = run_spec("quick", 1).model_copy(update={"sweep": SweepSpec(temperature=(1, 4))})
    run_id = service.submit(spec)
    state(service, run_id, "done")
    folder = service.store.folder(run_id)
    assert service.go_on(run_id, added) == run_id
    wait_for(lambda: folder.status().get("attempts") == 2)
    assert state(service, run_id, "done").state == "done" and folder.complete and folder.damage() == []
    assert Added.of(folder) == added and "added.json" in folder.manifest()["files"]
    steps = service.submit(run_spec("steps", 2).model_copy(update={"sweep": SweepSpec(temperature=(1, 4))}))
    training(service, steps)
    assert service.go_on(steps, added) == steps and not Added.of(
        service.store.folder(steps)
    )  # at work: nothing is added
    service.stop(steps)
    state(service, steps, "cancelled")
