"""A student made smaller from a finished run: every stage from its own weights, judged beside the student as it was, and taken home."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pandas as pd
import pytest
import safetensors.numpy

import kd_core
from kd_core.compress.base import STEPS, learns
from kd_core.errors import KDError, Stopped
from kd_core.export.bundle_file import contents
from kd_core.reports import recipe
from kd_core.runs import experiment, predictor
from kd_core.runs.compressing.asked import chains_of, spec_of
from kd_core.runs.compressing.judged import Judged
from kd_core.runs.compressing.searching import Search
from kd_core.runs.exporting.exporting import export
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import headline
from kd_core.runs.view import compress_words
from kd_core.specs import Choice, RunSpec
from tests.runs.compressing.rounding import NAME, registered
from tests.runs.tables import small_spec, write_table

CHAINS = [f"prune_structured=0.5,distill,{NAME}", NAME]


def carry_out(spec, folder, events=None, stop=lambda: False):
    made = folder if isinstance(folder, RunFolder) else RunFolder.create(folder, spec)
    result = experiment.run(spec, made, (events if events is not None else []).append, stop)
    made.finish(result=result)
    return json.loads(json.dumps(result))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a finished run."""
    root = tmp_path_factory.mktemp("smaller")
    with pytest.MonkeyPatch.context() as patch, registered():
        patch.setenv("KD_WORKSPACE", str(root / "ws"))
        root.joinpath("ws/runs").mkdir(parents=True)
        spec = small_spec(write_table(root / "rows.csv", rows=900), epochs=8)
        carry_out(spec, root / "ws/runs/first")
        yield root


@pytest.fixture(autouse=True)
def here(place, own_workspace, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(place / "ws"))


@pytest.fixture(scope="module")
def smaller(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(place / "ws"))
        spec, events = spec_of("first", chains=chains_of([], CHAINS, []), most_lost=50.0), []
        return spec, carry_out(spec, place / "ws/runs/second", events), events


@pytest.mark.slow
def test_every_stage_is_a_row_beside_the_student_as_it_was(smaller, place):
    block = smaller[1]["compressed"]
    stages = {s["name"]: s for s in block["stages"]}
    assert list(stages) == ["student", "half", "half-again", "half-again-coarse", "coarse"]
    assert block["chains"] == [[1, 2, 3], [4]] and [s["parent"] for s in block["stages"]] == [None, 0, 1, 2, 0]
    first = RunFolder(place / "ws/runs/first").result()["students"][0]
    assert stages["student"]["scores"] == first["metrics"]["roc_auc"]["values"]
    assert stages["student"]["metrics"]["accuracy"] == pytest.approx(first["metrics"]["accuracy"]["mean"], abs=1e-12)
    assert stages["student"]["lost"] is None and stages["student"]["bytes"] == first["deployed"]["bytes"]
    for stage in block["stages"][1:]:
        per_seed = 100 * (np.array(stages["student"]["scores"]) - stage["scores"])
        assert stage["lost"]["mean"] == pytest.approx(per_seed.mean(), abs=1e-9)
        low, high = stage["lost"]["ci95"]
        assert low <= stage["lost"]["mean"] <= high and stage["lost"]["n"] == 2
        wide = stage["lost"]["ci_family"]
        assert wide[0] < low and high < wide[1] and 0 <= stage["agreement"] <= 1
        assert stage["seeds"] == [0, 1] and stage["reason"] is None
    assert stages["half"]["parameters"] < stages["student"]["parameters"]
    assert stages["half"]["flops"] < stages["student"]["flops"]
    assert stages["half-again"]["again"]["scores"] != stages["half-again"]["scores"]
    assert stages["half-again"]["again"]["n"] == 2 and stages["half"]["again"] is None
    assert block["statements"] == 4 and block["test_reads"] == 2


def test_what_is_told_while_it_goes(smaller):
    events = smaller[2]
    stages = [e for e in events if e["kind"] == "stage"]
    assert [e["done"] for e in stages] == list(range(1, 13)) and {e["of"] for e in stages} == {12}
    assert {(e["name"], e["side"]) for e in stages} >= {("half-again", "taught"), ("half-again", "again")}
    assert [e["phase"] for e in events if e["kind"] == "phase" and e["state"] == "end"] == list(
        experiment.COMPRESS_PHASES
    )
    arms = {(e["arm"], e["student"], e["seed"]) for e in events if e["kind"] == "epoch"}
    assert arms == {(arm, "half-again", seed) for arm in ("student", "baseline") for seed in (0, 1)}
    plan = next(e for e in events if e["kind"] == "plan")
    assert {w["kind"] for w in plan["work"]} >= {"compress:stages", "evaluate:compress"} and plan[
        "estimate_seconds"
    ] > 0


def test_the_teacher_is_found_again_and_not_asked_where_nothing_learns(smaller, place):
    assert next(e for e in smaller[2] if e["kind"] == "teacher")["cached"]
    events = []
    spec = spec_of("first", chains=chains_of([NAME], [], []))
    carry_out(spec, place / "rounded", events)
    assert not [e for e in events if e["kind"] in ("teacher", "epoch")]
    assert "teacher" not in next(e for e in events if e["kind"] == "plan")["phases"]


def test_the_best_is_the_smallest_that_keeps_the_goals(smaller, place):
    block = smaller[1]["compressed"]
    best = block["stages"][block["best"]]
    assert block["rule"]["code"] == "smallest_that_keeps" and best["bytes"] == min(
        s["bytes"] for s in block["stages"][1:] if s["passes"]
    )
    assert predictor.load("second").student["name"] == best["name"]
    none = carry_out(spec_of("first", chains=chains_of([NAME], [], []), bytes=1), place / "none")["compressed"]
    assert none["best"] is None and none["rule"]["code"] == "none_keeps"
    assert {"above_bytes"} <= {f["code"] for f in none["stages"][1]["flags"]} and not none["stages"][1]["passes"]


def test_what_keeps_the_goals_and_is_no_smaller_than_the_student_is_not_chosen(place):
    chains = chains_of(["scale_temperature"], [], [])
    block = carry_out(spec_of("first", chains=chains, most_lost=50.0), place / "scaled")["compressed"]
    student, scaled = block["stages"]
    assert scaled["passes"] and scaled["bytes"] >= student["bytes"]
    assert block["best"] is None and block["rule"]["code"] == "none_keeps"


@pytest.mark.slow
def test_each_stage_answers_exports_and_serves(smaller, place):
    rows = pd.read_csv(place / "rows.csv").drop(columns="target").head(40)
    answers = {}
    for stage in smaller[1]["compressed"]["stages"]:
        opened = kd_core.load("second", stage["name"])
        answers[stage["name"]] = opened.predict_proba(rows)
        kept = (place / "ws/runs/second" / stage["file"]).read_bytes()
        assert len(kept) == stage["bytes"] and opened.deployed is not None
        file = kd_core.load(place / "ws/runs/second" / stage["file"])
        np.testing.assert_array_equal(file.predict_proba(rows), answers[stage["name"]])
        if stage["name"] in ("half-again-coarse", "half-again"):
            done = export("second", student=stage["name"])
            assert done.parity is not None
            card = contents(done.path)[1]["CARD.md"].decode()
            assert "prune_structured" in card and "Lost against the student as it was" in card
    assert len({a.tobytes() for a in answers.values()}) == len(answers)
    np.testing.assert_array_equal(kd_core.load("second", "tiny").predict_proba(rows), answers["student"])
    np.testing.assert_allclose(kd_core.load("first").predict_proba(rows), answers["student"], atol=1e-6)


def test_a_stage_that_was_cut_is_smaller_in_its_file_and_opens_as_a_network(smaller, place):
    def weights(stage):
        network = onnx.load(str(place / f"ws/runs/second/artifacts/stages/{stage}.network.onnx"))
        return sum(int(np.prod(w.dims)) for w in network.graph.initializer)

    assert weights(1) < weights(0)
    held = safetensors.numpy.load_file(str(place / "ws/runs/second/artifacts/stages/1.safetensors"))
    opened = predictor.load("second", "half")
    assert sum(v.size for v in held.values()) >= sum(p.numel() for p in opened.engine.module.parameters())
    rows = pd.read_csv(place / "rows.csv").drop(columns="target").head(20)
    np.testing.assert_allclose(opened.engine.run(rows)[0], opened.predict_proba(rows), atol=1e-5)


def test_the_rest_of_the_result_is_an_ordinary_one(smaller, place):
    result = smaller[1]
    found = read_outcome(result)
    assert [s.name for s in found.students] == ["tiny"] and len(found.cells) == 1
    best = next(one["name"] for one in result["compressed"]["stages"] if one["id"] == result["compressed"]["best"])
    assert headline(result).student_name == f"tiny · {best}" and result["run_id"] == "second"
    assert result["work_hash"] == smaller[0].work_hash()
    assert recipe.command(smaller[0]) is None and "compress" in recipe.script(smaller[0])
    kept = np.load(place / "ws/runs/second/artifacts/soft_labels.npz")
    assert {"row_ids", "labels", "teacher", "student_0", "baseline_0"} == set(kept)


@pytest.mark.slow
def test_it_is_the_same_again_and_a_killed_run_makes_nothing_twice(smaller, place):
    spec, result, _ = smaller
    folder = RunFolder.create(place / "again", spec)
    again = carry_out(spec, folder)
    assert scores(again) == scores(result)
    held = sorted((folder.checkpoints / "stages").glob("*.json"))
    for gone in held[::3]:
        gone.unlink()
    events = []
    resumed = carry_out(spec, folder, events)
    assert scores(resumed) == scores(result)
    learned = {(e["arm"], e["seed"]) for e in events if e["kind"] == "epoch"}
    assert len(held) == 12 and len(learned) <= len(held[::3])
    events.clear()
    carry_out(spec, folder, events)
    assert not [e for e in events if e["kind"] == "epoch"]
    for damaged in (folder.checkpoints / "stages").glob("*.safetensors"):
        held_bytes = damaged.read_bytes()
        damaged.write_bytes(held_bytes[:-1] + bytes([held_bytes[-1] ^ 64]))  # a weight of another size
    assert scores(carry_out(spec, folder)) == scores(result)


def scores(result):
    return [s["scores"] for s in result["compressed"]["stages"]]


def test_a_stop_keeps_what_is_finished(place):
    spec = spec_of("first", chains=chains_of([], [f"{NAME},{NAME}", "distill=4"], []))
    heard = []

    def stop():
        return any(e["kind"] == "stage" and e["name"] == "coarse-coarse" for e in heard)

    result = carry_out(spec, place / "stopped", heard, stop)
    block = result["compressed"]
    assert block["stopped"] and [s["reason"] is None for s in block["stages"]] == [True, True, True, False]
    assert block["stages"][1]["seeds"] == [block["kept_seed"]] and block["stages"][1]["lost"]["ci95"] == [None, None]
    assert "stopped" in block["stages"][3]["reason"] and not block["stages"][1]["passes"]
    with pytest.raises(Stopped):
        carry_out(spec, place / "at-once", stop=lambda: True)


def test_a_step_that_can_not_be_done_is_told_and_costs_only_its_chain(place):
    spec = spec_of("first", chains=chains_of([], [f"{NAME}=1e30", NAME], []))
    block = carry_out(spec, place / "broken")["compressed"]
    stages = block["stages"]
    assert stages[2]["reason"] is None and stages[2]["scores"]
    assert stages[1]["reason"] is None or not stages[1]["passes"]  # all weights become 0: it answers, and nothing good


def test_a_stage_that_failed_is_tried_again_and_one_that_is_no_smaller_is_not_chosen(place, monkeypatch):
    spec = spec_of("first", chains=chains_of(["distill=0.2"], [], []), most_lost=90.0)
    folder, entry = RunFolder.create(place / "failed", spec), STEPS.get("distill")

    def full(spec, stage, work):
        raise KDError("The disk is full.", "Make room.", "disk_full")

    with monkeypatch.context() as patch:
        patch.setitem(STEPS._entries, "distill", dataclasses.replace(entry, make=full))
        block = carry_out(spec, folder)["compressed"]
    assert block["stages"][1]["reason"] == "The disk is full" and block["best"] is None and block["statements"] == 0
    block = carry_out(spec, folder)["compressed"]
    student, again = block["stages"]
    assert again["reason"] is None and again["passes"] and block["statements"] == 1
    assert again["bytes"] >= student["bytes"] or block["best"] == 1
    assert again["bytes"] < student["bytes"] or block["best"] is None


@pytest.fixture
def eight_tried(monkeypatch):
    """End a search by the number of its chains: by time a fast machine tries many more than are looked at, a slow one too few."""
    monkeypatch.setattr(Search, "is_up", lambda self: self.should_stop() or len(self.tried) >= 8)


@pytest.mark.slow
def test_chains_are_searched_on_validation_rows_alone(place, eight_tried):
    spec, events = spec_of("first", minutes=5, most_lost=60.0), []
    block = carry_out(spec, place / "searched", events)["compressed"]
    assert block["searched"] and {"coarse", "int8"} <= {one["name"] for one in block["tried"]}
    assert all(len(one["chain"]) == 1 for one in block["tried"][:3])  # rounding alone comes first
    heard = [e["name"] for e in events if e["kind"] == "tried"]
    assert heard == [one["name"] for one in block["tried"]] and len(block["chains"]) <= 3
    assert block["best"] is not None
    kept = [one for one in block["tried"] if one["keeps"]]
    assert min(one["bytes"] for one in kept) in [s["bytes"] for s in block["stages"]]
    events.clear()
    again = carry_out(spec, RunFolder(place / "searched"), events)["compressed"]  # as after a kill behind the search
    assert again["tried"] == block["tried"] and again["chains"] == block["chains"] and again["searched"]
    assert not [e for e in events if e["kind"] in ("tried", "epoch")]
    spec = spec_of("first", minutes=5, most_lost=60.0, bytes=1)
    block = carry_out(spec, place / "nothing")["compressed"]
    assert block["best"] is None and len(block["chains"]) == 1


@pytest.mark.slow
def test_a_search_in_a_mode_without_rows_lets_nothing_learn_and_says_so(place, eight_tried):
    taught = RunSpec.parse({**small_spec(place / "rows.csv", epochs=2).model_dump(), "mode": {"name": "data_free"}})
    carry_out(taught, place / "ws/runs/unseen")
    events = []
    block = carry_out(spec_of("unseen", minutes=5, most_lost=90.0), place / "unseen-smaller", events)["compressed"]
    assert block["tried"] and not any(learns(Choice(**step)) for one in block["tried"] for step in one["chain"])
    assert not [e for e in events if e["kind"] == "epoch" or e.get("phase") == "teacher"]
    said = "\n".join(compress_words.known(block))
    assert "In the mode data_free students never learn from the rows themselves" in said


def test_other_weights_and_other_runs_are_refused(place, smaller):
    spec = smaller[0]
    other = spec.model_copy(update={"compress": spec.compress.model_copy(update={"weights": "0" * 64})})
    with pytest.raises(KDError, match="other weights"):
        carry_out(other, place / "other")
    with pytest.raises(KDError, match="made a student of run"):
        spec_of("second", chains=[(Choice(name=NAME),)])
    with pytest.raises(KDError, match="no student 'large'"):
        spec_of("first", student="large", chains=[(Choice(name=NAME),)])
    bare = place / "ws/runs/bare"
    shutil.copytree(place / "ws/runs/first", bare)
    shutil.rmtree(bare / "checkpoints")
    with pytest.raises(KDError, match="does not keep the weights"):
        spec_of("bare", chains=[(Choice(name=NAME),)])
    unfinished = RunFolder.create(place / "ws/runs/unfinished", spec)
    with pytest.raises(KDError, match="has not ended"):
        spec_of(unfinished.id, chains=[(Choice(name=NAME),)])
    with pytest.raises(KDError, match="changes its file alone"):
        spec_of("first", chains=chains_of([NAME, "distill"], [], []))


def test_no_test_row_is_read_before_the_best_is_chosen(place, monkeypatch):
    seen, own = [], Judged.best

    def best(self):
        found = own(self)
        seen.extend(split for _, _, split, _ in self._answers)
        return found

    monkeypatch.setattr(Judged, "best", best)
    carry_out(spec_of("first", chains=chains_of([NAME], [], [])), place / "unread")
    assert set(seen) == {"validation"}
