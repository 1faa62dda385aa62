"""A step of compression is one file: added to a copy of the engine it is listed, has a form, obeys the laws and makes a student smaller."""

from __future__ import annotations

import json

import pytest

from tests.additions.test_one_file import added, form_of, nothing_else_changed, obeys, run, table

STEP = '''"""Every weight keeps its sign and loses some of its size."""

import copy

import torch
from pydantic import Field

from kd_core.compress.base import STEPS
from kd_core.specs import Spec, unit


class ShyerSpec(Spec):
    """One setting."""

    part: float = Field(0.9, gt=0, le=1, description="What is left of each weight.", json_schema_extra=unit("share"))


def suits(stage, inputs):
    return None if list(stage.module.parameters()) else "has no weights that could be smaller"


@STEPS.register("dummy_shyer", title="Shyer weights", spec=ShyerSpec, source="Me 2001", changes="network", suits=suits, learns=False, usual={})
def dummy_shyer(spec, stage, work):
    """Make all weights smaller."""
    module = copy.deepcopy(stage.module)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(spec.part)
    return stage.after("dummy_shyer", module=module, part=spec.part)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = added(tmp_path_factory.mktemp("copy"), "kd_core/compress/steps/dummy_shyer.py", STEP)
    table(place)
    return place


@pytest.mark.slow
def test_it_is_listed_offered_and_obeys_the_laws(place):
    assert "dummy_shyer          Shyer weights  [Me 2001]" in run(place, "kd_core", "list", "steps")
    assert "Part" in form_of(place, "kd_core.compress.steps", "STEPS", "dummy_shyer")
    obeys(place, "tests/laws/test_steps.py", "dummy_shyer")


@pytest.mark.slow
def test_it_is_a_stage_that_can_be_asked(place):
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
        "--out",
        "first",
    ]
    run(place, "kd_core", "distill", "a.csv", *told)
    said = run(
        place, "kd_core", "compress", "first", "--step", "dummy_shyer=0.5", "--step", "distill", "--out", "second"
    )
    assert "dummy-shyer" in said
    stages = json.loads((place / "second" / "result.json").read_text())["compressed"]["stages"]
    assert [s["name"] for s in stages] == ["student", "dummy-shyer", "dummy-shyer-again"]
    assert stages[1]["told"] == {"name": "dummy_shyer", "part": 0.5} and stages[1]["reason"] is None
    run(place, "kd_core", "predict", "second", "a.csv", "--student", "dummy-shyer", "--out", "said.csv")
    nothing_else_changed(place)
