"""Why a model is the one to take, where another one has the better score on the test rows."""

from __future__ import annotations

import pytest

from kd_core.runs.outcome import read_outcome
from pages.ui.data import row_card
from pages.ui.goals import budget
from pages.ui.goals.candidates import Candidate, Goals, words
from pages.ui.words import decision, in_short
from tests.pages.fixtures import result


def test_a_plain_model_that_scored_clearly_higher_but_not_surely_may_do_better():
    found = result(plain="unclear")
    one = found["students"][0]
    scores = one["reference"]["best"]["metrics"]["roc_auc"]
    for more, said, badge in ((0.5, "may do as well", "MAY DO AS WELL"), (1.5, "scored higher", "MAY DO BETTER")):
        scores["mean"] = one["metrics"]["roc_auc"]["mean"] + more * one["margin"]
        outcome = read_outcome(found)
        assert badge in str(decision.plain_word(outcome, outcome.students[0]))
        assert said in str(in_short.beside(found, 0))


@pytest.mark.parametrize(("taught", "alone", "said"), [(0.86, 0.85, True), (0.85, 0.86, False)])
def test_a_taught_student_below_the_one_trained_alone_is_told_to_be_chosen_on_validation(taught, alone, said):
    found = result(verdict="inconclusive", plain="ahead")
    one = found["students"][0]
    one["selection"] = {"student": [{"score_selected": taught}], "baseline": [{"score_selected": alone}]}
    assert in_short.chosen_on_validation(found, 0) is None  # on the test rows it is not below
    one["baseline"]["metrics"]["roc_auc"]["mean"] = one["metrics"]["roc_auc"]["mean"] + 0.003
    line = in_short.chosen_on_validation(found, 0)
    assert (line is not None) == said
    if line:
        assert "validation rows choose" in line and "0.860, alone 0.850" in line
        one["deployed"] = {**(one.get("deployed") or {}), "arm": "baseline"}
        assert in_short.chosen_on_validation(found, 0) is None


def test_what_may_be_lost_of_an_error_is_told_in_its_unit_and_in_the_percent_that_were_asked_for():
    found = result(task="regression")
    metric = found["metric"]["name"]
    theirs = found["teacher"]["metrics"][metric]
    line = str(budget.line(found, 0, Goals(metric, None, lost=0.05 * theirs)))
    assert "(5 %)" in line


def test_a_year_stands_without_a_comma():
    assert row_card._value(2018.0) == "2018" and row_card._value(12018.0) == "12,018"


def test_a_goal_that_is_missed_by_less_than_is_written_is_missed_by_a_hair():
    goals = Goals("roc_auc", 0.7908)
    for value, said in ((0.79079, "ROC-AUC by a hair (0.79079, asked 0.79080)"), (0.78, "ROC-AUC by 1.1 points")):
        assert said in str(words(Candidate("tiny", "tiny", value, {}), goals))
