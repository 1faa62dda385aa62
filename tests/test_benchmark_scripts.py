"""Benchmarks run by hand and seldom: that each can begin at all is looked at here."""

import importlib
from pathlib import Path

import pytest

from benchmarks.method_cases import CASES
from benchmarks.method_modes import MODES as ASKED
from benchmarks.method_modes import SETS
from kd_core.distill.meeting import MODES
from kd_core.models import ARCHS
from kd_core.teachers import SOURCES

SCRIPTS = sorted(p.stem for p in (Path(__file__).parent.parent / "benchmarks").glob("*.py") if p.stem != "__init__")


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_it_imports_is_there(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


@pytest.mark.parametrize("name", CASES)
def test_the_pair_of_a_case_has_settings_that_are_known(name):
    case = CASES[name]
    SOURCES.get(case.teacher.name).spec.parse(case.teacher.settings)
    ARCHS.get(case.student.name).spec.parse(case.student.settings)


@pytest.mark.parametrize("name", SETS)
def test_the_modes_of_a_set_have_settings_that_are_known(name):
    _, teacher, network, student, modes = SETS[name]
    for one in (teacher, network):
        SOURCES.get(one.name).spec.parse(one.settings)
    ARCHS.get(student.name).spec.parse(student.settings)
    for mode in modes:
        MODES.get(ASKED[mode].name).spec.parse(ASKED[mode].settings)
