"""What the live page reads: curves, phases, progress, and how little a poll costs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kd_core.errors import KDError
from kd_core.runs.store.events import EventReader
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view import snapshot as module
from kd_core.runs.view.curves import SIZES_KEPT, Line
from kd_core.runs.view.snapshot import snapshot
from kd_core.runs.view.wording import sentence
from tests.runs.fake_worker import epoch
from tests.runs.services import run_spec

PLAN = {
    "kind": "plan",
    "trainings": 6,
    "phases": ["data", "teacher", "baseline", "students", "evaluate"],
    "students": ["small"],
    "seeds": [0, 1, 2],
    "epochs": 10,
    "metric": "roc_auc",
    "better": "higher",
    "device": "cpu",
    "estimate_seconds": 1000.0,
    "work": [
        {"kind": "data", "phases": ["data"], "estimated": 1.0, "seconds": 1.0},
        {"kind": "teacher:boosting", "phases": ["teacher"], "estimated": 300.0, "seconds": 300.0},
        {"kind": "training:apart", "phases": ["baseline", "students"], "estimated": 600.0, "seconds": 600.0},
        {"kind": "evaluate", "phases": ["evaluate"], "estimated": 99.0, "seconds": 99.0},
    ],
}


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path / "run", run_spec("shown"), created_utc="2026-01-01T00:00:00Z")
    made.write_status(state="running", attempts=1)
    return made


def phase(name, state, **more):
    return {"kind": "phase", "phase": name, "state": state, **more}


def trained(seed, done, arm="baseline"):
    return {
        "kind": "trained",
        "arm": arm,
        "student": "small",
        "seed": seed,
        "fold": None,
        "selected_epoch": 2,
        "last_epoch": 3,
        "score_selected": 0.9,
        "score_last": 0.8,
        "seconds": 1.0,
        "done": done,
        "of": 6,
    }


def test_a_waiting_run_has_no_phase_that_its_plan_might_not_have_and_no_numbers(folder):
    folder.write_status(state="queued")
    found = snapshot(folder)
    assert (found.state, found.progress, found.eta_s, found.elapsed_s) == ("queued", 0.0, None, 0.0)
    assert found.phases == () and found.curves == () and found.log == ()
    assert found.name == "shown" and found.spec == run_spec("shown")


def test_phases_curves_and_texts_follow_the_events(folder):
    room = {"student": "small", "teacher": 0.9, "baseline": 0.8, "room": True}
    folder.append_events(
        [
            {"kind": "state", "state": "running"},
            PLAN,
            phase("data", "start"),
            phase("data", "end", seconds=0.5),
            {"kind": "warning", "code": "id_column", "message": "Column a is an id.", "hint": "Drop it."},
            phase("teacher", "start"),
            {"kind": "teacher", "name": "boosting", "metrics": {"roc_auc": 0.9}, "cached": True},
            phase("teacher", "end", seconds=2.0, cached=True),
            phase("baseline", "start"),
            *(epoch(i, epochs=10, best=i == 2) for i in (1, 2, 3)),
            trained(0, 1),
            {"kind": "resources", "rss_mb": 300.0, "gpu_mb": None},
            {"kind": "room", "students": [room]},
            epoch(1, epochs=10, seed=1),
        ]
    )
    found = snapshot(folder)
    assert [(p.name, p.state) for p in found.phases] == [
        ("data", "done"),
        ("teacher", "done"),
        ("baseline", "running"),
        ("students", "waiting"),
        ("evaluate", "waiting"),
    ]
    assert (found.phases[1].seconds, found.phases[1].cached) == (2.0, True)
    assert found.phases[2].progress == pytest.approx(1.1 / 6)  # one training and a tenth of the next, of all six
    assert (found.phases[2].units_done, found.phases[2].units) == (1, 6)
    first, second = found.curves
    assert (first.epochs, first.best_epoch, first.done, first.total) == ((1, 2, 3), 2, True, 3)
    assert (second.seed, second.done, second.soft) == (1, False, (None,))
    assert found.warnings[0]["code"] == "id_column" and found.room == (room,) and found.teacher["name"] == "boosting"
    assert (found.resources["rss_mb"], found.rows_per_s, found.trainings_done, found.trainings) == (300.0, 1e5, 1, 6)
    assert any("Warning: Column a is an id. Drop it." in line for line in found.log)
    assert any("Trained baseline small, seed 0: epoch 2 of 3 chosen, 1.0 s." in line for line in found.log)
    assert not any("None" in line for line in found.log)


def test_the_seconds_left_come_from_the_plan_and_then_from_the_pace_of_finished_units(folder, monkeypatch):
    with folder.events_path.open("w") as file:

        def write(n, t, event):
            import json

            file.write(json.dumps({"n": n, "t": t, "utc": "2026-01-01T00:00:00Z", **event}) + "\n")
            file.flush()

        write(1, 0.0, PLAN)
        monkeypatch.setattr(module.time, "monotonic", lambda: 50.0)
        found = snapshot(folder)
        assert (found.eta_s, found.progress, found.outlook.units) == (1000.0, 0.0, None)
        write(2, 1.0, phase("teacher", "start"))
        write(3, 2.0, phase("teacher", "end", seconds=1.0, cached=True))
        write(4, 2.0, phase("baseline", "start"))
        write(5, 10.0, epoch(1, epochs=10))
        for i in range(3):
            write(6 + i, 30.0 + 20 * i, trained(i, 1 + i))
        found = snapshot(folder)
        assert found.eta_s == pytest.approx(1 + 99 + 3 * 60 / (3 - 0.1 / 0.6)) and found.outlook.units.done == 3
        held = found.progress
        monkeypatch.setattr(module.time, "monotonic", lambda: 60.0)
        later = snapshot(folder)
        assert later.elapsed_s == 80.0 and later.eta_s == pytest.approx(found.eta_s - 10)
        assert 0.2 < held < 0.5
        write(9, 140.0, phase("baseline", "end", seconds=138.0))
        write(10, 140.0, phase("evaluate", "start"))
        assert snapshot(folder).eta_s > 0 and snapshot(folder).progress < 0.99
    folder.write_status(state="done", seconds=45.0)
    found = snapshot(folder)
    assert (found.progress, found.eta_s, found.elapsed_s) == (1.0, None, 45.0)


def test_a_resumed_training_goes_back_on_its_curve(folder):
    folder.append_events([epoch(i) for i in (1, 2, 3, 4)])
    assert snapshot(folder).curves[0].epochs == (1, 2, 3, 4)
    folder.append_events([epoch(3, loss=0.25), epoch(4), epoch(5)])
    curve = snapshot(folder).curves[0]
    assert curve.epochs == (1, 2, 3, 4, 5) and curve.loss[2] == 0.25 and len(curve.score) == 5


def test_a_thinned_curve_keeps_ends_best_and_extremes():
    line = Line("student", "small", 0, None)
    for i in range(1, 5001):
        score = 0.5 + 0.4 * math.sin(i / 300)
        score = {1777: 5.0, 3333: -5.0}.get(i, score)
        line.add({**epoch(i), "score": score, "loss": 9.0 if i == 4444 else 1 / i, "best": i == 2500})
    curve = line.curve(200)
    assert len(curve.epochs) == curve.shown <= 200 and curve.total == 5000
    assert {1, 1777, 2500, 3333, 4444, 5000} <= set(curve.epochs)
    assert list(curve.epochs) == sorted(set(curve.epochs)) and line.curve(200) is curve
    assert max(curve.score) == 5.0 and min(curve.score) == -5.0 and max(curve.loss) == 9.0
    assert line.curve(10_000).epochs == tuple(range(1, 5001))


def test_a_curve_without_scores_is_thinned_by_its_loss():
    line = Line("teacher", None, 0, 1)
    for i in range(1, 101):
        line.add({"epoch": i, "epochs": 100, "loss": 7.0 if i == 50 else 1.0, "score": None})
    assert {1, 50, 100} <= set(line.curve(20).epochs)
    empty = Line("teacher", None, 0, 2)
    for i in range(1, 101):
        empty.add({"epoch": i, "loss": None})
    assert {1, 100} <= set(empty.curve(20).epochs) and empty.fraction() == 0.0


def test_a_poll_reads_only_new_lines_and_an_ended_run_none(folder, monkeypatch):
    parsed = []
    real = EventReader._parse
    monkeypatch.setattr(EventReader, "_parse", lambda self, lines: parsed.append(len(lines)) or real(self, lines))
    folder.append_events([epoch(i) for i in range(1, 101)])
    parsed.clear()
    snapshot(folder)
    snapshot(folder)
    folder.append_events([epoch(101)])
    parsed.pop()  # the writer's own look at the end of the file
    assert snapshot(folder).curves[0].total == 101
    assert parsed == [100, 1]
    folder.write_status(state="done", seconds=3.0)
    assert snapshot(folder) is snapshot(folder)


def test_the_views_kept_are_bounded_and_a_replaced_folder_is_read_again(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    folder.append_events([epoch(1), epoch(2)])
    assert snapshot(folder).curves[0].total == 2
    folder.events_path.write_bytes(b"")
    assert snapshot(folder).curves == ()
    for i in range(4):
        snapshot(RunFolder.create(tmp_path / f"other{i}", run_spec()))
    assert len(module._views) <= 2


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "state", "state": "failed", "message": "The disk is full."}, "The run has failed. The disk is full."),
        ({"kind": "state", "state": "cancelled"}, "The run was stopped; what was finished is kept."),
        ({"kind": "phase", "phase": "data", "state": "end", "seconds": 1.25}, "Phase data took 1.2 s."),
        ({"kind": "teacher", "name": "a", "cached": True}, "Teacher a is ready, taken from the cache."),
        (
            {"kind": "trained", "arm": "teacher", "seed": 0, "fold": 1, "seconds": 2},
            "Trained teacher, seed 0, fold 1: 2.0 s.",
        ),
        ({"kind": "epoch", "epoch": 1}, ""),
        ({"kind": "resources"}, ""),
    ],
)
def test_events_read_as_sentences(event, words):
    assert sentence(event) == words


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "asleep"}, "status.json names no known state but 'asleep'"),
        ({"seconds": "long"}, "status.json holds 'long' as seconds"),
        ({"seconds": 10**400}, "status.json holds 1000000000000000000000000000000000000000 as seconds"),
        ({"attempts": "x"}, "status.json holds 'x' as attempts"),
        ({"error": "broken"}, "status.json holds 'broken' as error"),
        ({"error": {"code": 1, "message": "x"}}, "status.json holds an error that is none"),
        ({"error": {"code": "a", "message": "b", "more": "c"}}, "status.json holds an error that is none"),
    ],
)
def test_a_status_with_values_of_a_wrong_kind_is_damage(folder, change, said):
    folder.write_status(**change)
    with pytest.raises(KDError, match="Run run is damaged: ") as raised:
        snapshot(folder)
    assert said in raised.value.message and raised.value.code == "run_damaged"


def test_an_endless_time_is_damage_and_no_attempts_are_none(folder):
    folder.write_status(attempts=None)
    assert snapshot(folder).attempts == 0
    status = (folder.path / "status.json").read_text("utf-8").replace('"attempts": null', '"seconds": 1e999')
    (folder.path / "status.json").write_text(status, "utf-8")
    with pytest.raises(KDError, match=r"status\.json holds inf as seconds"):
        snapshot(folder)


@pytest.mark.parametrize(
    "event",
    [{"kind": "epoch"}, {"kind": "phase"}, {"kind": "epoch", "arm": "student", "epoch": "x"}, {"kind": "seeds"}],
)
def test_an_event_that_lacks_what_its_kind_has_is_named(folder, event):
    folder.append_events([phase("data", "start"), event])
    with pytest.raises(
        KDError, match=rf"Event 2 of events\.jsonl \({event['kind']}\) can't be read\. Restore"
    ) as raised:
        snapshot(folder)
    assert raised.value.code == "events_damaged"


def test_the_trainings_of_candidates_are_not_counted_and_the_chosen_one_is_named(folder):
    plan = {**PLAN, "phases": ["data", "teacher", "choose", "students", "evaluate"], "candidates": 3}
    own = {"choosing": True, "of": 2}
    tried = {"kind": "candidate", "student": "small", "bytes": 2048, "microseconds": 51.2, "score": 0.91, "alone": 0.9}
    tried |= {"seconds": 3.0, "left_out": None}
    out = {**tried, "student": "large", "left_out": {"code": "too_large", "bytes": 99_000}}
    folder.append_events([plan, {**trained(0, 1), **own}, {**trained(0, 2, "student"), **own}, tried, out])
    now = snapshot(folder)
    assert (now.trainings_done, now.trainings, now.chosen) == (0, 6, None)
    assert now.log[0].endswith(
        "Plan: 6 trainings, after choosing among 3 candidates, of at most 10 epochs on cpu, about 1000 s. "
        "The teacher takes 300 s of it."
    )
    assert now.log[-2].endswith("Candidate small: 0.91 on validation (alone 0.9), 2.0 KB, 51 us a row; 3.0 s.")
    assert now.log[-1].endswith("Candidate large: left out before training, its file takes 99,000 bytes at least.")
    folder.append_events([{"kind": "chosen", "student": "small"}, trained(0, 1)])
    assert snapshot(folder).chosen == "small" and snapshot(folder).trainings_done == 1
    assert "Chosen on validation: small." in snapshot(folder).log[-2] and not snapshot(folder).chosen_alone
    folder.append_events([{"kind": "chosen", "student": "small", "arm": "baseline"}])
    assert snapshot(folder).chosen_alone
    assert snapshot(folder).log[-1].endswith("Chosen on validation: small, trained without a teacher.")


def test_a_candidate_without_a_file_or_a_time_is_told(folder):
    words = {"kind": "candidate", "student": "a", "bytes": None, "microseconds": None, "score": 12.5, "seconds": 1.0}
    assert sentence(words) == "Candidate a: 12.5 on validation, no file; 1.0 s."
    failed = sentence({"kind": "candidate", "student": "a", "left_out": {"code": "failed", "reason": "It {broke}."}})
    assert failed == "Candidate a: left out: It {broke}."


def test_viewers_who_ask_for_different_numbers_of_points_do_not_undo_each_other():
    line = Line("student", "tiny", 0, None)
    for number in range(1, 301):
        line.add(epoch_event(number))
    few, many = line.curve(24), line.curve(100)
    assert few.shown < many.shown
    assert line.curve(24) is few and line.curve(100) is many  # nothing was thinned again
    line.add({**epoch_event(301), "best": False})
    assert line.curve(24).epochs[-1] == line.curve(100).epochs[-1] == 301
    line.add(epoch_event(200))  # resumed from a checkpoint
    assert line.curve(24).epochs[-1] == line.curve(100).epochs[-1] == line.curve(24).total == 200
    for most in range(20, 40):
        line.curve(most)
    assert len(line._thin) == SIZES_KEPT


def test_who_wants_no_curves_gets_all_the_rest(folder):
    folder.append_events([{"kind": "plan", "trainings": 2}, epoch(1), epoch(2), trained(0, 1)])
    folder.write_status(state="done", seconds=1.0)
    whole, bare = snapshot(folder), snapshot(folder, 0)
    assert whole.curves
    assert not bare.curves and replace(whole, curves=()) == bare
    assert snapshot(folder) == whole


def epoch_event(number):
    return {
        "epoch": number,
        "epochs": 400,
        "loss": 1 / number,
        "score": number * 37 % 101 / 101,
        "best": number % 7 == 0,
    }
