"""Entries on disk: whole or absent, checked, mapped, and safe to take away from under a reader."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kd_core.errors import DataError
from kd_core.safe_io import sha256_file
from kd_core.teachers.answer_cache import entry
from kd_core.teachers.answer_cache.entry import read_entry, read_meta, remove, write_entry

ARRAYS = {"test.logits": np.arange(6, dtype=np.float32).reshape(3, 2), "train.rows": np.arange(4)}


def test_what_is_written_is_read(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {"x": 1.5})
    arrays, meta = read_entry(tmp_path / "a")
    assert meta == {"x": 1.5} == read_meta(tmp_path / "a")
    assert set(arrays) == set(ARRAYS) and all(np.array_equal(arrays[n], ARRAYS[n]) for n in ARRAYS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_arrays_are_mapped_and_writing_to_one_never_reaches_the_file(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {})
    first = read_entry(tmp_path / "a")[0]["test.logits"]
    assert type(first) is np.ndarray and isinstance(first.base, np.memmap)
    first[:] = 7
    assert np.array_equal(read_entry(tmp_path / "a")[0]["test.logits"], ARRAYS["test.logits"])


def test_one_part_is_read_without_the_others(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {})
    (tmp_path / "a" / "train.rows.npy").unlink()
    assert list(read_entry(tmp_path / "a", "test")[0]) == ["test.logits"]
    with pytest.raises(DataError, match="No such file"):
        read_entry(tmp_path / "a")


def test_a_file_is_hashed_once_as_long_as_nothing_about_it_changes(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr(entry, "sha256_file", lambda path: hashed.append(path.name) or sha256_file(path))
    write_entry(tmp_path / "a", ARRAYS, {})
    hashed.clear()
    read_entry(tmp_path / "a")
    assert sorted(hashed) == ["meta.json", "test.logits.npy", "train.rows.npy"]
    read_entry(tmp_path / "a")
    assert len(hashed) == 3
    os.utime(tmp_path / "a" / "meta.json", ns=(1, 1))
    read_entry(tmp_path / "a")
    assert hashed[3:] == ["meta.json"]


def test_an_entry_is_replaced_whole(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {"x": 1})
    write_entry(tmp_path / "a", {"other": ARRAYS["train.rows"]}, {"x": 2})
    arrays, meta = read_entry(tmp_path / "a")
    assert list(arrays) == ["other"] and meta == {"x": 2}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_an_entry_that_another_process_puts_there_meanwhile_is_replaced(tmp_path, monkeypatch):
    real, rivals = entry.remove, []

    def beaten(folder):
        found = real(folder)
        if not rivals:
            rivals.append(folder)
            write_entry(folder, ARRAYS, {"who": "the other"})
        return found

    monkeypatch.setattr(entry, "remove", beaten)
    write_entry(tmp_path / "a", ARRAYS, {"who": "this one"})
    assert read_meta(tmp_path / "a") == {"who": "this one"}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_place_that_can_not_be_had_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(entry, "remove", lambda folder: False)
    (tmp_path / "a" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        write_entry(tmp_path / "a", ARRAYS, {})
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_entry(tmp_path / "a", ARRAYS, {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_pickled_arrays_are_refused(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {})
    file = tmp_path / "a" / "test.logits.npy"
    np.save(file, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    manifest[file.name] = sha256_file(file)
    (tmp_path / "a" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="Python objects in dtype"):
        read_entry(tmp_path / "a")


def test_who_reads_goes_on_when_the_entry_is_taken_away(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {})
    mapped = read_entry(tmp_path / "a")[0]["test.logits"]
    assert remove(tmp_path / "a") and list(tmp_path.iterdir()) == []
    assert np.array_equal(mapped, ARRAYS["test.logits"])
    assert not remove(tmp_path / "a") and not remove(tmp_path / "nowhere" / "a")


WRITER = """
import sys, numpy as np
from pathlib import Path
from kd_core.teachers.answer_cache.entry import write_entry
n = 0
while True:
    n += 1
    write_entry(Path(sys.argv[1]), {"a.logits": np.full((20_000, 10), n, dtype=np.float32)}, {"n": n})
    print(n, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(5))
def test_a_writer_killed_at_any_moment_leaves_a_whole_entry_or_none(tmp_path, moment):
    root = Path(__file__).resolve().parents[3]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "k")], stdout=subprocess.PIPE, cwd=root)
    try:
        assert writer.stdout is not None and writer.stdout.readline()
        time.sleep(0.02 + 0.013 * moment)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
    if (tmp_path / "k").exists():  # absent in the moment between the old entry and the new
        arrays, meta = read_entry(tmp_path / "k")
        assert (arrays["a.logits"] == meta["n"]).all() and arrays["a.logits"].shape == (20_000, 10)
    left = [p for p in tmp_path.iterdir() if p.name != "k"]
    assert all(p.name.startswith(".k.") for p in left)  # what `eviction.remove_unfinished` clears
