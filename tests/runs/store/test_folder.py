"""The run folder: what is in it, when it is complete, what damage looks like."""

from __future__ import annotations

import json
import shutil

import pytest

from kd_core.errors import DataError, KDError, SpecError
from kd_core.runs.store.folder import RunFolder
from tests.runs.fake_worker import RESULT
from tests.runs.services import run_spec


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "20260101-1200-abcd", run_spec(), created_utc="2026-01-01T12:00:00Z")


def test_a_new_folder_holds_the_spec_and_waits(folder):
    assert folder.id == folder.run_id == "20260101-1200-abcd"
    assert folder.spec() == run_spec()
    status = folder.status()
    assert (status["state"], status["work_hash"]) == ("queued", run_spec().work_hash())
    assert folder.checkpoints.is_dir() and not folder.complete and folder.result() is None and folder.events() == []
    with pytest.raises(KDError, match="already holds a run"):
        RunFolder.create(folder.path, run_spec())


def test_events_since_a_number_read_only_the_rest(folder, monkeypatch):
    folder.append_events([{"kind": "epoch", "epoch": i} for i in (1, 2, 3)])
    assert [e["epoch"] for e in folder.events(since=1)] == [2, 3]
    folder.append_events([{"kind": "epoch", "epoch": 4}])
    read = []
    from kd_core.runs.store import folder as module

    class Watched(module.EventReader):
        def _parse(self, lines):
            read.append(len(lines))
            return super()._parse(lines)

    monkeypatch.setattr(module, "EventReader", Watched)
    assert [e["n"] for e in folder.events(since=3)] == [4]
    assert read == [1]
    assert [e["n"] for e in folder.events()] == [1, 2, 3, 4]


def test_the_manifest_makes_it_complete_and_finds_every_change(folder):
    folder.artifact("students/small.bin").parent.mkdir(parents=True)
    folder.artifact("students/small.bin").write_bytes(b"weights")
    assert folder.damage() == ["The run has no manifest: it did not end with a result."]
    folder.finish("done", RESULT)
    assert folder.complete and folder.damage() == [] and folder.result() == RESULT
    folder.write_status(state="done")
    folder.annotate(note="later notes don't count as damage")
    assert folder.damage() == []
    folder.artifact("students/small.bin").write_bytes(b"weighs")
    (folder.path / "spec.json").unlink()
    assert folder.damage() == ["artifacts/students/small.bin has changed since the run ended.", "spec.json is missing."]


def test_checkpoints_are_no_part_of_the_finished_run(folder):
    for name in ("count.json", "trained/0-baseline-0.safetensors"):
        (folder.checkpoints / name).parent.mkdir(exist_ok=True)
        (folder.checkpoints / name).write_text("{}")
    folder.finish("done", RESULT)
    assert sorted(folder.manifest()["files"]) == ["result.json", "spec.json"]
    shutil.rmtree(folder.checkpoints)  # to save space
    assert folder.damage() == [] and folder.complete


def test_a_manifest_or_result_of_another_shape_is_damage(folder):
    folder.finish("done", RESULT)
    for text, words in (
        ("[]", "holds no JSON object"),
        ('{"files": [], "state": "done"}', "lists no files"),
        ('{"files": {}, "state": "queued"}', "lists no files"),
    ):
        (folder.path / "manifest.json").write_text(text)
        with pytest.raises(KDError, match=rf"is damaged: manifest\.json {words}.*Restore its folder from a copy"):
            folder.manifest()
        assert words in folder.damage()[0]
    (folder.path / "result.json").write_text('{"metric": {}, "students": [7]}')
    with pytest.raises(KDError, match=r"result\.json is no result: a student lacks 'name'"):
        folder.result()


def test_names_in_a_manifest_that_are_none_are_told_one_by_one(folder):
    folder.finish("done", RESULT)
    manifest = folder.manifest()
    names = dict.fromkeys(("../spec.json", "a" * 300, "\ud800"), "0" * 64)
    (folder.path / "manifest.json").write_text(json.dumps({**manifest, "files": {**manifest["files"], **names}}))
    told = folder.damage()
    assert [line.split(":")[0] for line in told] == ["manifest.json"] * 3
    assert "leads out of the workspace" in told[0] and "No file can be named" in told[1] and "ud800" in told[2]


def test_a_folder_that_was_removed_is_not_made_again(folder):
    shutil.rmtree(folder.path)
    with pytest.raises(KDError, match=r"The folder of run .* is gone\. Restore it from a copy"):
        folder.write_status(state="done")
    assert not folder.path.exists()


def test_a_result_that_is_no_json_leaves_no_manifest(folder):
    with pytest.raises(ValueError, match="Out of range float"):
        folder.finish("done", {"x": float("nan")})
    assert not folder.complete and folder.result() is None


@pytest.mark.parametrize("name", ["../spec.json", "a/../../status.json", "a\0b"])
def test_an_artifact_never_leads_outside(folder, name):
    with pytest.raises(DataError, match=r"leads out of the workspace|NUL byte"):
        folder.artifact(name)


def test_a_stop_reads_as_cancelling_until_the_run_has_ended(folder):
    folder.write_status(state="running")
    folder.stop_path.touch()
    assert folder.status()["state"] == "cancelling"
    folder.write_status(state="done")
    assert folder.status()["state"] == "done"


def test_missing_and_damaged_files_are_named(folder, tmp_path):
    with pytest.raises(KDError, match=r"There is no run in .*nowhere: spec.json is missing"):
        RunFolder(tmp_path / "nowhere").spec()
    (folder.path / "status.json").write_text('{"state":')
    with pytest.raises(KDError, match=r"status\.json is not JSON"):
        folder.status()
    (folder.path / "spec.json").write_text("{")
    with pytest.raises(SpecError, match="not valid JSON"):
        folder.spec()


def test_events_that_the_disk_refuses_are_an_error(folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kd_core.runs.store.events.os.pwrite", full)
    with pytest.raises(KDError, match=r"2 events of run .* could not be written"):
        folder.append_events([{"kind": "warning"}, {"kind": "warning"}])
