"""The workspace is closed to other people of the machine, without touching what isn't ours."""

from __future__ import annotations

import stat

import pytest

from kd_core import workspace as module
from kd_core.workspace import close, workspace


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def opened(own_workspace, tmp_path):
    """A workspace as an older version or a generous umask left it, with a link that leads out of it."""
    outside = tmp_path / "outside.csv"
    outside.write_text("not ours")
    outside.chmod(0o644)
    run = own_workspace / "runs" / "one"
    run.mkdir(parents=True)
    for name in ("runs/one/spec.json", "runs.sqlite-wal", "worker.log"):
        (own_workspace / name).write_text("{}")
    (run / "link").symlink_to(outside)
    (run / "folders").symlink_to(tmp_path)
    for path in (own_workspace, *own_workspace.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    tmp_path.chmod(0o755)
    return own_workspace, outside


def test_an_existing_open_workspace_is_closed(opened, tmp_path):
    root, outside = opened
    module._closed.discard(root.resolve())
    assert workspace() == root.resolve()
    assert mode(root) == mode(root / "runs") == mode(root / "runs" / "one") == 0o700
    assert {mode(root / n) for n in ("runs/one/spec.json", "runs.sqlite-wal", "worker.log")} == {0o600}
    assert mode(outside) == 0o644 and mode(tmp_path) == 0o755  # links are not followed
    assert close(root) == 0


def test_a_new_workspace_is_closed_from_the_start(own_workspace):
    assert mode(workspace()) == 0o700


def test_files_of_a_person_beside_it_and_their_folder_stay_as_they_are(opened, caplog):
    root, _ = opened
    (root / "letter.txt").write_text("mine")
    (root / "letter.txt").chmod(0o644)
    assert close(root) > 0
    assert mode(root) == 0o777 and mode(root / "letter.txt") == 0o644
    assert mode(root / "runs") == 0o700 and mode(root / "runs/one/spec.json") == 0o600
    assert "stays open to other people" in caplog.text


def test_what_belongs_to_somebody_else_is_counted(opened, monkeypatch, caplog):
    root, _ = opened

    def refuse(self, mode):
        raise PermissionError

    monkeypatch.setattr(module.Path, "chmod", refuse)
    assert close(root) == 0 and "6 entries belong to somebody else" in caplog.text


def test_a_workspace_that_was_removed_is_made_again(own_workspace):
    assert workspace() == workspace()
    own_workspace.rmdir()
    assert workspace().is_dir() and mode(workspace()) == 0o700


def test_each_named_workspace_is_its_own(own_workspace, tmp_path, monkeypatch):
    first = workspace()
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "other"))
    assert workspace() == (tmp_path / "other").resolve() != first
