"""Methods compared in a what-if: chosen on the form, laid out as students, and shown again by a clone."""

from __future__ import annotations

import pytest

from kd_core.distill import LOSSES
from kd_core.distill.terms import hears_inside
from kd_core.runs.cells import grid
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from pages.ui.shared import engine
from tests.pages.screen import jobs, open_page  # noqa: F401

KEY = "whatif.compared"


@pytest.fixture
def at(jobs):  # noqa: F811
    """The What-if form on a sample of several classes."""
    dataset = engine.library().save_spec(default_spec("recommendation").dataset)
    made = open_page("what_if", data=dataset)
    assert not made.exception
    return made


def start(at, jobs):  # noqa: F811
    at.button(key="whatif-start").click().run()
    assert not at.exception
    return jobs.submitted[-1][0]


def test_each_method_becomes_a_student_with_one_baseline(at, jobs):  # noqa: F811
    box = at.multiselect(key=KEY)
    assert LOSSES.get("dkd").title in box.options and LOSSES.get("hinton").title not in box.options
    inside = [e.title for e in LOSSES.entries() if hears_inside(Choice(name=e.name))]
    assert inside and not set(inside) & set(box.options)
    at.multiselect(key=KEY).set_value(["dkd", "mse"]).run()
    spec = start(at, jobs)
    first = spec.students[0].name.removesuffix(" hinton")
    assert [(s.name, s.objective) for s in spec.students] == [(f"{first} {n}", n) for n in ("hinton", "dkd", "mse")]
    alone = [t for t in grid.trainings(spec) if t.arm == "baseline"]
    assert len(alone) == spec.training.seeds


def test_a_draft_keeps_them_and_without_others_students_stay_plain(at, jobs):  # noqa: F811
    at.multiselect(key=KEY).set_value(["dkd"]).run()
    again = open_page("what_if", data=at.query_params.get("data"))
    assert not again.exception and again.multiselect(key=KEY).value == ["dkd"]
    again.multiselect(key=KEY).set_value([]).run()
    spec = start(again, jobs)
    assert [s.objective for s in spec.students] == [None]
