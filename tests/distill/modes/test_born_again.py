"""Generations of one kind of student, and the answers that each leaves to the next."""

from dataclasses import replace

import numpy as np
import pytest

from kd_core.distill import MODES
from kd_core.distill.beside.held_out import answers_of, without
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.errors import Stopped
from kd_core.seeding import derive
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.training.predict import predict
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher

BORN = MODES.get("born_again")


def lesson_of(task="binary"):
    data = make_dataset(task)
    return Lesson(data, STUDENT, objective_for(task), teacher(data), TRAINING)


def born(lesson, seed=3, **settings):
    return BORN.make(BORN.spec(**{"longer_baseline": False, **settings}), lesson, Way(seed))


def test_each_generation_learns_from_the_answers_of_the_one_before():
    lesson = lesson_of()
    rows = lesson.dataset.view().parts["train"]
    zero = taught(lesson, Way(derive(3, "generation", 0)), alone=True)
    first = replace(lesson, answers=predict(zero.module, rows, Way(3).device))
    assert same(born(lesson).student, taught(first, Way(3)))
    one = taught(first, Way(derive(3, "generation", 1)))
    second = replace(lesson, answers=predict(one.module, rows, Way(3).device))
    found = born(lesson, generations=2)
    assert same(found.student, taught(second, Way(3)))
    assert [(h.name, h.score) for h in found.helpers] == [
        ("generation 0", zero.trained.score_selected),
        ("generation 1", one.trained.score_selected),
    ]
    assert found.helpers[0].seconds > 0


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_teacher_is_not_listened_to(task):
    lesson = lesson_of(task)
    assert same(born(lesson).student, born(replace(lesson, answers=lesson.answers + 5.0)).student)


def test_with_folds_a_row_is_answered_by_one_that_never_saw_it():
    lesson, seed = lesson_of(), 8
    whole = taught(lesson, Way(seed), alone=True)
    found, seconds = answers_of(whole, lesson, Way(seed), 3, alone=True)
    train = lesson.dataset.train
    fold_N = deal_folds(train.y, train.groups, 3, seed)
    assert np.isfinite(found).all() and seconds > 0
    for k in range(3):
        rest, x_held = without(lesson.dataset, STUDENT.arch, fold_N == k)
        assert len(rest.train) == int((fold_N != k).sum()) and len(x_held) == int((fold_N == k).sum())
        one = taught(replace(lesson, dataset=rest), Way(seed), alone=True)
        assert np.array_equal(predict(one.module, x_held, Way(seed).device), found[fold_N == k])
    # a label that changes changes the answers to other rows only
    flipped = train.y.copy()
    flipped[0] = 1 - flipped[0]
    own = replace(lesson.dataset, parts={**lesson.dataset.parts, "train": replace(train, y=flipped)})
    again, _ = answers_of(whole, replace(lesson, dataset=own), Way(seed), 3, alone=True)
    same_deal = np.array_equal(deal_folds(flipped, None, 3, seed), fold_N)
    assert not same_deal or np.array_equal(again[fold_N == fold_N[0]], found[fold_N == fold_N[0]])
    inside, nothing = answers_of(whole, lesson, Way(seed), 1, alone=True)
    assert nothing == 0 and not np.array_equal(inside, found)


def test_more_folds_are_more_trainings_and_another_student():
    lesson = lesson_of()
    assert BORN.facts["times"](BORN.spec(generations=2)) == 3
    assert BORN.facts["times"](BORN.spec(generations=2, folds=3)) == 9
    assert not same(born(lesson).student, born(lesson, folds=2).student)


def test_a_generation_that_was_stopped_teaches_nobody():
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 12  # after the first epoch of generation 0

    lesson = lesson_of()
    with pytest.raises(Stopped):
        BORN.make(BORN.spec(), lesson, replace(Way(3), should_stop=stop))


@pytest.mark.slow
def test_the_longer_baseline_has_the_epochs_of_all_generations_and_changes_nothing_else():
    lesson, told = lesson_of(), []
    met = BORN.make(BORN.spec(generations=2), lesson, Way(3, notify=told.append))
    longer = replace(lesson, training=TRAINING.model_copy(update={"epochs": 9}))
    alone = taught(longer, Way(3), alone=True).trained
    assert (met.helpers[-1].name, met.helpers[-1].score) == ("baseline with 9 epochs", alone.score_selected)
    assert max(e["epoch"] for e in told if e.get("helper") == "longer baseline") == alone.last_epoch
    assert same(met.student, born(lesson, generations=2).student)
    by_itself = replace(lesson, training=TRAINING.model_copy(update={"epochs": None, "patience": 1}))
    assert len(BORN.make(BORN.spec(), by_itself, Way(3)).helpers) == 1
    assert BORN.facts["again"](BORN.spec(generations=2)) == 3 and not BORN.facts["again"](
        BORN.spec(longer_baseline=False)
    )
