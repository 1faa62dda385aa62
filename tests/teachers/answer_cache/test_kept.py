"""Kept answers found by what a page knows: the dataset's spec and the teacher."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from kd_core.data.dataset import Part
from kd_core.data.view import Views
from kd_core.errors import DataError, SpecError, UnknownName
from kd_core.specs import Choice, DatasetSpec
from kd_core.teachers import answers, fitting
from kd_core.teachers.answer_cache import cache as caching
from kd_core.teachers.answer_cache import kept
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from tests.teachers.tables import dataset

SHA = "ab" * 32
SPEC = DatasetSpec(source=f"sha256:{SHA}", target="y", name="mine")
FOREST = Choice(name="random_forest", settings={"trees": 1})


@pytest.fixture(autouse=True)
def no_timing(monkeypatch):
    monkeypatch.setattr(fitting, "latency", lambda fitted, x: {"native": {}})


def keep(cache, spec=SPEC, teacher=FOREST, task="binary", folds=2, seed=0, data=None):
    data = data or dataset(task)
    data = replace(data, spec=spec, hash=data.hash + spec.digest())
    return teacher_answers(
        data, teacher, folds=folds, seed=seed, cache=cache, notify=lambda e: None, should_stop=lambda: False
    )


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_answers_are_found_with_labels_and_classes(tmp_path, task):
    cache = TeacherCache(tmp_path)
    assert cache.find(SPEC, FOREST) is None
    made, data = keep(cache, task=task), dataset(task)
    found = cache.find(SPEC, FOREST)
    assert np.array_equal(found.logits, made.logits["validation"]) and isinstance(found.logits.base, np.memmap)
    assert np.array_equal(found.labels, data.validation.y) and found.labels.dtype == data.validation.y.dtype
    assert (found.classes, found.task, found.stale, found.seconds) == (data.classes, task, False, made.fit_seconds)


def test_only_the_file_the_settings_and_the_teacher_matter(tmp_path):
    cache = TeacherCache(tmp_path)
    keep(cache)
    for same in (
        SPEC.model_copy(update={"name": "yours"}),
        DatasetSpec(source="/any/where.csv", sha256=SHA, target="y"),
    ):
        assert cache.find(same, Choice(name="random_forest", settings={"trees": 1, "leaf_rows": None})) is not None
    for other in ({"sha256": "cd" * 32}, {"target": "z"}, {"split_seed": 1}, {"drop": ("a",)}):
        assert cache.find(SPEC.model_copy(update=other), FOREST) is None
    assert cache.find(SPEC, Choice(name="random_forest")) is None and cache.find(SPEC, Choice(name="mlp")) is None


def test_folds_and_seed_are_asked_for_or_not(tmp_path):
    cache = TeacherCache(tmp_path)
    first, second = keep(cache, seed=1), keep(cache, seed=2, folds=3)
    assert np.array_equal(cache.find(SPEC, FOREST).logits, second.logits["validation"])  # the newest
    assert np.array_equal(cache.find(SPEC, FOREST, seed=1).logits, first.logits["validation"])
    assert np.array_equal(cache.find(SPEC, FOREST, folds=2).logits, first.logits["validation"])
    assert cache.find(SPEC, FOREST, seed=1, folds=3) is None


def test_what_a_run_would_take_from_the_cache_is_known_without_reading_a_row(tmp_path, monkeypatch):
    cache = TeacherCache(tmp_path)
    assert not cache.holds(SPEC, FOREST, folds=2, seed=0)
    keep(cache)
    monkeypatch.setattr(kept, "read_entry", lambda *a: pytest.fail("no array is read"))
    assert cache.holds(SPEC.model_copy(update={"name": "yours"}), FOREST, folds=2, seed=0)
    assert not cache.holds(SPEC, FOREST, folds=3, seed=0) and not cache.holds(SPEC, FOREST, folds=2, seed=1)
    assert not cache.holds(DatasetSpec(source="/any/where.csv", target="y"), FOREST, folds=2, seed=0)
    monkeypatch.setattr(caching, "code_version", lambda: "newer")
    assert not cache.holds(SPEC, FOREST, folds=2, seed=0)


def test_rows_that_two_recipes_ask_for_in_other_words_are_found_by_both(tmp_path):
    cache, worded, data = TeacherCache(tmp_path), SPEC.model_copy(update={"positive": "yes"}), dataset("binary")

    def ask(spec):  # the rows are the same, and so is their hash
        return teacher_answers(
            replace(data, spec=spec),
            FOREST,
            folds=2,
            seed=0,
            cache=cache,
            notify=lambda e: None,
            should_stop=lambda: False,
        )

    assert not ask(SPEC).cached and cache.find(worded, FOREST) is None
    assert ask(worded).cached and ask(worded).cached
    assert np.array_equal(cache.find(worded, FOREST).logits, cache.find(SPEC, FOREST).logits)
    assert (
        cache.holds(worded, FOREST, 2, 0) and cache.holds(SPEC, FOREST, 2, 0) and not cache.holds(worded, FOREST, 3, 0)
    )
    (also,) = tmp_path.glob(f"*/{kept.ALSO}")
    assert len(kept.read_json(also)["data"]) == 1
    also.write_text("{")
    assert cache.find(worded, FOREST) is None and cache.find(SPEC, FOREST) is not None
    assert ask(worded).cached and cache.find(worded, FOREST) is not None


def test_answers_of_another_version_are_found_last_and_flagged(tmp_path, monkeypatch):
    cache = TeacherCache(tmp_path)
    now = keep(cache)
    with monkeypatch.context() as other:
        other.setattr(caching, "code_version", lambda: "older")
        other.setattr(answers, "code_version", lambda: "older")
        keep(cache, seed=5)
    assert len(list(tmp_path.glob("*/meta.json"))) == 2
    found, stale = cache.find(SPEC, FOREST), cache.find(SPEC, FOREST, seed=5)
    assert not found.stale and np.array_equal(found.logits, now.logits["validation"])
    assert stale.stale and len(stale.logits) == len(found.logits)


def test_a_damaged_entry_is_not_found_and_the_next_one_is(tmp_path):
    cache = TeacherCache(tmp_path)
    older, newer = keep(cache, seed=1), keep(cache, seed=2)
    (tmp_path / newer.cache_key / "train.logits.npy").unlink()  # not needed here
    assert np.array_equal(cache.find(SPEC, FOREST).logits, newer.logits["validation"])
    file = tmp_path / newer.cache_key / "validation.logits.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    os.utime(file, ns=(1, 1))
    assert np.array_equal(cache.find(SPEC, FOREST).logits, older.logits["validation"])
    for path in tmp_path.glob("*/meta.json"):
        path.write_text("[]")
    assert cache.find(SPEC, FOREST) is None


def test_unfinished_and_old_entries_are_not_found(tmp_path):
    cache = TeacherCache(tmp_path)
    made = keep(cache)
    arrays, meta = cache.load(made.cache_key, print)
    cache.clear()
    cache.save_part("k", "full", arrays, meta)
    cache.save("old", arrays, {"name": "random_forest"})
    assert cache.find(SPEC, FOREST) is None
    cache.save("whole", arrays, meta)
    assert cache.find(SPEC, FOREST) is not None


def test_a_sample_is_known_by_its_file_and_a_path_only_by_its_hash(tmp_path):
    assert kept.data_key(DatasetSpec(source="sample:visits", target="purchased")) is not None
    assert kept.data_key(DatasetSpec(source=str(tmp_path / "a.csv"), target="y")) is None
    assert TeacherCache(tmp_path).find(DatasetSpec(source="a.csv", target="y"), FOREST) is None
    with pytest.raises(DataError, match="no sample 'nothing'"):
        kept.data_key(DatasetSpec(source="sample:nothing", target="y"))


def test_many_classes_come_back_as_float32(tmp_path):
    classes = 120
    parts = {
        split: Part(np.arange(n) % classes, np.arange(n) + start)
        for split, n, start in (("train", 480, 0), ("validation", 120, 480), ("test", 120, 600))
    }
    x = {s: np.random.default_rng(0).standard_normal((len(p), 3)).astype(np.float32) for s, p in parts.items()}
    cache = TeacherCache(tmp_path)
    made = keep(
        cache,
        data=replace(
            dataset("multiclass"), classes=tuple(map(str, range(classes))), parts=parts, views=Views.of_table(x)
        ),
    )
    found = cache.find(SPEC, FOREST)
    assert found.logits.dtype == np.float32 and np.array_equal(found.logits, made.logits["validation"])


def test_wrong_teachers_are_refused(tmp_path):
    with pytest.raises(UnknownName, match="no teacher 'forest'"):
        TeacherCache(tmp_path).find(SPEC, Choice(name="forest"))
    with pytest.raises(SpecError, match="teacher random_forest"):
        TeacherCache(tmp_path).find(SPEC, Choice(name="random_forest", settings={"tree": 3}))


def test_facts_that_lack_a_part_are_another_version():
    for meta in ({}, {"format": 1, "answers": {}, "recipe": {}}, {"format": kept.FORMAT, "answers": {}}):
        with pytest.raises(DataError, match="kept answers of teacher mlp were written by another version"):
            kept.require_format(meta, "mlp")
    kept.require_format({"format": kept.FORMAT, "answers": {}, "recipe": {}}, "mlp")
