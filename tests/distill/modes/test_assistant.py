"""The assistant between teacher and students: its size, whom it learns from, and which rows it answers."""

from dataclasses import replace

import numpy as np
import pytest

from kd_core.distill import MODES
from kd_core.distill.beside.held_out import without
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.distill.modes import assistant as module
from kd_core.errors import SpecError, Stopped
from kd_core.models.sizes import sizes_for
from kd_core.seeding import derive
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.training.predict import predict
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher

SPEC = MODES.get("assistant").spec


def lesson_of(task="binary", student=STUDENT):
    data = make_dataset(task)
    return Lesson(data, student, objective_for(task), teacher(data), TRAINING)


@pytest.mark.parametrize(
    ("teacher_parameters", "size"), [(None, "small"), (10_000, "small"), (10**7, "base"), (10**12, "large")]
)
def test_its_size_lies_between_student_and_teacher(teacher_parameters, size):
    found = module.assistant_of(SPEC(), lesson_of(), teacher_parameters)
    assert found.arch.settings == {"size": size, "dropout": 0.2} and found.name == f"assistant mlp {size}"
    named = module.assistant_of(SPEC(size="large", network="resmlp"), lesson_of(), teacher_parameters)
    assert (named.arch.name, named.arch.settings) == ("resmlp", {"size": "large"})


def test_none_larger_than_the_student_is_refused_with_the_numbers():
    large = StudentSpec(name="big", arch=Choice(name="mlp", settings={"size": "large"}))
    with pytest.raises(
        SpecError, match=r"No assistant is larger than the student 'big' \([\d,]+ weights\): mlp tiny has"
    ):
        module.assistant_of(SPEC(), lesson_of(student=large), None)
    with pytest.raises(SpecError, match="mlp tiny has"):
        module.assistant_of(SPEC(size="tiny"), lesson_of(), None)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_rows_are_answered_by_an_assistant_that_learned_from_the_teacher_and_never_saw_them(task):
    lesson, seed = lesson_of(task), 5
    link = module.chain(SPEC(), lesson, Way(seed), 2, None)
    own = replace(lesson, student=link.who)
    train = lesson.dataset.train
    fold_N = deal_folds(train.y, train.groups, 2, seed)  # the teacher's own folds
    for k in range(2):
        rest, x_held = without(lesson.dataset, link.who.arch, fold_N == k)
        one = taught(replace(own, dataset=rest, answers=lesson.answers[fold_N != k]), Way(seed))
        assert np.array_equal(predict(one.module, x_held, Way(seed).device), link.answers[fold_N == k])
    whole = taught(own, Way(derive(seed, "assistant")))
    assert same(whole, link.student) and link.folds == 2 and link.seconds > link.student.trained.seconds
    assert sizes_for(lesson.dataset, link.who.arch).parameters > sizes_for(lesson.dataset, STUDENT.arch).parameters
    inside = module.chain(SPEC(), lesson, Way(seed), 1, None)
    assert np.array_equal(inside.answers, predict(whole.module, lesson.dataset.view().parts["train"], Way(seed).device))


def test_another_teacher_makes_another_assistant():
    lesson = lesson_of()
    told = [
        module.chain(SPEC(), one, Way(1), 2, None).answers for one in (lesson, replace(lesson, answers=-lesson.answers))
    ]
    assert not np.allclose(*told)


def test_one_that_was_stopped_teaches_nobody():
    with pytest.raises(Stopped):
        asked = []
        module.chain(
            SPEC(), lesson_of(), replace(Way(1), should_stop=lambda: asked.append(1) or len(asked) > 12), 2, None
        )
