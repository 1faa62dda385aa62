"""A what-if as it fills: cells from events, the same interval as the result's, kept through a resume, and cheap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kd_core.evaluate.intervals.compare import paired
from kd_core.runs.cells.grid import plan_fields
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.progress import TYPICAL_STOP
from kd_core.runs.view.snapshot import snapshot
from kd_core.runs.view.sweep_progress import SweepView
from kd_core.runs.view.wording import sentence
from kd_core.specs import SweepSpec
from tests.runs.tables import small_spec

SPEC = small_spec(Path("t.csv"), seeds=3).model_copy(update={"sweep": SweepSpec(temperature=(1, 4), alpha=(0, 0.5))})
# per seed: baseline, then the cells (1, 0.5) and (4, 0.5); cells 0 and 2 have alpha 0
PLAN = {
    "kind": "plan",
    "trainings": 9,
    "phases": ["data", "teacher", "sweep", "evaluate"],
    "students": ["tiny"],
    "seeds": [0, 1, 2],
    "epochs": 10,
    "metric": "roc_auc",
    "better": "higher",
    "device": "cpu",
    "estimate_seconds": 60.0,
    **plan_fields(SPEC),
}
TEACHER = {
    "folds": 5,
    "teacher_epochs": 48,
    "work": [
        {"kind": "teacher:cnn", "seconds": 30.0},
        {"kind": "teacher", "seconds": 10.0},
        {"kind": "evaluate", "seconds": 20.0},
    ],
}
CHOSEN = {"kind": "sweep", "mode": "fused", "why": "Fastest.", "trainings": 9, "precision": "float32"}


def told(best, epoch=5):
    return {"kind": "scores", "epoch": epoch, "epochs": 10, "best": {str(k): v for k, v in best.items()}}


def ended(position, score, **more):
    return {
        "kind": "variant",
        "training": position,
        "arm": "student",
        "student": "tiny",
        "seed": 0,
        "cells": [],
        "score_selected": score,
        "score_last": score,
        "stopped": False,
        "diverged": None,
        "of": 9,
        **more,
    }


def view(*events, plan=PLAN):
    made = SweepView(plan)
    for event in events:
        made.take(event)
    return made


def test_cells_fill_with_the_best_scores_so_far():
    found = view(CHOSEN, told({0: 0.8, 1: 0.85, 3: 0.7})).progress()
    assert (found.mode, found.why, found.trainings, found.trainings_done, found.variants) == (
        "fused",
        "Fastest.",
        9,
        0,
        12,
    )
    assert [(c["temperature"], c["alpha"]) for c in found.cells] == [(1, 0), (1, 0.5), (4, 0), (4, 0.5)]
    assert found.cells[0]["scores"] == found.cells[2]["scores"] == [0.8, 0.7, None]
    assert found.cells[1]["scores"] == [0.85, None, None] and found.cells[1]["baseline"] == [0.8, 0.7, None]
    assert found.cells[1]["gain"] == {"mean": pytest.approx(0.05), "ci95": [None, None], "n": 1}
    assert found.cells[3]["mean"] is None and found.cells[3]["gain"]["mean"] is None


def test_the_interval_is_that_of_the_result_and_ended_trainings_say_so():
    values = {0: 0.80, 3: 0.81, 6: 0.79, 1: 0.86, 4: 0.85, 7: 0.88}
    found = view(CHOSEN, *(ended(p, s) for p, s in values.items())).progress()
    expected = paired([0.86, 0.85, 0.88], [0.80, 0.81, 0.79])
    cell = found.cells[1]
    assert cell["gain"]["mean"] == pytest.approx(expected.mean)
    assert cell["gain"]["ci95"] == [pytest.approx(expected.low), pytest.approx(expected.high)]
    assert cell["done"] == [True] * 3 and found.cells[3]["done"] == [False] * 3 and found.trainings_done == 6


def test_for_errors_a_fall_is_a_gain():
    found = view(CHOSEN, told({0: 5.0, 1: 4.0, 2: 6.0}), plan={**PLAN, "better": "lower"}).progress()
    assert found.cells[1]["gain"]["mean"] == pytest.approx(1.0) and found.cells[3]["gain"]["mean"] == pytest.approx(-1)


def test_diverged_and_stopped_trainings_are_told_apart():
    made = view(CHOSEN, told({0: 0.8, 1: 0.9}), ended(1, None, diverged="loss is nan"), ended(0, 0.8, stopped=True))
    found = made.progress()
    assert found.cells[1]["diverged"] == 1 and found.cells[1]["mean"] is None
    assert found.cells[0]["done"] == [False] * 3 and found.cells[0]["scores"][0] == 0.8
    assert made.done == 1


def test_units_count_ended_trainings_and_fractions_of_those_at_work():
    assert view(CHOSEN).units() == 0
    assert view(CHOSEN, told({0: 0.8, 1: 0.8}, epoch=5)).units() == pytest.approx(1.0)
    assert view(CHOSEN, told({0: 0.8, 1: 0.8}, epoch=5), ended(0, 0.9)).units() == pytest.approx(1.5)


def test_nothing_is_made_anew_while_nothing_happens_and_2000_variants_are_plain_arrays():
    wide = SPEC.model_copy(
        update={
            "sweep": SweepSpec(
                temperature=tuple(1 + i / 10 for i in range(16)),
                alpha=tuple(i / 20 for i in range(21)),
                learning_rate=(0.001, 0.002),
            )
        }
    )
    made = SweepView({**PLAN, **plan_fields(wide)})
    rng = np.random.default_rng(0)
    made.take(told(dict(enumerate(rng.random(made.trainings).tolist()))))
    found = made.progress()
    assert found is made.progress() and found.variants == 2016 and len(found.cells) == 672
    spread = [c["gain"]["mean"] for c in found.cells if c["alpha"]]
    assert all(isinstance(g, float) for g in spread) and len(set(spread)) == len(spread)


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path / "run", SPEC, created_utc="2026-01-01T00:00:00Z")
    made.write_status(state="running", attempts=1)
    return made


def test_a_snapshot_holds_the_sweep_its_phase_and_its_count(folder):
    assert snapshot(folder).sweep is None
    start = {"kind": "phase", "phase": "sweep", "state": "start"}
    folder.append_events([PLAN, start, CHOSEN, told({0: 0.8, 1: 0.9}, epoch=9), ended(2, 0.95)])
    found = snapshot(folder)
    assert [p.name for p in found.phases] == ["data", "teacher", "sweep", "evaluate"]
    assert found.phases[2].progress == pytest.approx((1 + 2 * 0.9) / 9)
    assert (found.trainings_done, found.trainings, found.curves) == (1, 9, ())
    assert found.sweep.cells[3]["scores"] == [0.95, None, None]
    assert any("9 trainings to do (fused). Fastest." in line for line in found.log)
    assert snapshot(folder).sweep is found.sweep


def test_the_end_is_foreseen_from_this_attempt_s_pace(folder, monkeypatch):
    import json

    from kd_core.runs.view import snapshot as module

    with folder.events_path.open("w") as file:
        start = {"kind": "phase", "phase": "sweep", "state": "start"}
        work = [{"kind": "training:stacks", "phases": ["sweep"], "estimated": 1.0, "seconds": 1.0}]  # far too little
        told_at = [
            (0, {**PLAN, "work": work}),
            (0.5, start),
            (1, ended(0, 0.8)),
            (2, CHOSEN),
            (6, told({1: 0.8, 2: 0.8})),
        ]
        for n, (t, event) in enumerate(told_at, 1):
            file.write(json.dumps({"n": n, "t": float(t), "utc": "2026-01-01T00:00:00Z", **event}) + "\n")
    monkeypatch.setattr(module.time, "monotonic", lambda: 50.0)
    found = snapshot(folder)  # one kept training, then two halves in four seconds; most trainings stop before their end
    halves = 2 * 0.5 / TYPICAL_STOP
    assert found.eta_s == pytest.approx((8 - halves) * 4 / halves) and 0 < found.progress < 0.5


def test_a_resumed_sweep_starts_from_what_it_kept(folder):
    folder.append_events([PLAN, CHOSEN, told(dict.fromkeys(range(9), 0.8)), ended(1, 0.9)])
    assert snapshot(folder).trainings_done == 1
    folder.append_events([PLAN, ended(1, 0.9), {**CHOSEN, "trainings": 8}])
    found = snapshot(folder).sweep
    assert found.cells[1]["scores"] == [0.9, None, None] and found.cells[0]["mean"] is None


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            {**PLAN, **TEACHER},
            "Plan: 9 trainings for 4 cells of at most 10 epochs on cpu, about 60 s. The teacher takes 40 s of it: its epochs are its own, "
            "at most 48 in each of 6 fits; fewer are set by teacher.epochs.",
        ),
        (
            {**PLAN, **TEACHER, "folds": 1},
            "Plan: 9 trainings for 4 cells of at most 10 epochs on cpu, about 60 s. The teacher takes 40 s of it: its epochs are its own, "
            "at most 48; fewer are set by teacher.epochs.",
        ),
        (
            {**PLAN, **TEACHER, "teacher_epochs": None},
            "Plan: 9 trainings for 4 cells of at most 10 epochs on cpu, about 60 s. The teacher takes 40 s of it.",
        ),
        (
            {**PLAN, **TEACHER, "work": [{"kind": "teacher:cnn", "seconds": 9.0}]},
            "Plan: 9 trainings for 4 cells of at most 10 epochs on cpu, about 60 s.",
        ),
        (PLAN, "Plan: 9 trainings for 4 cells of at most 10 epochs on cpu, about 60 s."),
        (
            {**PLAN, "epochs": 60, "round_epochs": 10},
            "Plan: 9 trainings for 4 cells of at most 60 epochs (10, and as many again while they still gain) on cpu, about 60 s.",
        ),
        (CHOSEN, "9 trainings to do (fused). Fastest."),
        ({**CHOSEN, "mode": None, "trainings": 0, "why": ""}, "0 trainings to do (none)."),
        (ended(3, None, diverged="The loss is nan."), "Training 3 (student tiny, seed 0) diverged: The loss is nan."),
        (ended(3, 0.9), ""),
        (told({0: 1.0}), ""),
    ],
)
def test_sweep_events_read_as_sentences(event, words):
    assert sentence(event) == words
