"""The best of several teachers: who is chosen, by what, what it costs and what is said of who is lost."""

import sys

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.specs import Choice
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.sources import best
from tests.teachers.tables import dataset

TREES = ("random_forest", "gradient_boosting")


def chosen_by(**settings):
    return Choice(name="best", settings={"teachers": TREES, **settings})


def ask(data, teacher, cache=None, **more):
    return teacher_answers(
        data, teacher, **{"folds": 2, "seed": 0, "cache": cache, "notify": print, "should_stop": lambda: False, **more}
    )


def codes(found):
    return [note["code"] for note in found.notes]


def test_the_trained_teachers_at_hand_and_their_average_are_tried_by_default():
    spec = best.BestSpec()
    assert spec.teachers == ("lightgbm", "gradient_boosting") and spec.average and spec.minutes == 5
    assert best.BestSpec(teachers=("linear", "mlp", "linear")).teachers == ("linear", "mlp")
    with pytest.raises(KDError, match="teachers"):
        best.BestSpec.parse({"teachers": []})


@pytest.mark.slow
@pytest.mark.parametrize(("task", "metric"), [("binary", "log_loss"), ("binary", None), ("regression", None)])
def test_validation_rows_choose_and_the_chosen_ones_answers_teach(task, metric, tmp_path):
    data, cache = dataset(task), TeacherCache(tmp_path)
    found = ask(data, chosen_by(), cache, metric=metric)
    candidates = {name: ask(data, Choice(name=name), cache) for name in TREES}
    candidates[best.AVERAGE] = ask(data, Choice(name="average", settings={"teachers": TREES}), cache)
    assert all(one.cached for name, one in candidates.items() if name in TREES)  # nothing is fitted twice
    metric = metric or {"binary": "roc_auc", "regression": "rmse"}[task]

    def score(z):
        y, scaling = data.validation.y, (data.target_mean, data.target_std)
        return METRICS.get(metric).make(from_logits(task, y, z, *scaling))

    scores = {name: score(one.logits["validation"]) for name, one in candidates.items()}
    assert found.details["scores"] == scores and found.details["metric"] == metric
    order = sorted(scores, key=scores.get, reverse=METRICS.get(metric).facts["better"] == "higher")
    assert found.details["chosen"] == order[0] and scores[order[0]] != scores[order[1]]
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(found.logits[split], candidates[order[0]].logits[split])
    assert found.fit_seconds == sum(candidates[name].fit_seconds for name in TREES)
    assert found.size_bytes == candidates[order[0]].size_bytes and found.folds == 2
    note = found.notes[0]
    titles = {"random_forest": "Random forest", "gradient_boosting": "Gradient boosting", best.AVERAGE: best.AVERAGE}
    said = f"Of 2 teachers and their average, the best on {len(data.validation)} validation rows teaches: {titles[order[0]]} ("
    assert note["message"].startswith(f"{said}{METRICS.get(metric).title}: ")
    assert all(f"{titles[name]} {value:.4g}" in note["message"] for name, value in scores.items())


@pytest.mark.slow
def test_without_the_average_a_single_one_is_chosen():
    found = ask(dataset("binary"), chosen_by(average=False))
    assert set(found.details["scores"]) == set(TREES) and codes(found) == ["best_teacher"]
    alone = ask(dataset("binary"), Choice(name="best", settings={"teachers": TREES[:1]}))
    assert alone.notes[0]["message"].startswith("Of 1 teacher, ")
    assert found.notes[0]["message"].startswith("Of 2 teachers, ")
    assert alone.details["chosen"] == TREES[0] and set(alone.details["scores"]) == {TREES[0]}


def test_the_metric_of_the_run_decides_and_is_part_of_the_key():
    keys = {cache_key("d", chosen_by(), 2, 0, metric=metric) for metric in (None, "log_loss", "accuracy")}
    assert len(keys) == 3
    assert len({cache_key("d", Choice(name="linear"), 2, 0, metric=m) for m in (None, "log_loss")}) == 1


@pytest.mark.slow
def test_who_had_not_begun_in_time_is_left_out_and_named(monkeypatch):
    clock = iter([0.0, 61.0, 62.0])
    monkeypatch.setattr(best, "monotonic", lambda: next(clock))
    found = ask(dataset("binary"), chosen_by(teachers=(*TREES, "linear"), minutes=1))
    assert found.details["left_out"] == ["gradient_boosting", "linear"] and found.details["chosen"] == "random_forest"
    (note,) = [n for n in found.notes if n["code"] == "teachers_left_out"]
    assert "the 1 minutes" in note["message"] and "Gradient boosting, Linear" in note["message"]


@pytest.mark.slow
def test_what_is_kept_of_a_member_is_not_trained_again(tmp_path):
    data, cache, events = dataset("binary"), TeacherCache(tmp_path), []
    ask(data, Choice(name="random_forest"), cache)
    ask(data, chosen_by(), cache, notify=events.append)
    assert sum(e["kind"] == "trained" for e in events) == 3  # of gradient boosting alone: all rows, and 2 folds


@pytest.mark.slow
def test_without_lightgbm_the_others_are_tried_and_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    found = ask(dataset("binary"), Choice(name="best"))
    assert found.details["chosen"] == "gradient_boosting" and found.details["failed"] == ["lightgbm"]
    (note,) = [n for n in found.notes if n["code"] == "teacher_failed"]
    assert (
        note["severity"] == "warning"
        and "The teacher LightGBM was left out: LightGBM can't be loaded" in note["message"]
    )
    assert "pip install" in note["hint"]
    with pytest.raises(KDError, match="LightGBM can't be loaded"):
        ask(dataset("binary"), Choice(name="best", settings={"teachers": ["lightgbm"]}))


def test_of_equal_scores_the_first_is_taken_and_an_undefined_metric_is_said():
    assert best._best({"a": 0.5, "b": None, "c": 0.5}, "roc_auc") == "a"
    assert best._best({"a": 0.5, "b": 0.4}, "rmse") == "b"
    with pytest.raises(KDError, match="The metric 'roc_auc' is undefined on the validation rows"):
        best._best({"a": None}, "roc_auc")


@pytest.mark.slow
def test_only_a_stop_ends_the_choice_early():
    from kd_core.errors import Stopped

    asked: list[int] = []
    with pytest.raises(Stopped):
        ask(dataset("binary"), chosen_by(), should_stop=lambda: len(asked) > 3 or bool(asked.append(1)))
