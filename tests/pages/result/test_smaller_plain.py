"""A smaller plain model that does as well is the one to take: on the card, in picture, table and chart, in the list and on the way out."""

from __future__ import annotations

import pytest

from kd_core.runs.outcome import read_outcome
from kd_core.runs.view.report import verdict_lines
from pages.ui.arms import scores, table
from pages.ui.result import result_tabs, verdict
from pages.ui.shared import text
from pages.ui.shared.text import plain, t
from pages.ui.words import decision, in_short
from tests.pages.results import result, with_smaller

LINE = {
    "level": "does as well",
    "behind": "is better",
    "unclear": "Not clear whether a smaller plain model does as well",
    "ahead": "falls behind",
}


def made(word, best="level", standing="level"):
    return with_smaller(result(plain=standing), word, best)


@pytest.mark.parametrize("word", ["level", "behind", "unclear"])
def test_it_is_the_decision_with_its_size_and_both_scores(word):
    found = made(word)
    assert "a linear model" in decision.of(found, 0) and "a linear model" in decision.instead(found, 0)
    said = plain(in_short.beside(found, 0))
    student = read_outcome(found).students[0]
    shown = [text.score(one.mean("roc_auc")) for one in (student.smaller.arm, student.own)]
    assert "a linear model of 400 B" in said and all(score in said for score in shown)
    assert ("take the smaller one" in said) == (word != "behind")


def test_one_that_falls_behind_is_told_and_not_taken():
    found = made("ahead")
    assert "a linear model" not in decision.of(found, 0) and "trees" in decision.of(found, 0)
    assert "trees" in in_short.beside(found, 0)


@pytest.mark.parametrize("word", list(LINE))
def test_page_and_report_say_how_the_student_stands_to_both(word):
    found = made(word)
    said = [plain(line) for line in verdict.judge(found, 0).plain]
    assert len(said) == 2 and LINE[word] in said[1] and "400 B" in said[1]
    told = [line for line in verdict_lines(found) if "plain model" in line and "without a teacher" in line]
    assert len(told) == 2 and LINE[word] in told[1] and "0.4 KB" in told[1]


def test_picture_and_table_show_the_one_to_take_and_the_chart_shows_both():
    found = made("level")
    student = read_outcome(found).students[0]
    student.smaller.arm.metrics["roc_auc"]["mean"] = 0.123
    (drawn,) = [one for one in scores.scores(found, 0) if one.arm == "plain"]
    frame = table.comparison_frame(found, 0)
    title = str(t("runs.arm.plain_smaller"))
    assert drawn.value == 0.123 and "0.123" in frame[title].iloc[0] and "400 B" in set(frame[title])
    assert str(t("runs.arm.plain_best")) not in frame
    assert str(t("runs.arm.plain_best")) in table.comparison_frame(made("ahead"), 0)
    labels = [point["label"] for point in result_tabs.size_points(found) if point["arm"] == "plain"]
    assert len(labels) == len(set(labels)) == 2
