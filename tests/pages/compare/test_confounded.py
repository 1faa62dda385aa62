"""Two things that changed at once are said to have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kd_core.specs import Choice
from pages.ui.compare import confounded
from tests.pages.compare.test_naming import entries
from tests.pages.fixtures import done_run


def lesson(temperature, alpha=0.9):
    return Choice(name="hinton", settings={"temperature": temperature, "alpha": alpha})


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ((("tiny",), 2.0), (("small",), 4.0), "differ in T and in the student"),
        ((("tiny",), 2.0), (("tiny",), 4.0), None),
        ((("tiny",), 2.0), (("small",), 2.0), None),
        ((("tiny", "small"), 2.0), (("small",), 4.0), None),
    ],
)
def test_it_is_said_where_lesson_and_student_change_together(first, second, said):
    runs = [done_run(students=students, objective=lesson(t)) for students, t in (first, second)]
    sized = [replace(e, settings={**e.settings, "student.settings.size": e.label}) for e in entries(*runs)]
    found = confounded.of(sized)
    assert (found is None) if said is None else said in str(found)


def test_where_the_data_differ_as_well_they_come_first():
    runs = [
        done_run(students=("tiny",), objective=lesson(2.0)),
        done_run(students=("small",), objective=lesson(4.0), dataset="orders"),
    ]
    sized = [replace(e, settings={**e.settings, "student.settings.size": e.label}) for e in entries(*runs)]
    assert str(confounded.of(sized)).startswith(
        "These runs learn from different data, and differ in T and in the student"
    )
