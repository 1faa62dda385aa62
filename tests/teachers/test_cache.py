import json

import numpy as np
import pytest

from kd_core.errors import DataError, SpecError, UnknownName
from kd_core.safe_io import sha256_file
from kd_core.specs import Choice
from kd_core.teachers import cache as caching
from kd_core.teachers.cache import TeacherCache, cache_key, code_version
from kd_core.teachers.entry import read_entry, write_entry

ARRAYS = {"test": np.arange(6, dtype=np.float32).reshape(3, 2)}


def test_what_is_written_is_read(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {"x": 1.5})
    arrays, meta = read_entry(tmp_path / "a")
    assert meta == {"x": 1.5} and np.array_equal(arrays["test"], ARRAYS["test"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_an_entry_is_replaced_whole(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {"x": 1})
    write_entry(tmp_path / "a", {"other": ARRAYS["test"]}, {"x": 2})
    arrays, meta = read_entry(tmp_path / "a")
    assert list(arrays) == ["other"] and meta == {"x": 2}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_entry(tmp_path / "a", ARRAYS, {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "no manifest", "bad manifest", "list manifest"])
def test_damage_is_noticed_reported_and_removed(tmp_path, damage):
    cache, told = TeacherCache(tmp_path), []
    cache.save("k", ARRAYS, {})
    file, manifest = tmp_path / "k" / "test.npy", tmp_path / "k" / "manifest.json"
    if damage == "flip":
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-4])
    elif damage == "missing":
        file.unlink()
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text("{" if damage == "bad manifest" else "[]")
    assert cache.load("k", told.append) is None
    assert [(e["kind"], e["code"]) for e in told] == [("warning", "damaged_cache")]
    assert told[0]["message"].startswith("The kept answers of a teacher are damaged:")
    assert not (tmp_path / "k").exists()


def test_pickled_arrays_are_refused(tmp_path):
    write_entry(tmp_path / "a", ARRAYS, {})
    np.save(tmp_path / "a" / "test.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    manifest["test.npy"] = sha256_file(tmp_path / "a" / "test.npy")
    (tmp_path / "a" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="Python objects in dtype"):
        read_entry(tmp_path / "a")


def test_finished_answers_replace_their_parts(tmp_path):
    cache = TeacherCache(tmp_path)
    cache.save_part("k", "fold-0", ARRAYS, {"n": 1})
    assert cache.load_part("k", "fold-0", print)[1] == {"n": 1}
    assert cache.load_part("k", "fold-1", print) is None and cache.load("k", print) is None
    cache.save("k", ARRAYS, {})
    assert cache.load_part("k", "fold-0", print) is None and cache.load("k", print) is not None


def test_keys_depend_on_everything_that_decides():
    forest = Choice(name="random_forest")
    key = cache_key("d", forest, 5, 0)
    assert key == cache_key("d", Choice(name="random_forest", settings={"trees": 200}), 5, 0)  # the default
    others = [
        cache_key("e", forest, 5, 0), cache_key("d", forest, 4, 0), cache_key("d", forest, 5, 1),
        cache_key("d", Choice(name="random_forest", settings={"trees": 201}), 5, 0), cache_key("d", Choice(name="mlp"), 5, 0),
    ]  # fmt: skip
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
