"""The list of runs: filters, notes, deletion, and building it again from the folders."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import replace

import pytest

from kd_core.errors import KDError
from kd_core.runs.service.locks import LockFile
from kd_core.runs.store.index import RunIndex
from kd_core.runs.store.rows import PARSED_ROWS, from_record, headline, to_record
from kd_core.runs.store.runs import NAME_LENGTH, RunStore
from kd_core.specs import SweepSpec
from tests.runs.services import run_spec


@pytest.fixture
def store(own_workspace):
    return RunStore(own_workspace)


def ended(store, run_id, state="done", result=None, **status):
    folder = store.folder(run_id)
    if result is not None:
        folder.finish(state, result)
    folder.write_status(state=state, queue_number=None, **status)
    return store.refresh(run_id)


RESULT = {
    "schema": 3,
    "task": "binary",
    "metric": {"name": "roc_auc", "better": "higher"},
    "teacher": {"metrics": {"roc_auc": 0.93}},
    "students": [
        {
            "name": "tiny",
            "metrics": {"roc_auc": {"mean": 0.90}},
            "baseline": {"metrics": {"roc_auc": {"mean": 0.89}}},
            "gain": {"roc_auc": {"mean": 0.01, "ci95": [0.002, 0.018], "n": 3}},
            "verdict": "beats",
            "margin": 0.005,
            "versus_teacher": {"roc_auc": {"mean": -0.03, "ci95": [-0.04, -0.02], "n": 3}},
            "seeds": [0, 1, 2],
            "selection": {"student": [{"score_selected": 0.91}, {"score_selected": 0.93}]},
        },
        {
            "name": "base",
            "metrics": {"roc_auc": {"mean": 0.92}},
            "baseline": {"metrics": {"roc_auc": {"mean": 0.92}}},
            "gain": {"roc_auc": {"mean": 0.0, "ci95": [None, None], "n": 1}},
            "verdict": "inconclusive",
            "margin": 0.005,
            "seeds": [0],
            "selection": {"student": [{"score_selected": 0.90}]},
        },
    ],
}


def test_ids_are_short_sortable_and_safe_in_a_url(store):
    ids = [store.create(run_spec(first_seed=i)) for i in range(6)]
    assert len(set(ids)) == 6
    assert all(re.fullmatch(r"\d{8}-\d{4}-[a-z2-9]{4}", i) for i in ids)


def test_filters_by_state_words_and_star(store):
    a = store.create(run_spec("Visits at 100%", 0))
    b = store.create(run_spec("Bestellungen für MÜNCHEN", 1, data_name="orders"))
    c = store.create(run_spec("under_score", 2))
    ended(store, b)
    store.star(c)
    store.set_note(a, "try a wider student")
    assert {r.id for r in store.list()} == {a, b, c} and store.count() == 3
    assert [r.id for r in store.list(states=("done",))] == [b]
    assert store.list(states=()) == [] and store.count(states=["queued", "done"]) == 3
    assert [r.id for r in store.list(text="münchen ORDERS")] == [b]
    assert [r.id for r in store.list(text="100%")] == [a] and [r.id for r in store.list(text="r_s")] == [c]
    assert [r.id for r in store.list(text="wider")] == [a] and store.count(text="wider nowhere") == 0
    assert [r.id for r in store.list(starred=True)] == [c] and store.count(starred=False) == 2
    store.star(c, False)
    assert store.count(starred=True) == 0 and store.get(a).note == "try a wider student"


def test_pages_are_newest_first_and_whole(store):
    ids = [store.create(run_spec(first_seed=i)) for i in range(7)]
    for i, run_id in enumerate(ids):
        ended(store, run_id, created_utc=f"2026-01-0{i + 1}T00:00:00.000Z")
    pages = [[r.id for r in store.list(limit=3, offset=o)] for o in (0, 3, 6)]
    assert [len(p) for p in pages] == [3, 3, 1] and [*pages[0], *pages[1], *pages[2]] == ids[::-1]


def test_the_headline_is_the_student_that_is_best_on_validation_not_on_the_test_rows(store):
    run_id = store.create(run_spec())
    row = ended(store, run_id, result=RESULT, seconds=12.5)
    h = row.headline
    assert RESULT["students"][1]["metrics"]["roc_auc"]["mean"] > 0.90  # the other one is better on the test rows
    assert (h.student_name, h.student, h.baseline, h.teacher, h.gain, h.verdict) == (
        "tiny",
        0.90,
        0.89,
        0.93,
        0.01,
        "beats",
    )
    assert (h.gain_low, h.gain_high, row.task, row.seconds) == (0.002, 0.018, "binary", 12.5)
    assert (h.versus, h.versus_low, h.versus_high) == (-0.03, -0.04, -0.02)
    assert store.get(run_id) == row
    lower = headline({**RESULT, "metric": {"name": "roc_auc", "better": "lower"}})
    assert (lower.student_name, lower.gain_low, lower.gain_high) == ("base", None, None)
    assert (lower.versus, lower.versus_low) == (pytest.approx(0.01), None)  # an older result: without an interval
    assert headline({"metric": {"name": "roc_auc"}, "students": []}) is None and headline({}) is None


def test_everything_comes_back_from_the_folders(store):
    a, b = store.create(run_spec("one"), click="press"), store.create(run_spec("two", 1))
    ended(store, a, result=RESULT)
    store.star(a)
    store.set_note(b, "a note")
    before = store.list()
    (store.root / "runs.sqlite").unlink()
    again = RunStore(store.root)
    assert again.list() == before and again.queue() == (b,) and again.find_click("press").id == a


def test_a_copied_folder_appears_and_a_deleted_one_goes_after_rebuild(store):
    a, b = store.create(run_spec("one")), store.create(run_spec("two", 1))
    ended(store, a)
    shutil.copytree(store.runs / a, store.runs / "copied-by-hand")
    shutil.rmtree(store.runs / b)
    (store.runs / "no run").mkdir()
    assert store.adopt() == 1 and {r.id for r in store.list()} == {a, b, "copied-by-hand"}
    assert store.rebuild() == 2
    assert {r.id for r in store.list()} == {a, "copied-by-hand"} and store.get("copied-by-hand").name == "one"


def test_an_unreadable_folder_is_listed_as_damaged_beside_the_others(store):
    a, b = store.create(run_spec("one")), store.create(run_spec("two", 1))
    kept = (store.runs / b / "spec.json").read_text()
    (store.runs / b / "spec.json").write_text("{")
    assert store.rebuild() == 2 and {r.id: r.state for r in store.list()} == {a: "queued", b: "damaged"}
    row = store.get(b)
    assert row.name == b and row.created_utc[:4] == b[:4] and row.error.message.startswith("The spec is not valid JSON")
    (notice,) = store.take_notices()
    assert notice.startswith(f"Run {b} can't be read and is marked damaged: The spec is not valid JSON")
    assert store.take_notices() == []
    (store.runs / b / "spec.json").write_text(kept)  # put back from a copy
    store.adopt()
    assert (store.get(b).state, store.get(b).name) == ("queued", "two")


def test_a_damaged_run_and_one_whose_folder_is_gone_can_be_deleted(store):
    a, b = store.create(run_spec("one")), store.create(run_spec("two", 1))
    shutil.rmtree(store.runs / a)
    assert store.refresh(a).error.message == f"The folder of run {a} is gone: it was removed or moved by hand."
    assert (store.get(a).name, store.get(a).state) == ("one", "damaged")
    (store.runs / b / "status.json").write_bytes(bytes(8))
    assert store.refresh(b).error.message == f"Run {b} is damaged: status.json is not JSON."
    store.delete(a)
    store.delete(b)
    assert store.list() == [] and list(store.runs.iterdir()) == []
    with pytest.raises(KDError, match="There is no run"):
        store.refresh(a)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "asleep"}, "names no known state but 'asleep'"),
        ({"seconds": "many"}, "holds 'many' as seconds"),
        ({"queue_number": [1]}, "holds '[1]' as queue_number"),
        ({"error": {"code": "x", "more": 1}}, "holds an error that is none"),
    ],
)
def test_a_status_with_wrong_values_is_damage(store, change, words):
    run_id = store.create(run_spec())
    store.folder(run_id).write_status(**change)
    row = store.refresh(run_id)
    assert row.state == "damaged" and row.error.message == f"Run {run_id} is damaged: status.json {words}."


def test_a_full_table_of_files_is_no_damage(store, monkeypatch):
    run_id = store.create(run_spec())

    def none_left(*args):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("kd_core.runs.store.runs.row_of", none_left)
    with pytest.raises(OSError, match="Too many open files"):
        store.refresh(run_id)
    assert store.get(run_id).state == "queued"


@pytest.mark.parametrize("how", ["text", "page", "truncate", "schema"])
def test_a_corrupt_database_is_set_aside_and_built_again(store, how):
    for i in range(8):
        store.create(run_spec(f"run {i}", i))
    before = store.list(limit=100)
    path = store.root / "runs.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(path.read_bytes())
    if how == "text":
        data[:4096] = b"x" * 4096
    elif how == "page":
        data[4096:8192] = b"\xa5" * 4096
    elif how == "truncate":
        del data[6000:]
    if how == "schema":
        with sqlite3.connect(path) as db:
            db.execute("DROP TABLE runs")
        db.close()
    else:
        path.write_bytes(data)
    assert store.list(limit=100) == before  # found while the server runs
    (notice,) = store.take_notices()
    assert "built again from 8 run folders" in notice and "runs.sqlite.corrupt-2" in notice
    assert len(list(store.root.glob("runs.sqlite.corrupt-*"))) == 1 and store.take_notices() == []


def test_a_database_of_another_version_is_set_aside_at_start(store):
    run_id = store.create(run_spec())
    with sqlite3.connect(store.root / "runs.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    again = RunStore(store.root)
    assert [r.id for r in again.list()] == [run_id]
    assert "was of another version" in again.take_notices()[0]


def test_a_locked_database_is_an_error_in_words(store, monkeypatch):
    monkeypatch.setattr("kd_core.runs.store.index.BUSY_SECONDS", 0.05)
    db = sqlite3.connect(store.root / "runs.sqlite", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(KDError, match="The list of runs can't be used: database is locked"):
        store.star(store.create(run_spec()))
    db.execute("ROLLBACK")
    db.close()


def test_only_an_ended_run_is_deleted(store):
    run_id = store.create(run_spec())
    with pytest.raises(KDError, match=f"Run {run_id} is still queued"):
        store.delete(run_id)
    ended(store, run_id)
    with LockFile(store.folder(run_id).lock_path) as lock:
        assert lock.acquire()
        with pytest.raises(KDError, match="Stop it first"):
            store.delete(run_id)
    store.delete(run_id)
    assert store.count() == 0 and not (store.runs / run_id).exists()
    with pytest.raises(KDError, match="There is no run"):
        store.get(run_id)


@pytest.mark.parametrize("run_id", ["../..", "", ".", "a/b", "x" * 81, "\0", "missing", "..%2f"])
def test_an_id_that_is_no_run_is_refused(store, run_id):
    with pytest.raises(KDError, match="There is no run"):
        store.folder(run_id)


def test_writers_in_two_connections_lose_nothing(store):
    other = RunIndex(store.root / "runs.sqlite", list, list)
    ids = [store.create(run_spec(first_seed=i)) for i in range(3)]
    for row in store.list():
        other.put(row)
    assert {r.id for r in other.rows()} == set(ids)


def test_what_ifs_are_marked_filtered_and_headed_by_the_cell_chosen_on_validation(store):
    plain = store.create(run_spec(first_seed=0))
    asked = store.create(run_spec(first_seed=1).model_copy(update={"sweep": SweepSpec(alpha=(0, 1))}))
    assert [r.id for r in store.list(sweep=True)] == [asked] and [r.id for r in store.list(sweep=False)] == [plain]
    assert (store.count(sweep=True), store.count()) == (1, 2)
    assert store.get(asked).sweep is True and store.get(plain).sweep is False
    store.rebuild()
    assert store.get(asked).sweep is True
    students = [{**s, "cell": i} for i, s in enumerate(RESULT["students"])]
    assert headline({**RESULT, "students": students, "sweep": {"best": 0}}).student_name == "tiny"
    assert headline({**RESULT, "students": students, "sweep": {"best": 1}}).student_name == "base"


def test_a_run_can_be_renamed_and_gets_its_own_name_back(tmp_path):
    store = RunStore(tmp_path)
    run_id = store.create(run_spec("T=2 tiny"))
    store.set_name(run_id, "  the one\nfor Monday ")
    assert store.get(run_id).name == "the one for Monday" and store.folder(run_id).spec().name == "T=2 tiny"
    assert [r.id for r in store.list(text="monday")] == [run_id]
    assert store.rebuild() == 1 and store.get(run_id).name == "the one for Monday"
    store.set_note(run_id, "kept")
    store.set_name(run_id, "x" * 500)
    assert len(store.get(run_id).name) == NAME_LENGTH and store.get(run_id).note == "kept"
    store.set_name(run_id, "")
    assert store.get(run_id).name == "T=2 tiny"


def test_a_row_that_was_read_before_follows_every_change(store, tmp_path):
    run_id = store.create(run_spec(name="mine"))
    assert store.list() == store.list() == [store.get(run_id)]
    store.star(run_id)
    assert store.list()[0].star
    store.set_note(run_id, "seen")
    assert store.list()[0].note == "seen"
    ended(store, run_id, result=RESULT)
    assert store.list()[0].headline.student_name == store.get(run_id).headline.student_name
    other = RunStore(tmp_path / "other")
    assert not other.list()
    store.delete(run_id)
    assert not store.list()


def test_only_so_many_parsed_rows_stay_in_memory(store):
    run_id = store.create(run_spec())
    row = store.get(run_id)
    for number in range(PARSED_ROWS + 5):
        assert from_record(to_record(replace(row, note=str(number)))).note == str(number)
    assert from_record.cache_info().currsize == PARSED_ROWS
