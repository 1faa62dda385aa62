"""The cache as a whole: keys, damage, parts, room, and use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kd_core.errors import SpecError, UnknownName
from kd_core.specs import Choice
from kd_core.teachers.answer_cache import cache as caching
from kd_core.teachers.answer_cache import entry
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key, code_version

K = "0123456789abcdef" * 4
ARRAYS = {"test.logits": np.arange(6, dtype=np.float32).reshape(3, 2)}


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "no manifest", "bad manifest", "list manifest", "facts"])
def test_damage_is_noticed_reported_and_removed(tmp_path, damage):
    cache, told = TeacherCache(tmp_path), []
    cache.save(K, ARRAYS, {})
    file, manifest = tmp_path / K / "test.logits.npy", tmp_path / K / "manifest.json"
    if damage == "flip":
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-4])
    elif damage == "missing":
        file.unlink()
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "facts":
        (tmp_path / K / "meta.json").write_text('{"seconds": 0}')
    else:
        manifest.write_text("{" if damage == "bad manifest" else "[]")
    assert cache.load(K, told.append) is None
    assert [(e["kind"], e["code"]) for e in told] == [("warning", "damaged_cache")]
    assert told[0]["message"].startswith("The kept answers of a teacher are damaged:")
    assert not (tmp_path / K).exists()


def test_damage_after_the_first_reading_is_noticed_too(tmp_path):
    cache, told = TeacherCache(tmp_path), []
    cache.save(K, ARRAYS, {})
    assert cache.load(K, told.append) is not None
    file = tmp_path / K / "test.logits.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    os.utime(file, ns=(1, 1))  # a clock too coarse to tell is not what this is about
    assert cache.load(K, told.append) is None and len(told) == 1


@pytest.mark.parametrize("then", ["nothing", "a newer one"])
def test_an_entry_that_another_process_takes_away_while_it_is_read_is_not_called_damaged(tmp_path, monkeypatch, then):
    cache, told, taken = TeacherCache(tmp_path), [], []
    cache.save(K, ARRAYS, {"n": 1})
    real = entry._unchanged

    def meanwhile(path, digest):
        if not taken:
            taken.append(entry.remove(path.parent))
            if then == "a newer one":
                cache.save(K, ARRAYS, {"n": 2})
            path = tmp_path / "gone"
        return real(path, digest)

    monkeypatch.setattr(entry, "_unchanged", meanwhile)
    found = cache.load(K, told.append)
    assert told == [] and (found[1] == {"n": 2} if then == "a newer one" else found is None)


def test_finished_answers_replace_their_parts(tmp_path):
    cache = TeacherCache(tmp_path)
    cache.save_part(K, "fold-0", ARRAYS, {"n": 1})
    assert cache.load_part(K, "fold-0", print)[1] == {"n": 1}
    assert cache.load_part(K, "fold-1", print) is None and cache.load(K, print) is None
    cache.save(K, ARRAYS, {})
    assert cache.load_part(K, "fold-0", print) is None and cache.load(K, print) is not None


def test_a_part_whose_folder_is_taken_away_meanwhile_is_put_there_again(tmp_path, monkeypatch):
    cache, taken = TeacherCache(tmp_path), []
    real = Path.mkdir

    def disturbed(path, *args, **more):
        real(path, *args, **more)
        if path.name.endswith(".partial") and not taken:
            taken.append(entry.remove(path))

    monkeypatch.setattr(Path, "mkdir", disturbed)
    cache.save_part(K, "fold-0", ARRAYS, {"n": 1})
    assert taken == [True] and cache.load_part(K, "fold-0", print)[1] == {"n": 1}


def test_what_was_used_last_stays(tmp_path, monkeypatch):
    cache = TeacherCache(tmp_path)
    first, second, third, fourth, huge = (str(n) * 64 for n in range(1, 6))
    large = {"a.logits": np.zeros((60_000, 2), dtype=np.float32)}  # 480 kB: two fit into 1 MB
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", "1")
    for age, key in enumerate((first, second)):
        cache.save(key, large, {})
        os.utime(tmp_path / key, (100 + age, 100 + age))
    mapped = cache.load(first, print)[0]["a.logits"]
    cache.save_part(third, "fold-0", large, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [first, f"{third}.partial"]
    os.utime(tmp_path / f"{third}.partial", (100, 100))
    cache.save(fourth, large, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [first, fourth]
    cache.save(huge, {"a.logits": np.zeros((300_000, 2), dtype=np.float32)}, {})
    assert [p.name for p in tmp_path.iterdir()] == [huge]  # larger than the limit alone, and kept: it was just made
    assert mapped.sum() == 0 and mapped.shape == (60_000, 2)


def test_use_is_told_and_everything_can_be_cleared(tmp_path):
    cache = TeacherCache(tmp_path / "teachers")
    empty = cache.usage()
    assert (empty.entries, empty.size_bytes, empty.hit_rate) == (0, 0, None) and empty.limit_bytes == 4 * 2**30
    assert cache.clear() == 0
    cache.save(K, ARRAYS, {})
    cache.save_part("d" * 64, "full", ARRAYS, {})
    cache.ledger.hit(2.0)
    used = cache.usage()
    assert used.entries == 1 and used.size_bytes > cache.size_bytes(K) > 0 == cache.size_bytes("none")
    assert cache.clear() == used.size_bytes
    after = cache.usage()
    assert (after.entries, after.size_bytes, after.hits, after.seconds_saved) == (0, 0, 1, 2.0)


def test_keys_depend_on_everything_that_decides():
    forest = Choice(name="random_forest")
    key = cache_key("d", forest, 5, 0)
    assert key == cache_key("d", Choice(name="random_forest", settings={"trees": 200}), 5, 0)  # the default
    others = [
        cache_key("e", forest, 5, 0),
        cache_key("d", forest, 4, 0),
        cache_key("d", forest, 5, 1),
        cache_key("d", Choice(name="random_forest", settings={"trees": 201}), 5, 0),
        cache_key("d", Choice(name="mlp"), 5, 0),
    ]
    assert len({key, *others}) == 6


def test_a_change_of_the_code_is_another_key(monkeypatch):
    before = cache_key("d", Choice(name="mlp"), 5, 0)
    assert len(code_version()) == 64
    monkeypatch.setattr(caching, "code_version", lambda: "new")
    assert cache_key("d", Choice(name="mlp"), 5, 0) != before


def test_unknown_teachers_and_settings_are_refused():
    with pytest.raises(UnknownName, match="no teacher 'forest'"):
        cache_key("d", Choice(name="forest"), 5, 0)
    with pytest.raises(SpecError, match="teacher mlp"):
        cache_key("d", Choice(name="mlp", settings={"depht": 3}), 5, 0)


RIVAL = """
import random, sys, time
from pathlib import Path
import numpy as np
from kd_core.teachers.answer_cache import kept
from kd_core.teachers.answer_cache.cache import TeacherCache
cache, rng, told, hits = TeacherCache(Path(sys.argv[1])), random.Random(int(sys.argv[2])), [], 0
end = time.time() + 4
while time.time() < end:
    n, what = rng.randrange(8), rng.random()
    key = f"{n:064x}"
    if what < 0.4:
        meta = {"n": n, "format": kept.FORMAT, "answers": {}, "recipe": {"n": n}}
        cache.save(key, {"a.logits": np.full((30_000, 2), n, np.float32)}, meta)
    elif what < 0.5:
        cache.save_part(key, "fold-0", {"held": np.full((10_000, 2), n, np.float32)}, {"n": n})
    elif what < 0.52:
        cache.clear()
    elif what < 0.6:
        assert all(meta["n"] == n for _, meta in kept.matching(cache.root, {"n": n}))
    elif found := cache.load(key, told.append):
        assert (found[0]["a.logits"] == n).all() and found[1]["n"] == n
        hits += 1
        cache.ledger.hit(1.0)
assert not told, told
print(hits)
"""


@pytest.mark.slow
def test_processes_that_keep_read_and_make_room_at_once_never_see_half_of_anything(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", "1")
    root = Path(__file__).resolve().parents[3]
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, str(tmp_path), str(n)], stdout=subprocess.PIPE, cwd=root)
        for n in range(3)
    ]
    hits = [int(rival.communicate(timeout=120)[0]) for rival in rivals]
    assert all(rival.returncode == 0 for rival in rivals) and all(hits)
    assert TeacherCache(tmp_path).ledger.read().hits == sum(hits)
    assert not [p for p in tmp_path.iterdir() if p.is_dir() and p.name.startswith(".")]
