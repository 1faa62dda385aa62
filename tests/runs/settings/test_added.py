"""What is added to a what-if that has ended: trained beside what is kept, never instead of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kd_core.distill.placebo import PLACEBO, in_another_order
from kd_core.errors import KDError
from kd_core.runs.cells import grid, trainings
from kd_core.runs.cells.judging import Judging
from kd_core.runs.settings import luck
from kd_core.runs.settings.added import Added, Round, pace
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.sweep_progress import SweepView
from kd_core.safe_io import write_json
from kd_core.specs import SweepSpec
from kd_core.workspace import workspace
from tests.runs.sweeps import alpha_of, engine, sweep_in, sweep_spec

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@pytest.fixture(autouse=True)
def no_export(monkeypatch):
    """Leave out the seconds of an ONNX export."""
    from kd_core.runs import deployment

    def refuse(module, num_inputs):
        raise KDError("Not exported here.", "", "onnx_export")

    monkeypatch.setattr(deployment, "onnx_bytes", refuse)


def score(variant):
    """T 4 is a little better than T 1, both far better than alone; a shuffled teacher is worth nothing."""
    taught = alpha_of(variant) if variant.lesson != PLACEBO else 0.0
    t = variant.objective.settings.get("temperature", 1) if variant.objective else 0
    wobble = 0.004 * ((variant.seed * int(t) + round(10 * alpha_of(variant))) % 5)
    return 0.7 + 0.2 * taught + 0.0001 * t * (taught > 0) + wobble


def carried_out(path, spec, added, asked, monkeypatch, events=None):
    """Train and judge as an experiment does, in the folder that a first attempt left."""
    monkeypatch.setattr(trainings.planner, "train", engine(score, asked))
    made = sweep_in(path, spec, (events if events is not None else []).append)
    made.later = added.all_of(spec)
    made.lessons |= added.lessons(made.teacher.logits["train"], spec.training.first_seed)
    made = trainings_of(made)
    made.train(grid.seeds(spec))
    for more in added.rounds:
        made.train(more.seeds, more.cells)
    added.write(made.folder)
    judging = Judging(made, made.teacher)
    return judging.result(made.folder, [], 1.0, made.notify), made


def trainings_of(made):
    """Take the ordinary `train`; the lessons are those set since, in the store as well."""
    store = made.store
    made.store = type(store)(made.spec, made.dataset, store.folder, made.lessons, made.metric, made.device)
    made.train = lambda *args: trainings.Trainings.train(made, *args)
    return made


def test_seeds_are_added_to_the_contenders_and_nothing_is_trained_twice(tmp_path, monkeypatch):
    spec, asked, events = sweep_spec(tmp_path, seeds=3), [], []
    first, made = carried_out(tmp_path / "run", spec, Added(), asked, monkeypatch)
    assert sum(len(v) for v, *_ in asked) == 9
    kept = {p.name: p.stat().st_mtime_ns for p in made.store.folder.iterdir()}
    near = luck.contenders(first, spec)
    assert (
        near == (1, 3) and first["sweep"]["best"] == 3
    )  # both temperatures of alpha 0.5; not the two without a teacher
    more = luck.more(first, spec, Added())
    assert more.cells == near and more.seeds[0] == 3 and 2 <= len(more.seeds) <= 5
    added = Added().with_round(spec, Round((3, 4), near))
    asked.clear()
    second, made = carried_out(tmp_path / "run", spec, added, asked, monkeypatch, events)
    fresh = [v for variants, *_ in asked for v in variants]
    assert sorted((v.seed, alpha_of(v)) for v in fresh) == sorted((s, a) for s in (3, 4) for a in (0.0, 0.5, 0.5))
    assert {n: t for n, t in kept.items() if made.store.folder.joinpath(n).stat().st_mtime_ns != t} == {}
    assert not [e for e in events if e.get("code") == "trained_again"]
    for before, after in zip(first["cells"], second["cells"], strict=True):
        at = after["seeds"].index(0)
        assert after["scores"][at : at + 3] == before["scores"] and after["baseline"][:3] == before["baseline"]
    assert [len(c["seeds"]) for c in second["cells"]] == [
        5,
        5,
        5,
        5,
    ]  # a baseline serves the cells with alpha 0 as well
    assert second["sweep"]["trainings"] == second["sweep"]["trained"] == 15
    assert second["sweep"]["answer"]["seeds"] == 5 and "line" in second["sweep"]["answer"]
    asked.clear()
    carried_out(tmp_path / "run", spec, added, asked, monkeypatch)  # once more: nothing is left to do
    assert asked == []


def test_a_shuffled_teacher_is_trained_beside_and_told_in_one_sentence(tmp_path, monkeypatch):
    spec, asked = sweep_spec(tmp_path, seeds=3), []
    first, _ = carried_out(tmp_path / "run", spec, Added(), asked, monkeypatch)
    assert "shuffled" not in first["sweep"]
    asked.clear()
    found, _ = carried_out(tmp_path / "run", spec, Added(shuffled=True), asked, monkeypatch)
    fresh = [v for variants, *_ in asked for v in variants]
    assert {v.lesson for v in fresh} == {PLACEBO} and len(fresh) == 6 and found["cells"] == first["cells"]
    told = found["sweep"]["shuffled"]
    assert [c["cell"] for c in told["cells"]] == [1, 3] and told["best"] == found["sweep"]["best"] == 3
    cell, own = told["cells"][1], found["cells"][3]
    left = np.array(cell["scores"]) - own["baseline"]
    rest = np.array(own["scores"]) - cell["scores"]
    assert cell["gain"]["mean"] == pytest.approx(left.mean()) and cell["teacher"]["mean"] == pytest.approx(rest.mean())
    kept, left, rest = (f"{100 * v:+.1f} points" for v in (own["gain"]["mean"], left.mean(), rest.mean()))
    assert told["line"].startswith(f"With T 4, alpha 0.5 a student gains {kept} [") and f"and {left} [" in told["line"]
    assert f"the difference, {rest} [" in told["line"] and told["line"].endswith(
        "is what the teacher knows of each row."
    )
    assert found["students"][0]["placebo"] is None  # what the run is judged by stays as it was
    json.dumps(found, allow_nan=False)


def test_where_no_label_is_heard_the_sentence_says_so_and_another_cell_is_taken_where_there_is_one(
    tmp_path, monkeypatch
):
    whole = sweep_spec(tmp_path, sweep=SweepSpec(temperature=(1,), alpha=(0, 1)), seeds=3)
    found, _ = carried_out(tmp_path / "whole", whole, Added(shuffled=True), [], monkeypatch)
    assert found["sweep"]["shuffled"]["line"].endswith(
        "as no label is heard there, the second student had nothing right to learn from."
    )
    both = sweep_spec(tmp_path, sweep=SweepSpec(temperature=(1,), alpha=(0, 0.5, 1)), seeds=3)
    found, _ = carried_out(tmp_path / "both", both, Added(shuffled=True), [], monkeypatch)
    assert found["sweep"]["best"] == 2 and found["sweep"]["shuffled"]["best"] == 1


def test_how_long_it_takes_is_told_by_what_the_run_took_and_the_plan_says_the_same(tmp_path, monkeypatch):
    spec = sweep_spec(tmp_path, seeds=3)
    found, _ = carried_out(tmp_path / "run", spec, Added(), [], monkeypatch)
    found = {**found, "seconds": {"data": 1.0, "sweep": 18.0, "evaluate": 3.0}}  # 9 trainings: 2 s each
    more = Added().with_round(spec, Round((3, 4), (1, 3)))
    assert luck.seconds(found, spec, more) == pytest.approx(2 * (2 + 1) * 2 + 4)
    assert luck.seconds(found, spec, Added(shuffled=True)) == pytest.approx(6 * 2 + 4)
    assert luck.seconds({**found, "sweep": {}}, spec, more) is None
    kinds = {
        "data": 50.0,
        "teacher": 0.0,
        "training:stacks": 90.0,
        "evaluate": 40.0,
    }  # as by size alone, on a busy machine
    planned = {"work": [{"kind": kind, "seconds": took} for kind, took in kinds.items()], "estimate_seconds": 180.0}
    folder = RunFolder(tmp_path / "run")
    for added in (more, Added(shuffled=True), replace(more, shuffled=True)):
        write_json(folder.path / "result.json", found)
        added.write(folder)
        before = folder.read("added.json")["before"]
        plan = added.plan_fields(spec, planned, before)
        assert plan["estimate_seconds"] == pytest.approx(luck.seconds(found, spec, added), abs=0.06)
        assert sum(w["seconds"] for w in plan["work"]) == pytest.approx(plan["estimate_seconds"], abs=0.06)


def test_every_look_at_the_test_rows_is_counted(tmp_path, monkeypatch):
    spec = sweep_spec(tmp_path, seeds=2)
    reads = []
    for added in (Added(), Added(), Added((Round((2,), (3,)),)), Added((Round((2,), (3,)),), shuffled=True)):
        RunFolder(tmp_path / "run").path.mkdir(exist_ok=True)
        added.write(RunFolder(tmp_path / "run")) if (tmp_path / "run" / "spec.json").exists() else None
        found, _ = carried_out(tmp_path / "run", spec, added, [], monkeypatch)
        reads.append(found["test_reads"])
    assert reads == [1, 1, 2, 3] and (workspace() / ledger.FILE).exists()


def test_the_plan_names_every_training_and_the_live_map_takes_them(tmp_path):
    spec = sweep_spec(tmp_path, seeds=2)
    added = Added((Round((2, 3), (3,)),), shuffled=True)
    every = added.all_of(spec)
    assert [t.position for t in every] == list(range(len(every))) and len(every) == 10 + 6
    planned = {
        "work": [{"kind": "data", "seconds": 1.0}, {"kind": "training:stacks", "seconds": 9.0}],
        "estimate_seconds": 10.0,
    }
    told = added.plan_fields(spec, planned)
    assert (told["trainings"], told["seeds"], told["estimate_seconds"]) == (16, [0, 1, 2, 3], 16.0)  # 10 of 6 are new
    assert (told["kept"], told["round"], told["adds"]) == (6, 3, "shuffled")
    before = {"sweep": {"trained": 10, "trained_now": 4, "shuffled": {}}, "seconds": {"sweep": 8.0}}
    later = added.plan_fields(spec, planned, before)  # six are left, two seconds each as the last four took
    assert (later["kept"], later["estimate_seconds"]) == (10, 13.0)
    before["sweep"]["shuffled"] = {"line": "said"}
    assert added.plan_fields(spec, planned, before)["adds"] == "seeds"
    view = SweepView({"kind": "plan", "better": "higher", **told})
    for t in every:
        view.take(
            {"kind": "variant", "training": t.position, "score_selected": 0.5 + 0.01 * t.position, "stopped": False}
        )
    found = view.progress()
    assert (found.trainings, found.trainings_done) == (16, 16)
    assert [len(c["seeds"]) for c in found.cells] == [4, 2, 4, 4]
    own = {(t.seed, t.arm): 0.5 + 0.01 * t.position for t in every if t.like.index == 3 and t.arm == "student"}
    assert found.cells[3]["scores"] == pytest.approx([own[s, "student"] for s in range(4)])
    assert all(map(all, (found.cells[3]["done"], found.cells[3]["baseline_done"])))
    assert Added().plan_fields(spec, planned) == {**grid.plan_fields(spec), "trainings": 6, "seeds": [0, 1]}


def test_it_is_kept_in_the_folder_and_damage_is_named(tmp_path):
    folder = RunFolder.create(tmp_path / "run", sweep_spec(tmp_path))
    assert Added.of(folder) == Added() and not Added.of(folder)
    added = Added((Round((5, 6), (0, 2)),), shuffled=True)
    added.write(folder)
    assert Added.of(folder) == added and added.mark == "#1s"
    for broken in ('{"rounds": [{"seeds": ["x"], "cells": [0]}], "shuffled": false}', '{"shuffled": true}', "{"):
        (folder.path / "added.json").write_text(broken)
        with pytest.raises(KDError, match=r"Run run is damaged: added.json"):
            Added.of(folder)


@pytest.mark.parametrize(
    "more", [Round((), (0,)), Round((5,), ()), Round((0,), (0,)), Round((5,), (99,)), Round((7,), (1,))]
)
def test_rounds_that_make_no_sense_are_refused(tmp_path, more):
    held = Added((Round((7,), (0,)),))
    with pytest.raises(KDError, match=r"can't be added for the cells .* the seeds \[0, 1, 7\]"):
        held.with_round(sweep_spec(tmp_path), more)


def test_nothing_is_asked_where_no_seed_would_tell(tmp_path, monkeypatch):
    spec = sweep_spec(tmp_path, sweep=SweepSpec(temperature=(1,), alpha=(0, 0.5, 1)), seeds=3)
    found, _ = carried_out(tmp_path / "run", spec, Added(), [], monkeypatch)
    assert luck.contenders(found, spec) == (2,)
    assert "No other cell comes near the best one" in luck.more(found, spec, Added()).message
    near = {**found, "cells": [{**c, "scores": found["cells"][2]["scores"]} for c in found["cells"]]}
    full = Added((Round(tuple(range(3, 50)), (2,)),))
    assert "The cells have 50 seeds" in luck.more(near, spec, full).message
    assert luck.more(near, spec, Added((Round(tuple(range(3, 49)), (2,)),))).seeds == (49,)
    assert luck.why_not(found, spec, Added()) is None
    other = {**found, "sweep": {**found["sweep"], "code": "older"}}
    assert "made by another version of the code" in luck.why_not(other, spec, Added()).message
    many = Added(tuple(Round((s,), (0, 1, 2)) for s in range(3, 800)))
    assert "trainings, at most 2,000 are allowed" in luck.why_not(found, spec, many).message


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 5), st.data())
def test_another_order_keeps_every_answer_and_every_gap(rows, classes, seed, data):
    z = np.random.default_rng(seed).normal(size=(rows, classes)).astype(np.float32)
    gaps = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    z[np.array(gaps)] = np.nan
    before = z.copy()
    found = in_another_order(z, seed)
    assert np.array_equal(np.isnan(found), np.isnan(z)) and np.array_equal(z, before, equal_nan=True)
    assert sorted(map(tuple, found[~np.array(gaps)])) == sorted(map(tuple, z[~np.array(gaps)]))
    assert np.array_equal(found, in_another_order(z, seed), equal_nan=True)
    if (~np.array(gaps)).sum() > 12:
        assert not np.array_equal(found, in_another_order(z, seed + 1), equal_nan=True)


def test_only_some_cells_have_only_their_own_baselines(tmp_path):
    spec = sweep_spec(
        tmp_path, sweep=SweepSpec(temperature=(1, 4), alpha=(0, 0.5), learning_rate=(0.001, 0.01)), seeds=2
    )
    every = grid.cells(spec)
    at = next(c.index for c in every if c.alpha == 0.5 and c.learning_rate == 0.01 and c.temperature == 4)
    found = grid.trainings(spec, (7,), only=(at,))
    assert [(t.arm, t.like.learning_rate, t.seed) for t in found] == [("baseline", 0.01, 7), ("student", 0.01, 7)]
    whole = {t.like for t in grid.trainings(spec) if t.arm == "baseline"}
    assert found[0].like in whole and replace(found[1].like) == every[at]


def test_what_the_result_says_of_the_pace_outlives_it(tmp_path):
    """The run that goes on begins without its result: in a trial the plan then promised 5 minutes of one."""
    folder = RunFolder.create(tmp_path / "run", sweep_spec(tmp_path))
    told = {"sweep": {"trained": 10, "trained_now": 4}, "seconds": {"sweep": 8.0}}
    (folder.path / "result.json").write_text(json.dumps(told))
    for _ in range(2):
        Added(shuffled=True).write(folder)
        assert pace(folder.read("added.json")["before"]) == 2.0
        (folder.path / "result.json").unlink(missing_ok=True)
