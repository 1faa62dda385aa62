"""The time of making a student smaller is told by what is trained, and how long that goes on."""

from __future__ import annotations

import pytest

from kd_core.runs.compressing import foreseen
from kd_core.runs.compressing.foreseen import FIRST_EPOCHS, STEP_SECONDS, TIMED_SECONDS, Lesson
from kd_core.runs.compressing.tree import tree_of
from kd_core.specs import Choice
from kd_core.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=60, batch_size=128, patience=12, rounds=6)


def steps(*names, **settings):
    return [Choice(name=name, settings=settings.get(name, {})) for name in names]


def test_learning_again_ends_when_its_patience_does_and_a_schedule_runs_to_its_end():
    lesson = Lesson(PLAN, 0.1)
    assert lesson.seconds(0.5, ends=True) == pytest.approx(0.1 * (FIRST_EPOCHS + 12))
    assert lesson.seconds(0.5, ends=False) == pytest.approx(0.1 * 30)
    assert lesson.seconds(0.1, ends=True) == pytest.approx(0.1 * 6)  # fewer than patience asks for are all trained


def test_stages_that_do_not_learn_cost_next_to_nothing_and_those_that_do_as_long_as_they_learn():
    lesson, rounding = Lesson(PLAN, 0.1), tree_of([steps("int8")])
    assert foreseen.seconds(rounding, 10, lesson, False) == pytest.approx(10 * STEP_SECONDS)
    assert STEP_SECONDS <= 0.1  # measured: 0.02 to 0.09 s
    chain = tree_of([steps("prune_structured", "distill", "int8")])
    again = 3 * STEP_SECONDS + lesson.seconds(0.5, ends=True)
    assert foreseen.seconds(chain, 10, lesson, False) == pytest.approx(10 * again)
    assert foreseen.seconds(chain, 10, lesson, True) == pytest.approx(10 * again + 4 * TIMED_SECONDS)
    learned = tree_of([steps("qat")])
    share = learned.nodes[1].step.settings["epochs"]
    assert lesson.seconds(share, ends=False) > lesson.seconds(share, ends=True)
    assert foreseen.seconds(learned, 1, lesson, False) == pytest.approx(
        STEP_SECONDS + lesson.seconds(share, ends=False)
    )
