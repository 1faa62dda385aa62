"""A network of in-between size between a teacher and a student that say which item comes next."""

from __future__ import annotations

import numpy as np
import pytest

from kd_core.specs import Choice
from tests.runs.items.test_next_item_run import events as events
from tests.runs.items.test_next_item_run import spec_of
from tests.runs.test_experiment import carry_out


@pytest.mark.slow
def test_students_learn_from_an_assistants_answers_in_the_short_form(events, tmp_path):
    """The same student learns something else than from the teacher itself, and the assistant is told with its own score."""
    asked = spec_of(events, mode=Choice(name="assistant", settings={"size": "small"}))
    found = carry_out(asked, tmp_path / "run")
    plain = carry_out(asked.model_copy(update={"mode": Choice(name="offline")}), tmp_path / "plain")
    (student,), (other,) = found["students"], plain["students"]
    link = found["mode"]["chain"]
    assert link["arch"] == {"name": "gru", "settings": {"size": "small"}}, link
    assert student["metrics"] != other["metrics"] and student["baseline"]["metrics"] == other["baseline"]["metrics"]
    assert all(np.isfinite(value["mean"]) for value in student["metrics"].values())
