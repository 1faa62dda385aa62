"""A student that is its own baseline: nothing is told of a gain, wherever a result is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kd_core.reports import charts, tables
from kd_core.runs.outcome import read_outcome
from kd_core.runs.settings.untaught import own_baseline
from kd_core.runs.store.rows import headline
from kd_core.runs.view import report
from tests.pages.sweeps import NO_TEACHER_HELPS, sweep_result, sweep_spec

KEPT = sorted(p for p in (Path(__file__).parents[1] / "kept").glob("*/result.json"))


def found(name=NO_TEACHER_HELPS, **more):
    return sweep_result(sweep_spec(name=name, **more), "binary")


def test_it_is_told_by_its_lesson_and_by_equal_scores():
    one = found()["students"][0]
    assert own_baseline(one) and not own_baseline({**one, "alpha": 0.5})
    other = json.loads(json.dumps(one))
    other["baseline"]["metrics"]["roc_auc"]["values"][0] += 0.01
    assert not own_baseline(other)


@pytest.mark.parametrize("path", KEPT, ids=lambda p: p.parent.name)
def test_older_results_have_none(path):
    students = read_outcome(json.loads(path.read_text())).students
    assert [s.word for s in students] == [s.verdict for s in students]


def test_its_word_is_not_its_verdict_and_it_has_no_gain():
    one = read_outcome(found()).students[0]
    assert (one.word, one.verdict, one.alone, one.judged("roc_auc")) == ("untaught", "inconclusive", True, None)
    assert one.own_versus_teacher is one.versus_teacher
    ordinary = {k: v for k, v in found().items() if k != "sweep"}
    assert read_outcome(ordinary).students[0].word == "no_teacher"
    taught = read_outcome(found("many")).students[0]
    assert taught.word == taught.verdict and taught.judged("roc_auc") is not None


def test_the_list_of_runs_has_no_gain_of_it():
    told = headline(found())
    assert (told.verdict, told.gain, told.gain_low, told.alone) == ("untaught", None, None, True)
    assert told.versus is not None


def test_the_terminal_says_what_was_found_and_tells_no_gain():
    lines = report.verdict_lines(found())
    said = "\n".join(lines)
    assert "BEST WITHOUT A TEACHER: on validation no cell with a teacher did better than none (alpha 0)" in said
    assert "What would settle it" not in said and "over the same student alone" not in said and "no gap" not in said
    assert "Against the teacher, alone:" in said


def test_the_report_has_one_arm_less():
    outcome = read_outcome(found())
    table = str(tables.metrics(outcome, outcome.students[0]))
    assert "Baseline" in table and "<th>Student" not in table and "[" not in table.split("</thead>")[-1]
    assert "over its baseline" not in str(charts.gains(outcome, outcome.students[0]))
    assert "the baseline itself" in str(tables.cells(outcome))
