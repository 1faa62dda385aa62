"""Room: the least recently used goes first, whatever other processes do meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kd_core import limits
from kd_core.errors import KDError
from kd_core.teachers import eviction
from kd_core.teachers.eviction import evict, folder_bytes, limit_bytes, stored


def place(root: Path, name: str, used: float, size: int = 100) -> Path:
    folder = root / name
    inner = folder / "fold-0" if name.endswith(".partial") else folder
    inner.mkdir(parents=True)
    (inner / "a.npy").write_bytes(b"x" * size)
    os.utime(folder, (used, used))
    return folder


def names(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir())


def test_the_limit_is_the_shipped_one_or_the_environment_s(monkeypatch):
    monkeypatch.delenv("KD_TEACHER_CACHE_MB", raising=False)
    assert limit_bytes() == limits.TEACHER_CACHE_BYTES
    for text, megabytes in (("1", 1), (" 8192 ", 8192)):
        monkeypatch.setenv("KD_TEACHER_CACHE_MB", text)
        assert limit_bytes() == megabytes * 2**20


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "4 GB", "nan", "²"])
def test_other_limits_are_refused(monkeypatch, text):
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", text)
    with pytest.raises(KDError, match="it must be a whole number of megabytes, 1 or more") as error:
        limit_bytes()
    assert error.value.code == "bad_cache_limit" and repr(text) in error.value.message
    assert error.value.hint == "Correct it, or leave it out to keep up to 4096 MB."


def test_the_least_recently_used_goes_first_and_parts_count(tmp_path):
    place(tmp_path, "old.partial", 100)
    place(tmp_path, "recent", 300)
    place(tmp_path, "middle", 200)
    (tmp_path / "usage.json").write_text("{}")
    assert [(s.path.name, s.size_bytes, s.last_used, s.partial) for s in stored(tmp_path)] == [
        ("old.partial", 100, 100, True), ("middle", 100, 200, False), ("recent", 100, 300, False)
    ]  # fmt: skip
    assert evict(tmp_path, 300) == []
    assert [one.path.name for one in evict(tmp_path, 250)] == ["old.partial"]
    assert [one.path.name for one in evict(tmp_path, 99, spare=("middle",))] == ["recent"]
    assert names(tmp_path) == ["middle", "usage.json"]


def test_an_absent_folder_holds_nothing(tmp_path):
    assert stored(tmp_path / "none") == [] and evict(tmp_path / "none", 0) == [] and folder_bytes(tmp_path / "none") == 0  # fmt: skip


def test_what_others_remove_meanwhile_is_no_trouble(tmp_path, monkeypatch):
    for age, name in enumerate("abc"):
        place(tmp_path, name, 100 + age)
    real = eviction.remove

    def after_another(folder):
        if folder.name == "a":
            assert real(folder)
        return real(folder)

    monkeypatch.setattr(eviction, "remove", after_another)
    assert [one.path.name for one in evict(tmp_path, 100)] == ["b"]
    assert names(tmp_path) == ["c"]


def test_what_vanishes_while_it_is_listed_is_left_out(tmp_path, monkeypatch):
    gone, stays = place(tmp_path, "gone", 100), place(tmp_path, "stays", 200)
    real = os.scandir

    def slow(root):
        if root != tmp_path:
            return real(root)
        found = list(real(root))
        eviction.remove(gone)
        return found

    monkeypatch.setattr(eviction.os, "scandir", slow)
    assert [one.path for one in stored(tmp_path)] == [stays]


def test_a_folder_that_can_not_be_removed_is_left_with_a_line_in_the_log(tmp_path, monkeypatch, caplog):
    for age, name in enumerate("ab"):
        place(tmp_path, name, 100 + age)
    real = eviction.remove

    def refused(folder):
        if folder.name == "a":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(eviction, "remove", refused)
    assert [one.path.name for one in evict(tmp_path, 100)] == ["b"]
    assert "kept teacher answers a could not be removed: [Errno 13] Permission denied" in caplog.text
