"""A mode is one file: added to a copy of the engine it is listed, offered with its settings, obeys the laws and trains in a run."""

from __future__ import annotations

import json

import pytest

from tests.additions.test_one_file import added, form_of, nothing_else_changed, obeys, run, table

MODE = '''"""The student learns from the teacher as if it were less sure."""

from dataclasses import replace

from pydantic import Field

from kd_core.distill.meeting import MODES, Met, taught
from kd_core.specs import Spec, unit


class MeekSpec(Spec):
    """One setting."""

    share: float = Field(0.5, gt=0, le=1, description="What is left of the logits.", json_schema_extra=unit("share"))


@MODES.register(
    "dummy_meek",
    title="A meek teacher",
    spec=MeekSpec,
    source="Me 2000",
    about="The student learns from the teacher as if it were less sure of everything that it says.",
    apart=True,
)
def dummy_meek(spec, lesson, way):
    """Train a student on smaller logits."""
    return Met(taught(replace(lesson, answers=lesson.answers * spec.share), way))
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = added(tmp_path_factory.mktemp("copy"), "kd_core/distill/modes/dummy_meek.py", MODE)
    table(place)
    return place


@pytest.mark.slow
def test_it_is_listed_offered_and_obeys_the_laws(place):
    assert "dummy_meek           A meek teacher  [Me 2000]" in run(place, "kd_core", "list", "modes")
    assert "Share" in form_of(place, "kd_core.distill", "MODES", "dummy_meek")
    obeys(place, "tests/distill/modes/test_laws.py", "dummy_meek")


@pytest.mark.slow
def test_it_trains_in_a_run_that_says_so(place):
    told = [
        "--target",
        "target",
        "--student",
        "tiny",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--folds",
        "2",
        "--no-references",
    ]
    asked = ["kd_core", "distill", "a.csv", *told, "--mode", "dummy_meek", "--set", "mode.share=0.25", "--out", "out"]
    assert "Mode: A meek teacher (dummy_meek)." in run(place, *asked)
    mode = json.loads((place / "out" / "result.json").read_text())["mode"]
    assert mode == {"name": "dummy_meek", "title": "A meek teacher", "settings": {"share": 0.25}, "times": 1.0}
    nothing_else_changed(place)
