"""Every scenario: a table that can be made again, and a default run that fits it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.data.pictures.column import shape_of
from kd_core.data.preparation import profile_source
from kd_core.data.views import foreseen
from kd_core.runs import plan
from kd_core.scenarios import AREAS, SCENARIOS, default_spec
from kd_core.scenarios.base import smoke
from kd_core.scenarios.samples import write_sample
from kd_core.specs import ReadSpec
from kd_core.task import kind_of
from kd_core.workspace import samples

NAMES = SCENARIOS.names()
GUESSED = ("binary", "multiclass", "regression", "multilabel")  # tasks that a target shows by itself


def understood(spec):
    """Look at a scenario's file with what its run says of it."""
    said = {"more_targets": spec.more_targets, "group": spec.group, "time": spec.time, "kinds": spec.kinds}
    task = None if spec.task in GUESSED else spec.task
    return profile_source(spec.source, ReadSpec(), target=spec.target, task=task, **said)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_table(name):
    make = SCENARIOS.get(name).make
    one, two = (make(np.random.default_rng(1), 300) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    facts = SCENARIOS.get(name).facts
    targets = [facts["target"], *facts.get("dataset", {}).get("more_targets", ())]
    assert list(one.columns[-len(targets) :]) == targets


def test_every_scenario_has_an_area_a_question_and_twelve_there_are():
    assert len(NAMES) >= 12
    for entry in SCENARIOS.entries():
        assert entry.facts["tags"][0] in AREAS and len(entry.facts["story"].split()) >= 4, entry.name
    assert {entry.facts["tags"][0] for entry in SCENARIOS.entries()} == set(AREAS)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_file_is_what_the_generator_makes(name):
    facts = SCENARIOS.get(name).facts
    (path,) = [p for p in samples().glob(f"{facts['sample']}.*") if p.name.split(".")[0] == facts["sample"]]
    frame, made = read_table(path).frame, SCENARIOS.get(name).make(np.random.default_rng(0), 50)
    assert len(frame) == facts["rows"] and path.stat().st_size < 2 * 2**20
    assert list(frame.columns) == list(made.columns)
    assert [shape_of(frame[n]) for n in frame.columns] == [shape_of(made[n]) for n in made.columns]


@pytest.mark.parametrize("name", NAMES)
def test_a_small_sample_is_written_as_the_shipped_one(name, tmp_path, monkeypatch):
    one, two = (
        write_sample(name, tmp_path / folder, rows=60) for folder in ("a", "b") if not (tmp_path / folder).mkdir()
    )
    assert one.name == two.name and one.read_bytes() == two.read_bytes()
    monkeypatch.setenv("KD_SAMPLES", str(tmp_path / "a"))
    assert len(read_table(DataLibrary(tmp_path).resolve(default_spec(name).dataset.source)).frame) == 60


@pytest.mark.parametrize("name", NAMES)
def test_a_hasty_run_is_of_the_same_kind(name, monkeypatch):
    monkeypatch.setenv("KD_SMOKE", "1")
    short = default_spec(name)
    monkeypatch.delenv("KD_SMOKE")
    usual = default_spec(name)
    assert short == smoke(usual) and (short.training.epochs, short.training.seeds) == (3, 2)
    assert (short.dataset, short.teacher.name, short.students) == (
        usual.dataset,
        usual.teacher.name,
        usual.students[:1],
    )
    found = understood(short.dataset)
    assert not plan.check(short, found.task, len(found.classes), foreseen(found)) or short.training.seeds < 3


@pytest.mark.parametrize("name", NAMES)
def test_the_default_run_has_no_problem_and_the_data_no_warning(name):
    spec, facts = default_spec(name), SCENARIOS.get(name).facts
    found = understood(spec.dataset)
    assert kind_of(found.task) == facts["task"]
    assert not plan.check(spec, found.task, len(found.classes), foreseen(found))
    assert not [p.message for p in found.problems if p.severity == "error"]
    assert not [p.message for p in found.problems if p.severity == "warning" and "leak" in p.code]
