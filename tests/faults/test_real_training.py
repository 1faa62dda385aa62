"""The same faults with the real engine: what a killed and resumed run ends with is what an undisturbed one ends with."""

from __future__ import annotations

import os
import signal

import pytest

from kd_core.runs.service.process import command
from kd_core.safe_io import sha256_file
from kd_core.specs import Choice, StudentSpec, SweepSpec
from tests.runs.services import ENDED, state, wait_for
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow


def student_epochs(service, run_id):
    return sum(c.total for c in service.store.snapshot(run_id).curves if c.arm in ("baseline", "student"))


def outcome(service, run_id):
    folder = service.store.folder(run_id)
    assert folder.damage() == []
    result = folder.result()
    weights = {p.name: sha256_file(p) for p in sorted((folder.path / "artifacts").rglob("*.safetensors"))}
    assert weights
    return [(s["metrics"], s["baseline"]["metrics"], s["verdict"]) for s in result["students"]], weights


def test_a_run_killed_twice_ends_bit_for_bit_like_a_whole_one(services, tmp_path):
    # long enough to be killed in the middle: as stacks all trainings of a short run end within a second
    spec = small_spec(write_table(tmp_path / "table.csv", rows=2000), epochs=600, seeds=2, patience=600)
    service = services(command=command())
    whole = service.submit(spec)
    assert state(service, whole, *ENDED, seconds=200).state == "done"
    total = student_epochs(service, whole)
    broken = service.submit(spec, again=True)
    for share in (0.3, 0.7):
        wait_for(lambda share=share: student_epochs(service, broken) > share * total, 200)
        os.kill(service.status().pid, signal.SIGKILL)
        row = state(service, broken, *ENDED, seconds=60)
        assert (row.state, row.error.code) == ("interrupted", "worker_killed")
        service.resume(broken)
    assert state(service, broken, *ENDED, seconds=200).state == "done"
    assert service.store.snapshot(broken).attempts == 3
    assert outcome(service, broken) == outcome(service, whole)


def test_stop_keeps_what_was_finished(services, tmp_path):
    spec = small_spec(write_table(tmp_path / "table.csv", rows=2000), epochs=400, seeds=3, patience=400)
    service = services(command=command())
    run_id = service.submit(spec)
    wait_for(lambda: student_epochs(service, run_id) > 5, 300)
    service.stop(run_id)
    wait_for(
        lambda: not any(p.name == "students" and p.state == "running" for p in service.store.snapshot(run_id).phases)
    )
    row = state(service, run_id, *ENDED, seconds=60)
    folder = service.store.folder(run_id)
    assert (row.state, row.error) == ("cancelled", None) and folder.damage() == []
    (student,) = folder.result()["students"]
    assert student["seeds"] == [0, 1, 2] and student["stopped_early"] and row.headline.student is not None
    epochs = {s["last_epoch"] for arm in ("student", "baseline") for s in student["selection"][arm]}
    assert min(epochs) >= 1 and max(epochs) < 400


def test_closing_the_server_interrupts_a_real_run(services, tmp_path):
    spec = small_spec(write_table(tmp_path / "table.csv", rows=2000), epochs=400, seeds=3, patience=400)
    service = services(command=command())
    run_id = service.submit(spec)
    wait_for(lambda: student_epochs(service, run_id) > 5, 300)
    service.close()
    folder = service.store.folder(run_id)
    assert folder.status()["state"] == "interrupted" and folder.result() is None
    again = services(command=command())
    seen = student_epochs(again, run_id)
    again.resume(run_id)
    wait_for(lambda: student_epochs(again, run_id) > seen, 200)
    again.stop(run_id)
    assert state(again, run_id, *ENDED, seconds=60).state == "cancelled"


def cells_of(service, run_id):
    folder = service.store.folder(run_id)
    assert folder.damage() == []
    found = folder.result()
    timed = ("seconds", "why")
    return [{k: v for k, v in c.items() if k not in timed} for c in found["cells"]], found["students"][0]["metrics"]


def finished(service, run_id):
    """Keep what is on disk of finished trainings: name and time of writing."""
    place = service.store.folder(run_id).checkpoints / "trained"
    return {p.name: p.stat().st_mtime_ns for p in place.glob("*.json")}


@pytest.mark.parametrize("mode", ["sequential", "fused"])
def test_a_what_if_killed_twice_continues_only_the_rest(services, tmp_path, mode):
    sweep = SweepSpec(alpha=(0, 0.5, 1), mode=mode)
    # one stack per student: in the fused mode the trainings of a student end together
    students = tuple(
        StudentSpec(name=str(d), arch=Choice(name="mlp", settings={"width": 8, "depth": d})) for d in (1, 2)
    )
    epochs = 40 if mode == "sequential" else 600  # long enough to be killed while the second stack trains
    spec = small_spec(write_table(tmp_path / "table.csv", rows=2000), epochs=epochs, seeds=2, patience=epochs)
    spec = spec.model_copy(update={"sweep": sweep, "students": students})
    service = services(command=command())
    whole = service.submit(spec)
    assert state(service, whole, *ENDED, seconds=200).state == "done"
    broken = service.submit(spec, again=True)
    before = {}
    for share in (2, 6):
        wait_for(lambda share=share: len(finished(service, broken)) >= share, 200)
        os.kill(service.status().pid, signal.SIGKILL)
        row = state(service, broken, *ENDED, seconds=60)
        assert (row.state, row.error.code) == ("interrupted", "worker_killed")
        now = finished(service, broken)
        assert before.items() <= now.items()  # nothing was trained twice
        before = now
        service.resume(broken)
    assert state(service, broken, *ENDED, seconds=200).state == "done"
    assert before.items() <= finished(service, broken).items()
    assert service.store.snapshot(broken).trainings_done == 12 and service.store.get(broken).sweep
    assert cells_of(service, broken) == cells_of(service, whole)


def test_a_stopped_what_if_keeps_what_is_there_and_can_go_on(services, tmp_path):
    sweep = SweepSpec(temperature=(1, 4), alpha=(0, 0.5, 1), mode="sequential")
    spec = small_spec(write_table(tmp_path / "table.csv", rows=2000), epochs=60, seeds=3, patience=60)
    service = services(command=command())
    run_id = service.submit(spec.model_copy(update={"sweep": sweep}))
    wait_for(lambda: service.store.snapshot(run_id).trainings_done >= 3, 300)
    service.stop(run_id)
    row = state(service, run_id, *ENDED, seconds=60)
    folder = service.store.folder(run_id)
    assert (row.state, row.error) == ("cancelled", None) and folder.damage() == []
    found = folder.result()["sweep"]
    assert 1 < found["cells_compared"] <= 6 and found["trained"] < found["trainings"] == 15
    assert row.sweep and row.headline.gain is not None
    before = finished(service, run_id)
    assert before
    service.resume(run_id)
    assert state(service, run_id, "done", "failed", "interrupted", seconds=200).state == "done"
    assert before.items() <= finished(service, run_id).items()  # nothing was trained twice
    assert folder.result()["sweep"]["trained"] == 15 and not any(c["stopped"] for c in folder.result()["cells"])
