"""Damaged run folders: the server starts, the run is named as damaged, the queue goes on, what is whole works."""

from __future__ import annotations

import shutil

import pytest

from kd_core.errors import DataError
from kd_core.runs.service.jobs import JobService
from kd_core.runs.store.events import EventReader
from kd_core.runs.store.runs import RunStore
from kd_core.safe_io import write_json
from tests.runs.fake_worker import RESULT, epoch, fake_run
from tests.runs.services import run_spec, state

FILES = ("spec.json", "status.json", "result.json", "manifest.json", "events.jsonl")
KINDS = {
    "missing": lambda file: file.unlink(missing_ok=True),
    "bad": lambda file: file.write_text("{no json"),
    "nul": lambda file: file.write_bytes(bytes(64)),
    "list": lambda file: file.write_text("[]"),
    "object": lambda file: file.write_text("{}"),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if file.exists() else b""),
    "empty": lambda file: file.write_bytes(b""),
    "bytes": lambda file: file.write_bytes(b"\xff\xfe\x00\x80" * 8),
    "deep": lambda file: file.write_text("[" * 100_000),
    "number": lambda file: file.write_text("7"),
    "folder": lambda file: (file.unlink(missing_ok=True), file.mkdir()),
    "link": lambda file: (file.unlink(missing_ok=True), file.symlink_to("/etc/passwd")),
}
DAMAGES = [("folder", "missing"), ("folder", "file"), *((file, kind) for file in FILES for kind in KINDS)]


def harm(folder, file, kind):
    if file != "folder":
        KINDS[kind](folder.path / file)
        return
    shutil.rmtree(folder.path)
    if kind == "file":
        folder.path.write_text("in the way")


def left_running(root):
    """A run as a killed server leaves it, with some events."""
    store = RunStore(root)
    run_id = store.create(run_spec("steps"))
    folder = store.folder(run_id)
    folder.append_events([{"kind": "state", "state": "running"}, epoch(1), epoch(2)])
    folder.write_status(state="running", queue_number=None)
    store.refresh(run_id)
    return store, run_id


def finished(root):
    store, run_id = left_running(root)
    folder = store.folder(run_id)
    folder.append_events([{"kind": "state", "state": "done"}])
    folder.finish("done", RESULT)
    folder.write_status(state="done", seconds=1.0)
    store.refresh(run_id)
    return store, run_id


@pytest.mark.parametrize("make", [left_running, finished])
@pytest.mark.parametrize(("file", "kind"), DAMAGES)
def test_the_server_starts_and_works_beside_a_damaged_run(own_workspace, make, file, kind):
    own_workspace.mkdir()
    store, run_id = make(own_workspace)
    harm(store.folder(run_id), file, kind)
    service = JobService(own_workspace, executor="thread", run=fake_run)
    try:
        found = service.store.get(run_id).state  # a finished run is looked at when it is opened, not at each start
        assert found in (("damaged", "interrupted") if make is left_running else ("damaged", "done"))
        row = service.store.refresh(run_id)  # what a page does when it opens the run
        if file in ("folder", "spec.json", "status.json"):
            assert row.state == "damaged" and row.error.message and row.error.hint
        if found == "damaged":
            assert row.state == "damaged"
        state(service, service.submit(run_spec("quick", 7)), "done")
        if row.state == "damaged":
            service.store.delete(run_id)
            assert not (service.store.runs / run_id).exists()
        assert service.store.rebuild() == (1 if row.state == "damaged" else 2)
        assert not [e for e in service.status().errors if e["code"] == "supervisor"]
    finally:
        service.close()


def test_the_worst_damages_are_named(own_workspace):
    """One sentence a file: which file, and what is wrong with it."""
    own_workspace.mkdir()
    store, run_id = finished(own_workspace)
    folder = store.folder(run_id)
    kept = {file: (folder.path / file).read_bytes() for file in FILES}
    expected = {
        ("status.json", "nul"): "status.json is not JSON",
        ("status.json", "list"): "status.json holds no JSON object",
        ("status.json", "missing"): "status.json is missing or empty",
        ("status.json", "link"): "status.json is a link",
        ("result.json", "truncated"): "result.json is not JSON",
        ("result.json", "object"): "result.json is no result: 'metric' is missing",
        ("result.json", "folder"): "result.json is no file",
        ("manifest.json", "list"): "manifest.json holds no JSON object",
        ("manifest.json", "object"): "manifest.json lists no files of a finished run",
        ("spec.json", "bytes"): "spec.json is not text that can be read",
    }
    for (file, kind), words in expected.items():
        harm(folder, file, kind)
        row = store.refresh(run_id)
        assert (row.state, row.error.message) == ("damaged", f"Run {run_id} is damaged: {words}.")
        shutil.rmtree(folder.path / file) if kind == "folder" else (folder.path / file).unlink(missing_ok=True)
        (folder.path / file).write_bytes(kept[file])
        assert store.refresh(run_id).state == "done"


def test_damaged_events_of_a_running_run_end_it_as_damaged(own_workspace):
    own_workspace.mkdir()
    store, run_id = left_running(own_workspace)
    path = store.folder(run_id).events_path
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{}", *lines[1:], ""]))
    service = JobService(own_workspace, executor="thread", run=fake_run)
    service.close()
    row = service.store.get(run_id)
    assert (row.state, row.error.code) == ("damaged", "events_damaged")
    assert row.error.message == "Line 2 of events.jsonl can't be read."
    assert store.folder(run_id).status()["state"] == "damaged"


def test_an_event_file_that_is_a_link_is_never_written(own_workspace, tmp_path):
    own_workspace.mkdir()
    store, run_id = left_running(own_workspace)
    outside = tmp_path / "outside"
    outside.write_text("not ours\n")
    folder = store.folder(run_id)
    for name in ("events.jsonl", "lock", "reserve", "log.txt"):
        (folder.path / name).unlink(missing_ok=True)
        (folder.path / name).symlink_to(outside)
    service = JobService(own_workspace, executor="thread", run=fake_run)
    try:
        assert service.store.get(run_id).state == "damaged"
        write_json(folder.path / "status.json", {"state": "queued", "queue_number": 1})
        service.store.refresh(run_id)
        service._supervisor.wake()
        state(service, run_id, "damaged", "failed")
    finally:
        service.close()
    assert outside.read_text() == "not ours\n" and EventReader(outside).lines == 0


def test_links_out_of_the_workspace_are_not_followed(own_workspace, tmp_path):
    own_workspace.mkdir()
    store, run_id = finished(own_workspace)
    outside = tmp_path / "elsewhere"
    shutil.copytree(store.folder(run_id).path, outside)
    (store.runs / "linked").symlink_to(outside)
    assert store.adopt() == 1 and store.get("linked").state == "damaged"
    assert store.get("linked").error.message == "The path 'linked' leads out of the workspace."
    store.delete("linked")
    assert (outside / "spec.json").exists() and not (store.runs / "linked").is_symlink()
    folder = store.folder(run_id)
    shutil.rmtree(folder.path / "artifacts")
    (folder.path / "artifacts").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of the workspace"):
        folder.artifact("spec.json")
    folder.write_status(state="interrupted")
    store.refresh(run_id)
    service = JobService(own_workspace, executor="thread", run=fake_run)
    try:
        service.resume(run_id)
        row = state(service, run_id, "failed")
        assert row.error.code == "outside_workspace" and not (outside / "reserve").exists()
    finally:
        service.close()
