"""What may be lost against the teacher: the score to reach for it, which teacher it is measured by, and when it can't be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import SpecError
from kd_core.runs import plan
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.choosing.against import Against, amount, least, with_score
from kd_core.runs.choosing.rule import Candidate, decide
from kd_core.runs.choosing.teacher_score import measured
from kd_core.runs.choosing.told import read_choice
from kd_core.runs.outcome import read_outcome
from kd_core.specs import Choice, ChooseSpec, DatasetSpec
from kd_core.teachers.base import TeacherAnswers
from tests.runs.choosing.test_trying import LINE, SMALL, carry_out, choosing
from tests.runs.tables import small_spec, write_table

FOUR = [Candidate(n, s, 50.0, v, v) for n, s, v in [("a", 50, 0.850), ("b", 9, 0.846), ("c", 5, 0.841), ("d", 2, 0.80)]]


@pytest.mark.parametrize(
    ("metric", "teacher", "lost", "wanted"),
    [
        ("accuracy", 0.853, 1.0, 0.843),  # points of a share
        ("ece", 0.05, 1.0, 0.06),  # a share that is an error: points, too
        ("r2", -0.2, 1.0, -0.21),
        ("rmse", 40.0, 5.0, 42.0),  # percent of an error
        ("log_loss", 0.4, 0.0, 0.4),
    ],
)
def test_points_of_a_share_and_percent_of_an_error_are_taken_from_the_teachers_score(metric, teacher, lost, wanted):
    assert least(lost, metric, teacher) == pytest.approx(wanted)
    assert amount(lost, metric, teacher) == pytest.approx(abs(teacher - wanted))


def test_the_rule_is_that_of_a_score():
    asked, points = ChooseSpec(lost=1.0), Judge("higher", 0.005, False)
    found = with_score(asked, Against(0.855, 0.845, False, True))
    assert found == ChooseSpec(score=0.845) and with_score(asked, None) == asked
    assert decide(FOUR, found, points).chosen == "b"  # the smallest that reaches it, not the best
    poor = decide(FOUR, with_score(asked, Against(0.9, 0.89, False, True)), points)
    assert (poor.chosen, poor.rule, poor.missed) == ("a", "nearest_score", ("score",))
    within = decide(FOUR, with_score(ChooseSpec(lost=1.0, bytes=10), Against(0.85, 0.84, False, True)), points)
    assert (within.chosen, within.rule, within.missed) == ("b", "best_within", ())


def test_one_way_alone_says_how_good_is_good_enough():
    with pytest.raises(SpecError, match=r"score and lost both say how good is good enough; leave one of them empty"):
        ChooseSpec.parse({"score": 0.8, "lost": 1.0}, "goals")
    for wrong in (-1, 101, float("nan")):
        with pytest.raises(SpecError, match="lost"):
            ChooseSpec.parse({"lost": wrong}, "goals")
    asked = ChooseSpec(lost=1.0, bytes=20_480)
    assert ChooseSpec.from_json(asked.to_json()) == asked and asked.limits == {"bytes": 20_480}
    assert "lost" not in ChooseSpec(score=0.8).model_dump()  # runs of before keep their hash


def given(path, **more):
    dataset = prepare(DatasetSpec(source=str(write_table(path / "t.csv")), target="target", task="binary"))
    z = np.zeros((len(dataset.validation), 2), np.float32)
    z[:, 1] = dataset.validation.y - 0.5
    teacher = TeacherAnswers("t", {"validation": z}, 1, 1, {}, 0.0, folds=5)
    return dataset, replace(teacher, **more)


def test_the_teacher_is_measured_on_the_rows_that_choose(tmp_path):
    dataset, teacher = given(tmp_path)
    assert measured(ChooseSpec(score=0.5), dataset, teacher, "accuracy") is None
    assert measured(ChooseSpec(lost=2.0), dataset, teacher, "accuracy") == Against(1.0, 0.98, False, True)
    for other in (
        {"folds": 0},
        {"notes": ({"code": "teacher_maybe_saw"},)},
        {"notes": ({"code": "earlier_run_saw_none"},)},
    ):
        found = measured(ChooseSpec(lost=2.0), dataset, replace(teacher, **other), "log_loss")
        assert found and found.percent and not found.unseen and found.least == pytest.approx(1.02 * found.score)


def test_a_teacher_without_a_score_on_them_is_refused(tmp_path):
    dataset, teacher = given(tmp_path)
    teacher.logits["validation"][:7] = np.nan
    rows = len(dataset.validation)
    with pytest.raises(
        SpecError, match=f"it answered {rows - 7} of {rows} validation rows, and a student is"
    ) as caught:
        measured(ChooseSpec(lost=1.0), dataset, teacher, "accuracy")
    assert caught.value.code == "lost_unknown" and "Ask for a score instead" in str(caught.value)
    teacher.logits["validation"][:] = 0
    dataset.validation.y[:] = 1
    with pytest.raises(SpecError, match=f"it has no score on the {rows} validation rows"):
        measured(ChooseSpec(lost=1.0), dataset, teacher, "roc_auc")


def test_answers_that_are_the_labels_have_no_score(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"))
    own = spec.dataset.model_copy(update={"answer_columns": ("p_no", "p_yes")})
    teacher = Choice(name="soft_labels", settings={"columns": ["p_no", "p_yes"]})
    lesson = Choice(name="hinton", settings={"alpha": 1.0})
    spec = spec.model_copy(update={"dataset": own, "teacher": teacher, "objective": lesson})
    for goals, told in (({"lost": 1.0}, ["lost_to_answers"]), ({"score": 0.9}, [])):
        found = plan.check(spec.model_copy(update={"choose": ChooseSpec(**goals)}), "binary", 2)
        assert [p.code for p in found if p.severity == "error"] == told


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_run_reaches_for_the_teachers_score_on_validation(tmp_path, task):
    events = []
    found = carry_out(choosing(tmp_path, SMALL, LINE, task=task, lost=50.0), tmp_path / "a", events.append)
    choice, metric = found["choice"], found["metric"]["name"]
    teacher = next(e["metrics"] for e in events if e["kind"] == "teacher")[metric]  # of validation rows
    assert choice["goals"] == {"bytes": None, "microseconds": None, "score": None, "lost": 50.0}
    assert choice["against"] == {
        "score": pytest.approx(teacher),
        "least": pytest.approx(least(50.0, metric, teacher)),
        "percent": task == "regression",
        "unseen": True,
    }
    assert choice["rule"] == "smallest_reaching" and choice["missed"] == []
    told = read_choice(found, read_outcome(found))
    assert told.goals == ChooseSpec(lost=50.0) and told.least == choice["against"]["least"]
