"""Laws of every mode: the baseline is not touched, a seed decides everything, and what can't work says why."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core import listing
from kd_core.data.preparation import prepare
from kd_core.distill import MODES
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.models.building import build_for, start_weights
from kd_core.registry import NEEDS, Situation
from kd_core.runs import plan
from kd_core.runs.cells import modes
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.base import network_of
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher
from tests.runs.tables import small_spec, write_table

NETWORK = Choice(name="mlp", settings={"size": "small", "epochs": 2})


def lesson_of(task="binary"):
    data = make_dataset(task)
    with start_weights(7):
        network = build_for(data, network_of(NETWORK))
    weights = {name: t.numpy() for name, t in network.state_dict().items()}
    return Lesson(data, STUDENT, objective_for(task), teacher(data), TRAINING, NETWORK, weights=weights)


def with_rows(entry, lesson, place):
    """Give a mode that asks the teacher about rows of its own a table to make them from, and answers to them."""
    if "rows" not in entry.facts:
        return lesson
    task = lesson.dataset.task
    data = prepare(small_spec(write_table(place / "a.csv", task), task).dataset)
    rows = entry.facts["rows"](entry.spec(), data, 2, 0)
    z = data.view().view.encode(rows.frame)[:, : data.num_outputs]
    return replace(lesson, dataset=data, answers=teacher(data), made=MadeLesson(rows, z, 1))


def meet(entry, lesson, way):
    return entry.make(entry.spec(), lesson, way)


@pytest.mark.parametrize("entry", MODES.entries(), ids=lambda e: e.name)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_seed_decides_the_student_and_another_gives_another(entry, task, tmp_path):
    if entry.why_not(Situation(task, teacher_gives=frozenset({"logits", "learning"}))):
        pytest.skip("not for this task")
    lesson, told = with_rows(entry, lesson_of(task), tmp_path), []
    torch.manual_seed(1)
    first = meet(entry, lesson, Way(3, notify=told.append))
    torch.manual_seed(2)
    again, other = meet(entry, lesson, Way(3)), meet(entry, lesson, Way(4))
    assert same(first.student, again.student) and not same(first.student, other.student)
    assert [h.score for h in first.helpers] == [h.score for h in again.helpers]
    assert not same(first.student, taught(lesson, Way(3), alone=True))
    assert any("helper" in e for e in told if e["kind"] == "epoch") == bool(first.helpers)
    assert set(first.student.logits) == {"validation"}  # test rows are nobody's affair yet
    assert first.student.state_dict().keys() == taught(lesson, Way(3), alone=True).state_dict().keys()


@pytest.mark.parametrize("entry", MODES.entries(), ids=lambda e: e.name)
def test_what_a_mode_says_of_itself_can_be_read_and_kept(entry):
    assert entry.facts["about"].endswith(".") and len(entry.facts["about"]) > 60
    assert entry.source and entry.title in [p.title for p in listing.parts("kd_core.distill", "MODES")]
    settings = {name: field.default for name, field in entry.spec.model_fields.items()}
    assert entry.spec.parse(json.loads(json.dumps(settings))) == entry.spec()
    assert entry.facts.get("times", lambda spec: 1.0)(entry.spec()) >= 1


@pytest.mark.parametrize("entry", MODES.entries(), ids=lambda e: e.name)
def test_what_it_needs_is_said_where_it_is_missing(entry):
    lacking = Situation(
        "binary", 2, teacher_gives=frozenset(), by_rounds=True, one_fold=True, views=frozenset({"pixels"})
    )
    for need in entry.needs:
        holds, reason = NEEDS[need]
        if not holds(lacking):
            assert len(reason.split()) > 4
    if entry.needs:
        said = entry.facts.get("because", {})
        assert entry.why_not(lacking) in [said.get(n, NEEDS[n][1]) for n in entry.needs]


def test_a_recipe_that_names_no_mode_stays_what_it_was(tmp_path):
    spec = small_spec(tmp_path / "a.csv")
    assert "mode" not in json.loads(spec.to_json()) and spec.mode == Choice(name="offline")
    named = RunSpec.from_json(json.dumps({**json.loads(spec.to_json()), "mode": {"name": "offline", "settings": {}}}))
    assert named.work_hash() == spec.work_hash()
    assert modes.told(spec) == {} and modes.times(spec) == modes.longer(spec) == 1


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    place = tmp_path_factory.mktemp("modes")
    spec = small_spec(write_table(place / "a.csv")).model_copy(update={"teacher": NETWORK})
    return spec, run_here(spec, place / "usual", lambda e: None, StopSignal())[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in MODES.names() if n != "offline"])
def test_the_baseline_is_the_same_whatever_the_mode_and_the_result_says_which(usual, name, tmp_path):
    spec, offline = usual
    asked = spec.model_copy(update={"mode": Choice(name=name)})
    if [p for p in plan.check(asked, "binary", 2, ("table", "columns"), 280) if p.severity == "error"]:
        pytest.skip("refused here")
    found, _ = run_here(asked, tmp_path / "run", lambda e: None, StopSignal())
    ours, theirs = found["students"][0], offline["students"][0]
    for metric, told in theirs["baseline"]["metrics"].items():
        assert ours["baseline"]["metrics"][metric]["values"] == pytest.approx(told["values"], rel=1e-5), metric
    assert found["mode"]["name"] == name and "mode" not in offline
    assert ours["metrics"]["log_loss"]["values"] != theirs["metrics"]["log_loss"]["values"]
    assert found["work_hash"] == asked.work_hash() != offline["work_hash"]


def test_answers_that_are_nan_leave_a_mode_of_stored_answers_with_labels():
    lesson = lesson_of()
    unknown = replace(lesson, answers=np.full_like(lesson.answers, np.nan))
    found = MODES.get("offline").make(MODES.get("offline").spec(), unknown, Way(3)).student
    assert all(h["soft"] == 0 for h in found.trained.history)
