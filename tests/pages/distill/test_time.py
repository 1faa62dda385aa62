"""The time told before Start, and what bounds it."""

from __future__ import annotations

from dataclasses import replace

from kd_core.evaluate.intervals.advice import MOST_SEEDS
from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from kd_core.scenarios.cards import card as kept
from kd_core.specs import Choice
from kd_core.workspace import samples
from pages.ui.runs import launch
from pages.ui.shared.facts import Facts


def test_what_bounds_a_network_teachers_epochs_is_said_where_it_takes_most_of_the_time():
    spec = default_spec("purchase")
    works = tuple(estimate.Work(kind, 0.0, seconds) for kind, seconds in (("teacher:mlp", 100.0), ("training:x", 90.0)))
    found = estimate.Estimate(6, works, 0)

    def said(teacher, works=works):
        asked = spec.model_copy(update={"teacher": teacher})
        return str(launch.cost(asked, replace(found, works=works)))

    words = "its epochs are its own: fewer, under its settings, take less"
    assert words in said(Choice(name="mlp")) and words not in said(Choice(name="gradient_boosting"))
    assert words not in said(Choice(name="mlp", settings={"epochs": 12}))
    assert words not in said(Choice(name="mlp"), (*works, estimate.Work("evaluate", 0.0, 20.0)))


def test_seeds_that_may_be_added_are_told_with_their_trainings_and_time():
    spec, found = default_spec("purchase"), kept.read("purchase", samples())
    facts = Facts(found.rows, found.columns, found.inputs, found.outputs, (), found.task)
    begins = launch.foresee(spec, facts)
    longest = launch.most(spec, facts, begins)
    assert spec.training.seeds is None and longest[1] > begins.seconds
    assert longest[0] * spec.training.seeds_at_first == begins.trainings * MOST_SEEDS
    said = str(launch.cost(spec, begins, longest))
    assert f"up to **{longest[0]} trainings**" in said and "up to" not in str(launch.cost(spec, begins))
    fixed = spec.model_copy(update={"training": spec.training.model_copy(update={"seeds": 5})})
    assert launch.most(fixed, facts, begins) is None
