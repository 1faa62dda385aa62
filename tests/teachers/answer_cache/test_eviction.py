"""Room: the least recently used goes first, whatever other processes do meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from kd_core import limits
from kd_core.errors import KDError
from kd_core.teachers.answer_cache import entry, eviction
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answer_cache.eviction import evict, folder_bytes, limit_bytes, remove_unfinished, stored


def place(root: Path, name: str, used: float, size: int = 100) -> Path:
    folder = root / name
    inner = folder / "fold-0" if name.endswith(".partial") else folder
    inner.mkdir(parents=True)
    (inner / "a.npy").write_bytes(b"x" * size)
    os.utime(folder, (used, used))
    return folder


ARRAYS = {"a.logits": np.zeros(3)}
OLD, MIDDLE, RECENT = "0" * 64 + ".partial", "1" * 64, "2" * 64
A, B, C = "a" * 64, "b" * 64, "c" * 64


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
    place(tmp_path, OLD, 100)
    place(tmp_path, RECENT, 300)
    place(tmp_path, MIDDLE, 200)
    (tmp_path / "usage.json").write_text("{}")
    assert [(s.path.name, s.size_bytes, s.last_used, s.partial) for s in stored(tmp_path)] == [
        (OLD, 100, 100, True),
        (MIDDLE, 100, 200, False),
        (RECENT, 100, 300, False),
    ]
    assert evict(tmp_path, 300) == []
    assert [one.path.name for one in evict(tmp_path, 250)] == [OLD]
    assert [one.path.name for one in evict(tmp_path, 99, spare=(MIDDLE,))] == [RECENT]
    assert names(tmp_path) == [MIDDLE, "usage.json"]


def test_a_cache_opened_on_a_wrong_folder_takes_nothing(tmp_path):
    for name in ("runs", "data", ".hidden", "a" * 63, "k.partial"):
        place(tmp_path, name, 100)
    place(tmp_path, ".git", 100)
    assert stored(tmp_path) == [] and evict(tmp_path, -1) == []
    assert len(list(tmp_path.rglob("a.npy"))) == 6


def test_only_old_unfinished_folders_are_cleared(tmp_path):
    old, new = ".0123456789abcdef.abcd_123", ".0123456789abcdef.abcd_124"
    for name in (old, new, OLD):
        place(tmp_path, name, 100)
    os.utime(tmp_path / new)
    remove_unfinished(tmp_path, before=time.time() - 60)
    assert names(tmp_path) == [new, OLD]


@pytest.mark.parametrize("step", ["write_json", "_publish"])
def test_what_a_killed_writer_leaves_is_recognised(tmp_path, monkeypatch, step):
    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, step, killed)
    monkeypatch.setattr(entry.shutil, "rmtree", lambda *args, **more: None)
    cache = TeacherCache(tmp_path)
    for save in (lambda: cache.save(A, ARRAYS, {}), lambda: cache.save_part(A, "fold-0", ARRAYS, {})):
        with pytest.raises(KeyboardInterrupt):
            save()
    monkeypatch.undo()
    assert len(list(tmp_path.rglob("a.logits.npy"))) == 2
    remove_unfinished(tmp_path, before=time.time() + 60)
    assert list(tmp_path.rglob("a.logits.npy")) == []


def test_an_absent_folder_holds_nothing(tmp_path):
    assert (
        stored(tmp_path / "none") == [] and evict(tmp_path / "none", 0) == [] and folder_bytes(tmp_path / "none") == 0
    )


def test_what_others_remove_meanwhile_is_no_trouble(tmp_path, monkeypatch):
    for age, name in enumerate((A, B, C)):
        place(tmp_path, name, 100 + age)
    real = eviction.remove

    def after_another(folder):
        if folder.name == A:
            assert real(folder)
        return real(folder)

    monkeypatch.setattr(eviction, "remove", after_another)
    assert [one.path.name for one in evict(tmp_path, 100)] == [B]
    assert names(tmp_path) == [C]


def test_what_vanishes_while_it_is_listed_is_left_out(tmp_path, monkeypatch):
    gone, stays, parts = place(tmp_path, A, 100), place(tmp_path, B, 200), place(tmp_path, OLD, 50)
    real = eviction._folders

    def slow(root):
        found = real(root)
        if root == tmp_path:
            assert eviction.remove(gone) and eviction.remove(parts)
        return found

    monkeypatch.setattr(eviction, "_folders", slow)
    assert [one.path for one in stored(tmp_path)] == [stays]


def test_a_folder_that_can_not_be_removed_is_left_with_a_line_in_the_log(tmp_path, monkeypatch, caplog):
    for age, name in enumerate((A, B)):
        place(tmp_path, name, 100 + age)
    real = eviction.remove

    def refused(folder):
        if folder.name == A:
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(eviction, "remove", refused)
    assert [one.path.name for one in evict(tmp_path, 100)] == [B]
    assert f"kept teacher answers {A} could not be removed: [Errno 13] Permission denied" in caplog.text
