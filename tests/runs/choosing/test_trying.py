"""Trying candidates in a real run: validation rows alone, within the time, and the same choice after a kill."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kd_core.errors import KDError, Stopped
from kd_core.models import ARCHS
from kd_core.runs import experiment
from kd_core.runs.choosing import trying
from kd_core.runs.choosing.candidates import candidates
from kd_core.runs.choosing.told import read_choice
from kd_core.runs.outcome import read_outcome
from kd_core.runs.plan import situation
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.report import verdict_lines
from kd_core.specs import Choice, ChooseSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from tests.data.pictures.zips import shapes, zipped
from tests.data.views.test_text_views import text_table
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]

SMALL, LARGE = (StudentSpec(name=size, arch=Choice(name="mlp", settings={"size": size})) for size in ("tiny", "base"))
TREES = StudentSpec(name="trees", arch=Choice(name="trees", settings={"trees": 3, "leaves": 3}))
LINE = StudentSpec(name="linear", arch=Choice(name="linear"))


class Crash(BaseException):
    """Ends a run like a kill would: nobody handles it."""


def choosing(path, *students, task="binary", **goals) -> RunSpec:
    spec = small_spec(write_table(path / "t.csv", task), task)
    return spec.model_copy(update={"students": students or (SMALL, TREES, LINE), "choose": ChooseSpec(**goals)})


def carry_out(spec, path, notify=lambda e: None, should_stop=lambda: False) -> dict[str, Any]:
    folder = RunFolder(path)
    if not folder.spec_path.exists():
        folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, notify, should_stop)


def by_name(result) -> dict[str, Any]:
    return {c["name"]: c for c in result["choice"]["candidates"]}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_run_goes_on_as_the_ordinary_run_of_the_chosen_student(tmp_path, task):
    spec = choosing(tmp_path, task=task)
    events: list[dict[str, Any]] = []
    found = carry_out(spec, tmp_path / "a", events.append)
    json.dumps(found, allow_nan=False)
    choice = found["choice"]
    (student,) = [s for s in spec.students if s.name == choice["chosen"]]
    plain = carry_out(spec.model_copy(update={"students": (student,), "choose": None}), tmp_path / "b")
    for kept in ("metrics", "gain", "placebo", "verdict", "size_bytes"):
        assert found["students"][0][kept] == plain["students"][0][kept]
    assert found["work_hash"] == spec.work_hash() and list(found["seconds"])[2] == "choose"
    own = by_name(found)[student.name]
    first = found["students"][0]["selection"]
    assert (
        own["score"] == first["student"][0]["score_selected"] and own["alone"] == first["baseline"][0]["score_selected"]
    )
    means = {arm: np.mean([s["score_selected"] for s in first[arm]]) for arm in ("student", "baseline")}
    assert found["settled"] == {"seeds": 2, **{arm: pytest.approx(mean) for arm, mean in means.items()}}
    assert (choice["compared"], choice["judged_on_test"], len(found["students"])) == (3, 1, 1)
    assert all(c["bytes"] > 0 and c["left_out"] is None for c in choice["candidates"])
    assert [e["student"] for e in events if e["kind"] == "candidate"] == ["tiny", "trees", "linear"]
    again = [e for e in events if e["kind"] == "epoch" and not e.get("choosing") and e["seed"] == 0]
    tried = {e["arm"] for e in events if e["kind"] == "epoch" and e.get("choosing")}
    assert tried == {"baseline", "student"}
    assert {e["arm"] for e in again} <= {"placebo"}  # the chosen one's first seed is not trained twice
    assert verdict_lines(found)[0].startswith("Chosen of 3 candidates on validation: ")


def test_all_seeds_say_which_arm_is_taken_home(tmp_path, monkeypatch):
    spec = choosing(tmp_path, SMALL, bytes=10**6)
    found = carry_out(spec, tmp_path / "a")
    first = found["choice"]["arm"]
    other = "baseline" if first == "student" else "student"
    means = {}

    def opposite(decision, candidate, goals, judge, scores):
        means.update(scores)
        return other

    monkeypatch.setattr(trying, "settle", opposite)
    turned = carry_out(spec, tmp_path / "b")
    assert turned["choice"] == {
        **found["choice"],
        "seconds": turned["choice"]["seconds"],
        "candidates": turned["choice"]["candidates"],
    }
    assert turned["students"][0]["deployed"].get("arm", "student") == other
    assert turned["settled"] == {"seeds": 2, **means}
    told = read_choice(turned, read_outcome(turned))
    assert told.settled.arm == other != told.chosen.arm and "is taken home" in " ".join(verdict_lines(turned))


def test_the_test_rows_are_not_looked_at_before_one_is_chosen(tmp_path, monkeypatch):
    spec = choosing(tmp_path, microseconds=1e9)
    honest = carry_out(spec, tmp_path / "a")
    real = trying.Trying.run
    looked: list[Any] = []

    class Guarded(dict[Any, Any]):
        def __getitem__(self, key: Any) -> Any:
            looked.append(key)
            assert key != "test"
            return super().__getitem__(key)

    def guarded(self: Any) -> Any:
        held = self.dataset.parts, {kind: self.dataset.view(kind).parts for kind in self.dataset.views.read}
        object.__setattr__(self.dataset, "parts", Guarded(held[0]))
        for kind, parts in held[1].items():
            object.__setattr__(self.dataset.view(kind), "parts", Guarded(parts))
        try:
            return real(self)
        finally:
            object.__setattr__(self.dataset, "parts", held[0])
            for kind, parts in held[1].items():
                object.__setattr__(self.dataset.view(kind), "parts", parts)

    monkeypatch.setattr(trying.Trying, "run", guarded)
    blind = carry_out(spec, tmp_path / "b")
    assert "validation" in looked
    assert blind["choice"]["chosen"] == honest["choice"]["chosen"]
    assert [c["score"] for c in blind["choice"]["candidates"]] == [c["score"] for c in honest["choice"]["candidates"]]


def test_a_killed_run_makes_the_same_choice_and_trains_nothing_twice(tmp_path):
    spec = choosing(tmp_path, bytes=10**6)
    whole = carry_out(spec, tmp_path / "whole")

    def crash_after(number, kind):
        seen: list[dict[str, Any]] = []

        def hear(event):
            seen.append(event)
            if sum(e["kind"] == kind for e in seen) == number:
                raise Crash

        return hear

    with pytest.raises(Crash):
        carry_out(spec, tmp_path / "cut", crash_after(2, "candidate"))
    kept = json.loads((tmp_path / "cut" / "checkpoints" / "candidates" / "choice.json").read_text())
    assert [c["name"] for c in kept["candidates"]] == ["tiny", "trees"] and kept["seconds"] > 0
    with pytest.raises(Crash):  # now after the choice
        carry_out(spec, tmp_path / "cut", crash_after(1, "chosen"))
    again: list[dict[str, Any]] = []
    resumed = carry_out(spec, tmp_path / "cut", again.append)
    assert resumed["choice"]["chosen"] == whole["choice"]["chosen"]
    assert [c["score"] for c in resumed["choice"]["candidates"]] == [c["score"] for c in whole["choice"]["candidates"]]
    assert resumed["students"][0]["metrics"] == whole["students"][0]["metrics"]
    assert not [e for e in again if e["kind"] == "epoch" and e.get("choosing")]
    path = tmp_path / "cut" / "checkpoints" / "candidates" / "choice.json"
    kept = json.loads(path.read_text())
    assert kept["decision"]["chosen"] == whole["choice"]["chosen"]
    other = next(s.name for s in spec.students if s.name != whole["choice"]["chosen"])
    path.write_text(json.dumps({**kept, "decision": {**kept["decision"], "chosen": other}}))
    assert carry_out(spec, tmp_path / "cut")["choice"]["chosen"] == other  # what was decided stands
    assert resumed["choice"]["candidates"][0] == kept["candidates"][0] | {"arch": SMALL.arch.model_dump()}


def test_when_the_time_is_up_the_rest_is_left_out_but_one_the_quickest_is_always_finished(tmp_path, monkeypatch):
    foreseen = {"tiny": 1.0, "trees": 2.0, "linear": 3.0}
    monkeypatch.setattr(trying, "pair_seconds", lambda spec, student, *_: foreseen[student.name])
    spec = choosing(tmp_path, TREES, SMALL, LINE, minutes=1e-4)
    found = carry_out(spec, tmp_path / "a")
    choice = found["choice"]
    assert (choice["chosen"], choice["compared"], choice["first_took_longer"]) == ("tiny", 1, True)
    assert [c["left_out"] for c in choice["candidates"]] == [(gone := {"code": "time_up", "begun": False}), None, gone]
    said = verdict_lines(found)[0]
    assert "trees, linear: left out, the time was up." in said and "The first candidate alone took longer than" in said


def test_a_training_that_is_under_way_when_the_time_is_up_is_stopped(tmp_path, monkeypatch):
    spec = choosing(
        tmp_path, SMALL, LARGE, minutes=10
    )  # a training goes on while its epochs are heard: many, not three
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 400, "patience": 400})})
    clock = [0.0]
    monkeypatch.setattr(trying.Trying.__init__, "__defaults__", (lambda: clock[0],))

    def late(event):
        if event["kind"] == "epoch" and event.get("student") == "base":
            clock[0] = 10_000.0

    found = carry_out(spec, tmp_path / "a", late)
    assert by_name(found)["base"]["left_out"] == {"code": "time_up", "begun": True}
    assert by_name(found)["base"]["score"] is None and found["choice"]["chosen"] == "tiny"


def test_what_is_foreseen_to_end_in_time_is_tried_before_what_is_not(tmp_path, monkeypatch):
    foreseen = {"tiny": 1.0, "base": 5_000.0, "linear": 1.0}
    monkeypatch.setattr(trying, "pair_seconds", lambda spec, student, *_: foreseen[student.name])
    monkeypatch.setattr(trying, "busy", lambda: 1.0)
    events: list[dict[str, Any]] = []
    found = carry_out(choosing(tmp_path, SMALL, LARGE, LINE, minutes=0.5), tmp_path / "a", events.append)
    assert [e["student"] for e in events if e["kind"] == "candidate"] == ["tiny", "linear", "base"]
    monkeypatch.setattr(trying, "busy", lambda: 20.0)  # so that the first is thought to take 30 s
    foreseen["linear"] = 0.1
    events.clear()
    carry_out(choosing(tmp_path, SMALL, LARGE, LINE, minutes=0.5), tmp_path / "b", events.append)
    assert next(e["student"] for e in events if e["kind"] == "candidate") == "linear"
    assert [e["done"] for e in events if e["kind"] == "part" and e["phase"] == "choose"] == [1, 2, 3]
    assert [c["name"] for c in found["choice"]["candidates"]] == ["tiny", "base", "linear"]


def test_what_is_too_large_before_it_has_learned_is_not_trained(tmp_path):
    spec = choosing(tmp_path, LARGE, LINE, bytes=6_000)
    events: list[dict[str, Any]] = []
    found = carry_out(spec, tmp_path / "a", events.append)
    why = by_name(found)["base"]["left_out"]
    assert why["code"] == "too_large" and why["bytes"] > 20_000  # half as wide takes more than 6,000 still
    assert found["choice"]["chosen"] == "linear"
    assert "base" not in {e.get("student") for e in events if e["kind"] == "epoch"}
    assert found["choice"]["rule"] == "best_within"


def test_no_file_gets_smaller_by_learning(tmp_path):
    import torch

    from kd_core.data.preparation import prepare
    from kd_core.runs.cells.trainings import Trainings
    from kd_core.runs.deployment import deploy

    spec = small_spec(write_table(tmp_path / "t.csv", "multiclass"), "multiclass", seeds=1)
    dataset = prepare(spec.dataset)
    for student in candidates(situation("multiclass", 3, None, dataset.views.kinds), Choice(name="hinton")).students:
        one = spec.model_copy(update={"students": (student,), "training": TrainingSpec(epochs=1, seeds=1)})
        teacher = {"teacher": np.zeros((len(dataset.train), 3), dtype=np.float32)}
        place = tmp_path / student.name
        done = Trainings(one, dataset, teacher, "accuracy", torch.device("cpu"), place, lambda e: None, lambda: False)
        done.train([0])
        file = deploy(done.arms(done.cells[0]).student[0].module, dataset, student.arch).data
        least = trying.least_bytes(dataset, student.arch)
        assert file is not None and least is not None and least <= len(file), student.name


def test_when_all_are_too_large_the_smallest_is_tried_and_said_to_be_the_nearest(tmp_path):
    found = carry_out(choosing(tmp_path, LARGE, SMALL, bytes=100), tmp_path / "a")
    choice = found["choice"]
    assert (choice["chosen"], choice["rule"], choice["missed"]) == ("tiny", "nearest_limits", ["bytes"])
    assert by_name(found)["base"]["left_out"]["code"] == "too_large"
    assert "because no candidate keeps to 0.1 KB; it exceeds them least." in verdict_lines(found)[0]


def test_one_that_cant_be_trained_is_left_out_with_its_reason_and_only_all_of_them_end_the_run(tmp_path, monkeypatch):
    def broken(*_: Any) -> None:
        raise KDError("The trees are on strike.", "", "strike")

    facts = {**ARCHS.get("trees").facts, "fits": broken}
    monkeypatch.setitem(
        ARCHS._entries, "trees", type(ARCHS.get("trees"))(**{**vars(ARCHS.get("trees")), "facts": facts})
    )
    found = carry_out(choosing(tmp_path, TREES, LINE), tmp_path / "a")
    assert by_name(found)["trees"]["left_out"] == {"code": "failed", "reason": "The trees are on strike."}
    assert "trees: left out: The trees are on strike." in verdict_lines(found)[0]
    with pytest.raises(KDError, match=r"None of 1 candidates could be trained: The trees are on strike\.") as caught:
        carry_out(choosing(tmp_path, TREES), tmp_path / "b")
    assert caught.value.code == "no_candidate_finished"


def test_a_person_who_stops_gets_the_best_so_far_and_nothing_is_decided_for_later(tmp_path):
    spec = choosing(tmp_path)
    seen: list[dict[str, Any]] = []
    found = carry_out(spec, tmp_path / "a", seen.append, lambda: any(e["kind"] == "candidate" for e in seen))
    assert found["choice"]["chosen"] == "tiny" and found["students"][0]["seeds"] == [0]
    assert [c["left_out"] for c in found["choice"]["candidates"][1:]] == 2 * [{"code": "stopped"}]
    assert json.loads((tmp_path / "a" / "checkpoints/candidates/choice.json").read_text())["decision"] is None
    later = carry_out(spec, tmp_path / "a")
    assert later["choice"]["compared"] == 3
    with pytest.raises(Stopped, match="Stopped before a student and its baseline were trained"):
        carry_out(spec, tmp_path / "b", should_stop=lambda: True)


def test_further_splits_repeat_the_chosen_student(tmp_path):
    spec = choosing(tmp_path, SMALL, LINE)
    evaluation = spec.evaluation.model_copy(update={"splits": 2})
    found = carry_out(spec.model_copy(update={"evaluation": evaluation}), tmp_path / "a")
    names = [[s["name"] for s in row["students"]] for row in found["splits"]["done"]]
    assert names == 2 * [[found["choice"]["chosen"]]]


def test_texts_and_pictures_are_chosen_among_their_own_networks(tmp_path):
    def tried(dataset, teacher, task, classes, views) -> dict[str, Any]:
        known = candidates(situation(task, classes, teacher.name, views), Choice(name="hinton")).students
        spec = RunSpec(
            dataset=dataset,
            teacher=teacher,
            students=known[:2],
            objective=Choice(name="hinton"),
            training=TrainingSpec(epochs=2, seeds=1, learning_rate=0.02),
            evaluation=EvaluationSpec(folds=2, latency=False, references=False),
            choose=ChooseSpec(microseconds=1.0),
        )
        return carry_out(spec, tmp_path / f"run-{classes}")

    linear = Choice(name="sklearn", settings={"view": "tfidf", "strength": 10})
    texts = tried(text_table(tmp_path / "a.csv", 300), linear, "binary", 2, ("columns", "table", "tfidf", "tokens"))
    assert set(by_name(texts)) == {"piecewise small", "textcnn small"}
    assert by_name(texts)["textcnn small"]["microseconds"] > 0  # from the raw text
    path = zipped(tmp_path / "shapes.zip", shapes(30))
    from kd_core.specs import DatasetSpec

    teacher = Choice(name="cnn", settings={"size": "tiny", "epochs": 1})
    pictures = tried(DatasetSpec(source=str(path), target="class"), teacher, "multiclass", 3, ("pixels",))
    assert {c["arch"]["name"] for c in pictures["choice"]["candidates"]} == {"cnn"}
    assert pictures["choice"]["rule"] == "nearest_limits" and pictures["choice"]["missed"] == ["microseconds"]


def test_a_damaged_block_is_an_error_in_words(tmp_path):
    found = carry_out(choosing(tmp_path, LINE), tmp_path / "a")
    told = read_choice(found, read_outcome(found))
    assert told is not None and told.compared == 1 and told.chosen.name == told.best.name and told.left_out == {}
    del found["choice"]["candidates"]
    with pytest.raises(KDError, match="can't be read: KeyError 'candidates'"):
        read_choice(found, read_outcome(found))
    del found["choice"]
    assert read_choice(found, read_outcome(found)) is None
