import errno
import itertools
import os
from dataclasses import replace

import numpy as np
import pytest

from kd_core.data.dataset import Part
from kd_core.data.input_spec import TABLE
from kd_core.data.view import Views
from kd_core.errors import KDError, Stopped
from kd_core.specs import Choice
from kd_core.teachers import fitting
from kd_core.teachers.answer_cache import entry
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.crossfit import folds as deal
from kd_core.teachers.fitting import from_fit
from tests.teachers.tables import dataset, with_rows

FOREST = Choice(name="random_forest", settings={"trees": 12, "leaf_rows": 1})
QUICK = Choice(name="random_forest", settings={"trees": 1})  # where only the keeping matters


@pytest.fixture(autouse=True)
def no_timing(monkeypatch):
    """Latency has its own tests; here it would only cost seconds."""
    monkeypatch.setattr(fitting, "latency", lambda fitted, x: {"native": {}})


def ask(data, teacher=FOREST, *, folds=3, seed=0, cache=None, events=None, should_stop=lambda: False, **more):
    notify = events.append if events is not None else lambda event: None
    return teacher_answers(
        data, teacher, folds=folds, seed=seed, cache=cache, notify=notify, should_stop=should_stop, **more
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_row_of_every_part_is_answered(task):
    data = dataset(task)
    found = ask(data)
    for split, part in data.parts.items():
        assert found.logits[split].shape == (len(part), data.num_outputs)
        assert found.logits[split].dtype == np.float32 and np.isfinite(found.logits[split]).all()
    assert (found.name, found.folds, found.cached) == ("random_forest", 3, False)
    assert found.fit_seconds > 0 and len(found.details["folds"]) == 3


def test_training_rows_are_answered_by_teachers_that_never_saw_them(monkeypatch):
    data, seen = dataset("binary"), []
    entry = SOURCES.get("random_forest")

    def watched(spec, fit_data, *rest):
        seen.append({row.tobytes() for row in fit_data.x})
        return entry.make.fit(spec, fit_data, *rest)

    monkeypatch.setitem(SOURCES._entries, "random_forest", replace(entry, make=from_fit(watched)))
    found = ask(data)
    fold = deal(data.train.y, None, 3, 0)
    for k in range(3):
        assert not seen[1 + k] & {row.tobytes() for row in data.view().parts["train"][fold == k]}
    assert len(seen[0]) == len(data.train)
    # In-sample answers of a deep forest know the labels; out-of-fold answers are as unsure as those for new rows.
    fits = fitting._Fits(
        entry.make.fit, entry.spec.parse(FOREST.settings), Ask(data, TABLE, 3, 0, None, "", "cpu", print, lambda: False)
    )
    rows = fits.data(data.view().parts["train"], data.train.y, data.view().parts["validation"])
    in_sample = entry.make.fit(fits.spec, rows, 0, print, lambda: False).logits(data.view().parts["train"])

    def right(z, y):
        return float((z.argmax(1) == y).mean())

    assert right(in_sample, data.train.y) > 0.97
    assert right(found.logits["train"], data.train.y) < 0.9


def test_groups_never_straddle(monkeypatch):
    data, seen = dataset("binary", groups=40), []
    entry = SOURCES.get("random_forest")

    def watched(spec, fit_data, *rest):
        rows = {row.tobytes() for row in fit_data.x}
        seen.append(
            {int(g) for x, g in zip(data.view().parts["train"], data.train.groups, strict=True) if x.tobytes() in rows}
        )
        return entry.make.fit(spec, fit_data, *rest)

    monkeypatch.setitem(SOURCES._entries, "random_forest", replace(entry, make=from_fit(watched)))
    ask(data)
    held = [set(data.train.groups.tolist()) - s for s in seen[1:]]
    assert all(held) and sum(len(h) for h in held) == len(set(data.train.groups.tolist()))


@pytest.mark.slow
def test_the_second_time_nothing_is_trained(tmp_path):
    data, cache, events = dataset(), TeacherCache(tmp_path), []
    first = ask(data, cache=cache)
    again = ask(data, cache=cache, events=events)
    assert again.cached and not first.cached and events == []
    assert again.cache_key == first.cache_key
    assert all(np.array_equal(first.logits[s], again.logits[s]) for s in first.logits)
    assert (again.num_parameters, again.size_bytes, again.fit_seconds) == (
        first.num_parameters,
        first.size_bytes,
        first.fit_seconds,
    )
    assert not ask(data, cache=cache, seed=1).cached


@pytest.mark.slow
def test_an_interrupted_teacher_goes_on_after_its_finished_folds(tmp_path):
    data, cache, events = dataset(), TeacherCache(tmp_path), []
    trained = []

    def stop_after_two():
        return len(trained) >= 2

    def watch(event):
        if event["kind"] == "trained":
            trained.append(event["fold"])

    with pytest.raises(Stopped):
        teacher_answers(data, FOREST, folds=3, seed=0, cache=cache, notify=watch, should_stop=stop_after_two)
    assert trained == [None, 0]
    fits = []
    entry = SOURCES.get("random_forest")

    def counted(*args):
        fits.append(1)
        return entry.make.fit(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            SOURCES._entries, "random_forest", type(entry)(entry.name, from_fit(counted), entry.title, entry.spec)
        )
        found = ask(data, cache=cache, events=events)
    assert len(fits) == 2
    whole = ask(data)
    assert all(np.array_equal(found.logits[s], whole.logits[s]) for s in whole.logits)


def test_events_name_the_fold_and_count():
    events = []
    ask(dataset(rows=60), Choice(name="mlp", settings={"size": "tiny", "epochs": 2}), folds=2, events=events)
    assert all(e["arm"] == "teacher" and e["student"] is None and e["seed"] == 0 for e in events)
    trained = [e for e in events if e["kind"] == "trained"]
    assert [(e["done"], e["of"]) for e in trained] == [(1, 3), (2, 3), (3, 3)]
    assert {e["fold"] for e in trained} == {None, 0, 1}  # in the order in which they end
    assert all(e["last_epoch"] == 2 and 0 < e["score_selected"] <= 1 for e in trained)
    for fold in (None, 0, 1):
        assert [e["epoch"] for e in events if e["kind"] == "epoch" and e["fold"] == fold] == [1, 2]


def test_fits_side_by_side_give_what_fits_in_turn_give(monkeypatch):
    network, data, found, together = Choice(name="mlp", settings={"size": "tiny", "epochs": 3}), dataset(), [], []
    for lanes in (1, 3):
        monkeypatch.setattr(fitting, "lanes_of", lambda device, lanes=lanes: lanes)
        events = []
        found.append(ask(data, network, folds=2, events=events))
        folds = [e["fold"] for e in events if e["kind"] == "epoch"]
        together.append(sum(a != b for a, b in itertools.pairwise(folds)))
    assert together[0] == 2  # one after the other
    for split in ("train", "validation", "test"):
        assert np.array_equal(found[0].logits[split], found[1].logits[split])


def test_fits_side_by_side_need_room_for_their_rows(monkeypatch):
    monkeypatch.setattr(fitting, "lanes_of", lambda device: 3)
    network, data = SOURCES.get("mlp"), dataset()
    asked = Ask(data, TABLE, 3, 0, None, "", "cpu", print, lambda: False)
    size = data.view().parts["train"].nbytes
    for free, lanes in ((100 * size, 3), (8.5 * size, 2), (size, 1)):
        monkeypatch.setattr(fitting, "free_bytes", lambda free=free: int(free))
        assert fitting._Fits(network.make.fit, network.spec(), asked, lanes=True).lanes == lanes


@pytest.mark.slow
def test_a_stop_keeps_the_fits_that_ended_beside_others(monkeypatch, tmp_path):
    monkeypatch.setattr(fitting, "lanes_of", lambda device: 2)
    network, data, cache, events = (
        Choice(name="mlp", settings={"size": "tiny", "epochs": 40}),  # a fit goes on while the end of another is heard
        dataset(),
        TeacherCache(tmp_path),
        [],
    )

    def ended() -> bool:
        return any(e["kind"] == "trained" for e in events)

    with pytest.raises(Stopped):
        ask(data, network, folds=4, cache=cache, events=events, should_stop=ended)
    before = sum(e["kind"] == "trained" for e in events)
    assert 1 <= before < 5
    again = []
    ask(data, network, folds=4, cache=cache, events=again)
    assert len({e["fold"] for e in again if e["kind"] == "epoch"}) == 5 - before


def test_a_damaged_entry_is_made_again_with_a_warning(tmp_path):
    data, cache, events = dataset(), TeacherCache(tmp_path), []
    first = ask(data, QUICK, folds=2, cache=cache)
    (tmp_path / first.cache_key / "test.logits.npy").write_bytes(b"broken")
    again = ask(data, QUICK, folds=2, cache=cache, events=events)
    assert not again.cached and [e["code"] for e in events if e["kind"] == "warning"] == ["damaged_cache"]
    assert np.array_equal(first.logits["train"], again.logits["train"])


def without_facts(event):
    return event["code"], event["message"], event["hint"]


def test_kept_answers_that_lack_rows_are_made_again(tmp_path):
    data, cache, events = dataset(), TeacherCache(tmp_path), []
    first = ask(data, QUICK, folds=2, cache=cache)
    arrays, meta = cache.load(first.cache_key, print)
    cache.save(first.cache_key, {**arrays, "test.rows": arrays["test.rows"] + 1}, meta)
    assert not ask(data, QUICK, folds=2, cache=cache, events=events).cached
    assert [without_facts(e) for e in events if e["kind"] == "warning"] == [
        (
            "missing_rows",
            "The kept answers of a teacher lack 1 of the 50 test rows of this dataset.",
            "They are made again.",
        )
    ]
    assert ask(data, QUICK, folds=2, cache=cache).cached


def test_an_entry_of_an_earlier_version_is_made_again(tmp_path):
    data, cache, events = dataset(), TeacherCache(tmp_path), []
    first = ask(data, QUICK, folds=2, cache=cache)
    old = {"name": "random_forest", "fit_seconds": 1.0, "folds": 3}
    cache.save(first.cache_key, {split: z.copy() for split, z in first.logits.items()}, old)
    assert not ask(data, QUICK, folds=2, cache=cache, events=events).cached
    assert [without_facts(e) for e in events if e["kind"] == "warning"] == [
        (
            "old_cache",
            "The kept answers of teacher random_forest were written by another version.",
            "They are made again.",
        )
    ]
    assert ask(data, QUICK, folds=2, cache=cache).cached


def test_rows_in_another_order_get_their_own_answers(tmp_path):
    data, cache = dataset(), TeacherCache(tmp_path)
    first = ask(data, QUICK, folds=2, cache=cache)
    order = {split: np.random.default_rng(1).permutation(len(part)) for split, part in data.parts.items()}
    again = ask(with_rows(data, order), QUICK, folds=2, cache=cache)
    assert again.cached and all(np.array_equal(again.logits[s], first.logits[s][order[s]]) for s in order)


def test_what_a_hit_saved_is_told_and_counted(tmp_path):
    data, cache = dataset(), TeacherCache(tmp_path)
    first, again = ask(data, QUICK, folds=2, cache=cache), ask(data, QUICK, folds=2, cache=cache)
    assert first.seconds_saved == 0 and again.seconds_saved == first.fit_seconds > 0
    assert (
        first.kept_bytes == again.kept_bytes == cache.usage().size_bytes > sum(z.nbytes for z in first.logits.values())
    )
    used = cache.usage()
    assert (used.hits, used.misses, used.entries, used.hit_rate) == (1, 1, 1, 0.5)
    assert used.seconds_saved == pytest.approx(first.fit_seconds)
    assert ask(data, QUICK, folds=2).kept_bytes == 0


def test_a_full_disk_costs_the_copy_and_not_the_teacher(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data, events = dataset(), []
    whole = ask(data, QUICK, folds=2)
    monkeypatch.setattr(entry.np, "save", full)
    found = ask(data, QUICK, folds=2, cache=TeacherCache(tmp_path), events=events)
    assert all(np.array_equal(found.logits[s], whole.logits[s]) for s in whole.logits) and found.kept_bytes == 0
    assert [without_facts(e) for e in events if e["kind"] == "warning"] == [
        (
            "cache_not_kept",
            "The teacher's answers could not be kept on the disk: No space left on device.",
            "This run goes on with them; a later run may have to train the teacher again.",
        )
    ]
    assert [p.name for p in tmp_path.rglob("*.npy")] == []


def test_a_limit_that_makes_no_sense_is_said_before_any_fit(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", "lots")
    events = []
    with pytest.raises(KDError, match="KD_TEACHER_CACHE_MB is 'lots'"):
        ask(dataset(), QUICK, folds=2, cache=TeacherCache(tmp_path), events=events)
    assert events == []


def test_with_many_classes_the_first_run_gets_what_the_next_one_reads(tmp_path):
    rng, classes = np.random.default_rng(0), 120
    parts = {
        split: Part(np.arange(n) % classes, np.arange(n) + start)
        for split, n, start in (("train", 480, 0), ("validation", 120, 480), ("test", 120, 600))
    }
    views = Views.of_table({s: rng.standard_normal((len(p), 3)).astype(np.float32) for s, p in parts.items()})
    data = replace(dataset("multiclass"), classes=tuple(map(str, range(classes))), parts=parts, views=views)
    cache = TeacherCache(tmp_path)
    forest = Choice(name="random_forest", settings={"trees": 2, "leaf_rows": 60})
    first, again = ask(data, forest, folds=2, cache=cache), ask(data, forest, folds=2, cache=cache)
    kept, _ = cache.load(first.cache_key, print)
    assert kept["test.logits"].dtype == np.float16
    for split, part in parts.items():
        assert first.logits[split].dtype == np.float32 and first.logits[split].shape == (len(part), classes)
        assert np.array_equal(first.logits[split], again.logits[split])


def test_a_warning_of_every_fit_is_told_once(monkeypatch):
    entry, events = SOURCES.get("random_forest"), []

    def warning(spec, data, seed, notify, should_stop):
        notify({"kind": "warning", "code": "shared", "message": "m", "hint": "h"})
        return entry.make.fit(spec, data, seed, notify, should_stop)

    monkeypatch.setitem(SOURCES._entries, "random_forest", replace(entry, make=from_fit(warning)))
    ask(dataset(), events=events)
    assert [e for e in events if e["kind"] == "warning"] == [
        {"kind": "warning", "code": "shared", "message": "m", "hint": "h"}
    ]


def test_one_fold_answers_training_rows_by_the_fit_that_saw_them_and_keeps_features_where_they_are_wanted(tmp_path):
    data, cache = dataset("binary"), TeacherCache(tmp_path)
    network = Choice(name="mlp", settings={"size": "tiny", "epochs": 2})
    events = []

    def answered(folds=1, **more):
        return ask(data, network, folds=folds, cache=cache, events=events, **more)

    plain = answered()
    assert [e["of"] for e in events if e["kind"] == "trained"] == [1] and plain.details["folds"] == []
    assert [n["code"] for n in plain.notes] == ["in_sample"] and plain.features == {}
    found = answered(hidden=True)
    assert not found.cached and found.features["train"].shape[0] == len(data.train)
    np.testing.assert_array_equal(found.logits["train"], plain.logits["train"])
    again = answered(hidden=True)
    assert again.cached and set(again.features) == {"train"}
    np.testing.assert_array_equal(again.features["train"], found.features["train"])
    assert again.notes == found.notes
    several = answered(folds=2, hidden=True)
    assert several.features["train"].shape == found.features["train"].shape and several.notes == ()
    assert answered().cached and not answered().features
