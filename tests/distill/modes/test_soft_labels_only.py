"""Labels are not heard, and several teachers stand beside each one alone."""

from dataclasses import replace

import numpy as np
import pytest

from kd_core.distill import MODES
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.distill.modes.soft_labels_only import SoftLabelsOnlySpec
from kd_core.runs.cells import modes, singles
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.view import mode_words
from kd_core.specs import Choice
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher
from tests.runs.tables import small_spec, write_table

MODE = MODES.get("soft_labels_only")
BOTH = [{"name": "gradient_boosting", "settings": {"rounds": 9}}, {"name": "random_forest", "settings": {"trees": 9}}]


def asking(path, task="binary", **settings):
    mode = {"mode": Choice(name="soft_labels_only", settings=settings)}
    return small_spec(path, task).model_copy(update=mode)


def of_both(spec):
    return spec.model_copy(update={"teacher": Choice(name="ensemble", settings={"members": BOTH})})


def lesson_of(**members):
    data = make_dataset("binary")
    whole = Choice(name="hinton", settings={"alpha": 1.0})
    return Lesson(data, STUDENT, whole, teacher(data), TRAINING, members=members)


def test_labels_have_no_share_whatever_the_lesson(tmp_path):
    asked = asking(tmp_path / "a.csv")
    assert modes.carried_out(asked).objective.settings["alpha"] == 1.0
    settings = {"hard": 0.4, "terms": [{"name": "hinton", "weight": 0.5}, {"name": "mse", "weight": 0.1}]}
    several = asked.model_copy(update={"objective": Choice(name="several", settings=settings)})
    found = modes.carried_out(several).objective.settings
    assert found["hard"] == 0 and found["terms"] == settings["terms"]
    whole = asked.model_copy(update={"objective": Choice(name="simkd")})
    assert modes.carried_out(whole) == whole
    assert modes.carried_out(modes.carried_out(asked)) == modes.carried_out(asked)


def test_the_student_does_not_hear_labels():
    lesson = lesson_of()
    data = lesson.dataset
    turned = replace(data.parts["train"], y=1 - data.train.y)
    other = replace(data, parts={**data.parts, "train": turned})
    pair = [MODE.make(SoftLabelsOnlySpec(), replace(lesson, dataset=d), Way(3)).student for d in (data, other)]
    assert same(*pair)


def test_beside_it_each_teacher_is_heard_alone_from_the_same_start():
    lesson = lesson_of()
    other = lesson.answers[::-1].copy()
    lesson = replace(lesson, members={"1 a": lesson.answers, "2 b": other})
    met = MODE.make(SoftLabelsOnlySpec(), lesson, Way(3))
    assert [h.name for h in met.helpers] == ["taught by 1 a", "taught by 2 b"]
    assert met.helpers[0].score == met.student.trained.score_selected  # the same answers give the same student
    assert met.helpers[1].score == taught(replace(lesson, answers=other), Way(3)).trained.score_selected
    assert MODE.make(SoftLabelsOnlySpec(singles=False), lesson, Way(3)).helpers == ()


def test_how_long_it_takes_counts_the_students_of_one_teacher(tmp_path):
    one = asking(tmp_path / "a.csv")
    assert modes.longer(one) == 1 and modes.longer(of_both(one)) == 2
    assert modes.longer(of_both(asking(tmp_path / "a.csv", singles=False))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", pytest.param("regression", marks=pytest.mark.slow)])
def test_a_run_says_whether_several_teachers_are_better_than_the_best_one(tmp_path, task):
    spec = of_both(asking(write_table(tmp_path / "a.csv", task), task))
    if task == "regression":
        spec = spec.model_copy(update={"objective": objective_for(task)})
    found, _ = run_here(spec, tmp_path / "run", lambda e: None, StopSignal())
    (told,) = found["mode"]["singles"]
    trained = found["students"][0]["selection"]["student"]
    of_one = {n: np.mean([h["score"] for one in trained for h in one["helpers"] if h["name"] == n]) for n in
              ("taught by 1 gradient_boosting", "taught by 2 random_forest")}  # fmt: skip
    better = max if task == "binary" else min
    assert told["best"] == better(of_one, key=of_one.get)
    assert told["score_of_best"] == pytest.approx(of_one[told["best"]])
    assert told["score"] == pytest.approx(np.mean([one["score_selected"] for one in trained]))
    sign = 1 if task == "binary" else -1
    assert told["gain"]["mean"] == pytest.approx(sign * (told["score"] - told["score_of_best"]), abs=1e-6)
    assert mode_words.SINGLES[told["word"]] in mode_words.lines(found)[-1]


@pytest.mark.slow
def test_one_teacher_has_nobody_beside_it(tmp_path):
    spec = asking(write_table(tmp_path / "a.csv"))
    found, _ = run_here(spec, tmp_path / "run", lambda e: None, StopSignal())
    assert "singles" not in found["mode"] and not found["students"][0]["selection"]["student"][0].get("helpers")


def test_what_each_answers_is_asked_for_only_where_it_is_heard(tmp_path):
    spec = of_both(asking(tmp_path / "a.csv"))
    assert len(singles.wanted(spec)) == 2
    assert singles.wanted(of_both(asking(tmp_path / "a.csv", singles=False))) == ()
    assert singles.wanted(spec.model_copy(update={"mode": Choice(name="offline")})) == ()


@pytest.mark.parametrize(("word", "said"), [("beats", "beats the best"), ("hurts", "is worse"), ("ties", "as good as")])
def test_the_sentence_follows_the_word(word, said):
    one = {"student": "s", "best": "taught by 1 a", "score": 0.9, "score_of_best": 0.8, "word": word}
    line = mode_words.single({**one, "gain": {"mean": 0.1, "ci95": [0.05, 0.15], "n": 3}}, "accuracy")
    assert said in line and "[+0.05, +0.15]" in line and "taught by 1 a" in line
    assert "[" not in mode_words.single({**one, "gain": {"mean": 0.1, "ci95": [None, None], "n": 1}}, "accuracy")
