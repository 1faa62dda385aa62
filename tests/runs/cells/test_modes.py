"""What a mode changes of a run: what is refused, told and estimated."""

import json

import numpy as np
import pytest
import torch

from kd_core.data.preparation import prepare
from kd_core.distill import MODES
from kd_core.runs import plan
from kd_core.runs.cells import grid, modes
from kd_core.runs.cells.variant_store import VariantStore
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.view import mode_words, naming
from kd_core.specs import Choice, ChooseSpec, StudentSpec, SweepSpec
from tests.runs.tables import small_spec, write_table
from tests.runs.test_experiment import Crash, carry_out

NETWORK = Choice(name="mlp", settings={"size": "small", "epochs": 2})


def asking(path, mode, teacher=NETWORK, **changes):
    settings = changes.pop("settings", {})
    return small_spec(path).model_copy(
        update={"teacher": teacher, "mode": Choice(name=mode, settings=settings), **changes}
    )


def said(spec, views=("table", "columns")):
    return [p.message for p in plan.check(spec, "binary", 2, views) if p.severity == "error"]


def test_what_a_mode_can_t_do_is_said_before_anything_is_trained(tmp_path):
    path = tmp_path / "a.csv"
    assert said(asking(path, "mutual")) == said(asking(path, "born_again")) == []
    (one,) = said(asking(path, "mutual", teacher=Choice(name="gradient_boosting")))
    assert one.startswith("The mode 'mutual' needs a teacher that is a network trained here")
    assert said(asking(path, "born_again", teacher=Choice(name="gradient_boosting"))) == []
    trees = (StudentSpec(name="t", arch=Choice(name="trees")),)
    (one,) = said(asking(path, "online", students=trees))
    assert "needs students that learn by gradient descent" in one
    (one,) = said(asking(path, "mutual", sweep=SweepSpec(temperature=(1, 2))))
    assert one.startswith("A what-if compares lessons in the mode 'offline', not in 'mutual'")
    (one,) = said(asking(path, "born_again", choose=ChooseSpec()))
    assert one.startswith("The best student can't be chosen in the mode 'born_again'")
    unheard = Choice(name="hinton", settings={"alpha": 0.0})
    (one,) = said(asking(path, "born_again", objective=unheard))
    assert one.startswith("With alpha 0 a student learns from its labels alone")
    made = small_spec(path).training.model_copy(update={"made_rows": 1})
    (one,) = said(asking(path, "mutual", training=made))
    assert one.startswith("The mode 'mutual' does not use made rows")
    answers = small_spec(path).dataset.model_copy(update={"answer_columns": ("p",)})
    whole = Choice(name="hinton", settings={"alpha": 1.0})
    labels = {"teacher": Choice(name="soft_labels", settings={"columns": ["p"]}), "objective": whole}
    assert any(
        "learns from true labels as well" in m for m in said(asking(path, "born_again", dataset=answers, **labels))
    )
    (one,) = said(asking(path, "mutuall"))
    assert "no mode 'mutuall'" in one
    (one,) = said(asking(path, "born_again", settings={"generations": 9}))
    assert "generations" in one


def test_a_run_takes_longer_by_what_is_trained_for_a_student(tmp_path):
    assert modes.longer(asking(tmp_path, "offline")) == 1
    assert modes.longer(asking(tmp_path, "mutual")) == 1.5
    assert modes.longer(asking(tmp_path, "born_again", settings={"generations": 3})) == 4.5
    assert modes.longer(asking(tmp_path, "born_again", settings={"generations": 3, "longer_baseline": False})) == 2.5
    named = naming.short_name(asking(tmp_path, "born_again", settings={"generations": 3}))
    assert "born again generations=3" in named and "born" not in naming.short_name(asking(tmp_path, "offline"))


@pytest.mark.slow
def test_a_result_tells_the_mode_who_learned_and_no_placebo(tmp_path):
    events, spec = [], asking(write_table(tmp_path / "a.csv"), "mutual")
    found, folder = run_here(spec, tmp_path / "run", events.append, StopSignal())
    (student,) = found["students"]
    assert student["placebo"] is None and student["placebo_reason"] == "mode"
    assert student["temperature"] is None and student["alpha"] is None  # the run's lesson is not used
    told = [one["helpers"][0] for one in student["selection"]["student"]]
    assert len(told) == 2 and all(0 < h["score"] < 1 for h in told)
    assert "helpers" not in student["selection"]["baseline"][0]
    words, itself = mode_words.helpers(found)
    own = [one["score_selected"] for one in student["selection"]["student"]]
    assert (itself.name, itself.score) == (mode_words.ITSELF, pytest.approx(sum(own) / 2))
    assert words.score == pytest.approx((told[0]["score"] + told[1]["score"]) / 2) and words.seeds == 2
    lines = mode_words.lines(found)
    assert lines[0] == "Mode: Mutual: they teach each other (mutual)." and "bout 2 networks" in lines[1]
    assert "teacher (tiny): ROC-AUC 0." in lines[2]
    mine = [e for e in events if e["kind"] == "epoch" and e.get("arm") == "helper"]
    assert {(e["student"], e["seed"]) for e in mine} == {("tiny", 0), ("tiny", 1)}
    students = [e for e in events if e["kind"] == "epoch" and e.get("arm") == "student"]
    assert len(students) == len(mine) and not any(e.get("helper") for e in students)
    records = [json.loads(p.read_text()) for p in folder.rglob("trained/*.json")]
    assert sorted("helpers" in r for r in records) == [False, False, True, True]
    assert mode_words.lines({**found, "mode": None}) == []


def test_a_finished_training_is_known_by_its_mode_and_a_baseline_is_everybodys(tmp_path):
    spec = asking(write_table(tmp_path / "a.csv"), "born_again")
    dataset = prepare(spec.dataset)
    z = {"teacher": np.zeros((len(dataset.train), 2), np.float32)}

    def names(asked):
        held = VariantStore(asked, dataset, tmp_path, z, "roc_auc", torch.device("cpu"))
        return [held._stem(t).name for t in grid.trainings(asked, [0])]

    usual, once = names(spec.model_copy(update={"mode": Choice(name="offline")})), names(spec)
    twice = names(spec.model_copy(update={"mode": Choice(name="born_again", settings={"generations": 2})}))
    assert usual[0] == once[0] == twice[0]
    assert len({usual[1], once[1], twice[1]}) == 3


QUICK = ("assistant", "born_again")  # one with a helper of the whole run, one with helpers of each student


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in MODES.names() if n != "offline"]
)
def test_a_killed_run_goes_on_and_ends_as_the_whole_one(tmp_path, mode):
    spec, seen, again = asking(write_table(tmp_path / "a.csv"), mode), [], []
    if said(spec):
        pytest.skip("refused here")
    whole = carry_out(spec, tmp_path / "whole")["students"][0]

    def crash(event):
        seen.append(event)
        if event["kind"] == "trained" and event["arm"] == "student":
            raise Crash

    with pytest.raises(Crash):
        carry_out(spec, tmp_path / "cut", crash)
    resumed = carry_out(spec, tmp_path / "cut", again.append)["students"][0]
    assert resumed["metrics"] == whole["metrics"]
    scores = [[h["score"] for h in one.get("helpers", ())] for one in resumed["selection"]["student"]]
    assert scores == [[h["score"] for h in one.get("helpers", ())] for one in whole["selection"]["student"]]
    assert {e["seed"] for e in again if e["kind"] == "epoch" and e["arm"] == "student"} < {0, 1}


@pytest.mark.slow
def test_an_assistant_stands_between_and_its_scores_are_told(tmp_path):
    spec, events = asking(write_table(tmp_path / "a.csv"), "assistant"), []
    found, _ = run_here(spec, tmp_path / "run", events.append, StopSignal())
    chain, (student,) = found["mode"]["chain"], found["students"]
    assert chain["name"] == "assistant mlp small" and chain["arch"]["settings"]["size"] == "small"
    assert student["parameters"] < chain["parameters"] and chain["folds"] == 2 and chain["seconds"] > 0
    assert 0 < chain["metrics"]["roc_auc"] < 1 and chain["validation"]["roc_auc"] != chain["metrics"]["roc_auc"]
    assert student["placebo"] is not None and student["temperature"] == 2.0  # the run's lesson, from another mouth
    curves = [e for e in events if e["kind"] == "epoch" and e.get("arm") == "helper"]
    assert [e["epoch"] for e in curves] == [1, 2, 3] and curves[0]["student"] is None
    (words,) = mode_words.helpers(found)
    assert (words.name, words.student, words.score) == (chain["name"], "", chain["validation"]["roc_auc"])
    assert modes.once(spec, 5) == 6 and modes.once(spec, 1) == 1 and modes.once(asking(tmp_path, "mutual"), 5) == 0


def test_students_of_an_assistant_still_learn_in_stacks(tmp_path):
    held, now = [asking(tmp_path / "a.csv", mode) for mode in ("offline", "assistant")]
    assert modes.apart(held) is modes.apart(now) is False and modes.apart(asking(tmp_path, "mutual"))


def test_an_assistant_without_sizes_or_for_a_lesson_of_features_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    line = (StudentSpec(name="line", arch=Choice(name="linear")),)
    (one,) = said(asking(path, "assistant", students=line))
    assert one == "The architecture 'linear' has no sizes to choose an assistant from."
    assert said(asking(path, "assistant", students=line, settings={"network": "mlp"})) == []
    (one,) = said(asking(path, "assistant", choose=ChooseSpec()))
    assert "can't be chosen in the mode 'assistant'" in one


@pytest.mark.parametrize("mode", ["assistant", "born_again"])
def test_a_lesson_of_the_teachers_features_is_refused_where_another_answers(tmp_path, mode):
    one = small_spec(tmp_path / "a.csv").evaluation.model_copy(update={"folds": 1})
    asked = asking(tmp_path / "a.csv", mode, objective=Choice(name="fitnets"), evaluation=one)
    assert said(asked.model_copy(update={"mode": Choice(name="offline")})) == []
    (reason,) = said(asked)
    assert reason.startswith("The loss 'fitnets' reads what the teacher thinks inside, and in the mode")
