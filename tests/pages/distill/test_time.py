"""The time told before Start, and what bounds it."""

from __future__ import annotations

from dataclasses import replace

from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from pages.ui.runs import launch


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
