"""Soft labels draw a student: the page says where the result advises another model, and leads there."""

from __future__ import annotations

import html

import pytest

from pages.ui.result import verdict
from pages.ui.shared.text import t
from pages.ui.soft import advice
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def said(found, index=0):
    told = advice.otherwise(found, index)
    return None if told is None else str(told).replace("\u2060", "")


def test_nothing_is_said_of_the_student_that_is_the_one_to_take():
    assert said(result(verdict="beats")) is None and said(result(verdict="ties", plain="ahead")) is None


def test_where_a_plain_model_does_as_well_it_is_named():
    told = said(result(verdict="beats", plain="level"))
    assert told.startswith("Drawn is the tiny student, which is not what the result advises: Take the plain model (")


def test_where_the_teacher_hurt_the_one_trained_alone_is_named():
    assert "advises: Take the tiny model trained alone" in said(result(verdict="hurts", plain="ahead"))


def test_where_the_student_is_no_gain_the_teacher_is_named():
    found = result(plain="ahead", size_bytes=10**9)
    found["students"][0]["latency_ms"] = {}
    assert "Stay with the teacher" in said(found)


def test_another_student_than_the_best_is_told_apart():
    found = result(students=("tiny", "small"), plain="ahead")
    best = [said(found, at) for at in (0, 1)].index(None)
    other = said(found, 1 - best)
    assert f"Take the {('tiny', 'small')[best]} student" in other


def test_the_interval_beside_the_word_is_the_one_that_decides_it():
    found = result(students=("tiny", "small"), plain="ahead")
    found["students"][0]["gain"]["roc_auc"]["ci_family"] = [-0.0123, 0.0456]
    told = str(advice.verdict(found, 0)).replace("\u2060", "")
    assert "for both students together: −1.2 to +4.6" in told and "−1.2 to +4.6" in str(verdict.judge(found, 0).gain)


def test_of_a_student_that_was_made_smaller_the_word_is_that_of_the_student_before():
    found = result(plain="ahead")
    assert str(advice.verdict(found, 0)).startswith("Did distilling help? ")
    found["students"][0]["gain"]["roc_auc"]["ci_family"] = [-0.0123, 0.0456]  # of several, in the run it comes from
    told = str(advice.verdict(found | {"compressed": {"run": "first"}}, 0))
    assert told.startswith("Did distilling help, before this student was made smaller? ")
    assert "95 % for all students of the run it comes from" in told and "all 1" not in told
    assert verdict.judge(found, 0).family is None


def test_the_page_tells_it_in_one_line_with_the_way_to_the_result():
    run = done_run(verdict="hurts")
    at = open_page("soft_labels", run=run)
    assert not at.exception and "Drawn is the tiny student" in html.unescape(words(at))
    assert t("soft_labels.to_result") in [link.proto.label for link in at.get("page_link")]
    assert "Did distilling help? **hurt**" in words(at)
    at = open_page("soft_labels", run=done_run(verdict="beats", plain="ahead"))
    assert "Drawn is" not in words(at) and "Did distilling help? **helped**" in words(at)
    assert t("soft_labels.to_result") in [link.proto.label for link in at.get("page_link")]


def test_the_frame_names_the_run_that_the_box_was_put_to():
    first, other = done_run(name="first"), done_run(name="other")
    at = open_page("soft_labels", run=first)
    at.selectbox(key="soft-run").set_value(other).run()
    card = [link.proto.label for link in at.get("page_link") if link.proto.label in ("**first**", "**other**")]
    assert card == ["**other**"]
