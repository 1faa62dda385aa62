"""Runs: finished units in words, a plan that was wrong, and names that a person gives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.ui.access import cards
from pages.ui.runs import live
from pages.ui.shared.text import t
from tests.pages.fixtures import curve_events, done_run, make_run
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


@pytest.mark.slow
def test_finished_units_are_told_while_the_teacher_learns():
    events = [e for e in curve_events(("tiny",), 3, "roc_auc") if e["kind"] == "plan"]
    events += [{"kind": "phase", "phase": "teacher", "state": "start"}]
    events += [
        {"kind": "trained", "arm": "teacher", "student": None, "seed": 0, "fold": k, "seconds": 9.0, "done": k, "of": 6}
        for k in (1, 2, 3)
    ]
    said = words(open_page("runs", run=make_run("running", events=events)))
    assert "3 of 6 teacher fits" in said and "0 of 6 trainings" in said and "Teacher 3 of 6" in said


def test_a_run_that_takes_longer_than_thought_says_so():
    events = [{**e, "estimate_seconds": 0.0} for e in curve_events(("tiny",), 3, "roc_auc") if e["kind"] in ("plan",)]
    events += [{"kind": "phase", "phase": "teacher", "state": "start"}]
    events += [
        {
            "kind": "trained",
            "arm": "teacher",
            "student": None,
            "seed": 0,
            "fold": 0,
            "seconds": 50.0,
            "done": 1,
            "of": 3,
        }
    ]
    said = words(open_page("runs", run=make_run("running", events=events)))
    assert "Took longer than thought: about 2 min" in said


def test_seeds_that_are_added_are_said_with_the_new_total_and_are_a_round_of_their_own():
    def bars(at):
        return [
            (bar.proto.text, bar.proto.value)
            for bar in at.get("progress")
            if bar.proto.text.startswith(("First", "Round"))
        ]

    events = [*curve_events(("tiny",), 3, "roc_auc"), {"kind": "seeds", "added": 2, "trainings": 10}]
    at = open_page("runs", run=make_run("running", events=events))
    assert "0 of 4 added trainings" in words(at) and "A first round with" not in words(at)
    (before, full), (now, share) = bars(at)
    assert before == "First round: its 6 trainings are done" and full == 100
    assert now.startswith("Round 2: 4 more trainings") and share == 0
    again = [*events, {"kind": "seeds", "added": 1, "trainings": 12}]
    (before, _), (now, _) = bars(open_page("runs", run=make_run("running", events=again)))
    assert before == "Rounds 1 to 2: their 10 trainings are done" and now.startswith("Round 3: 2 more")


def test_a_first_round_says_that_seeds_may_be_added_only_where_they_are_automatic():
    events = curve_events(("tiny",), 3, "roc_auc")
    fixed = open_page("runs", run=make_run("running", events=events))
    told = t("runs.head.first_round", seeds=3)
    assert told not in words(fixed) and not fixed.exception
    assert told in words(open_page("runs", run=make_run("running", events=events, seeds=None)))


def test_pictures_that_are_made_before_students_learn_are_told():
    events = [e for e in curve_events(("tiny",), 3, "roc_auc") if e["kind"] == "plan"]
    events += [
        {"kind": "phase", "phase": "students", "state": "start"},
        {"kind": "part", "phase": "students", "what": "made", "done": 640, "of": 2200},
    ]
    said = words(open_page("runs", run=make_run("running", events=events)))
    assert "640 of 2200 pictures made from noise" in said and "0 of 6 trainings" in said


def test_parts_of_the_evaluation_are_told():
    events = curve_events(("tiny",), 3, "roc_auc")
    events += [
        {"kind": "phase", "phase": "evaluate", "state": "start"},
        {"kind": "part", "phase": "evaluate", "done": 2, "of": 5},
    ]
    said = words(open_page("runs", run=make_run("running", events=events)))
    assert "2 of 5 parts of the evaluation" in said and "Evaluation 2 of 5" in said


def test_a_run_is_renamed_on_its_page_and_named_so_in_the_list():
    run_id = done_run(name="T=2 tiny")
    at = open_page("runs", run=run_id)
    at.text_input(key=f"name-{run_id}").set_value("the one for Monday").run()
    at.button(key="run-name-save").click().run()
    assert not at.exception and "the one for Monday" in words(at)
    assert list(open_page("runs").dataframe[0].value["name"]) == ["the one for Monday"]


def test_a_column_of_names_takes_the_room_that_others_leave_and_shortens_the_rest_visibly():
    alike = ["T=2 α=.9 tiny+small+base teacher rounds=5", "T=2 α=.9 tiny+small+base teacher rounds=9"]
    width, whole = cards.names(alike, 500, 100)
    assert whole == alike and width == cards.needed(alike, cards.ROOM) < cards.ROOM - 500
    width, told = cards.names(alike, 900, 150)
    assert width == 150 and told == ["T=2 α=.9 … rounds=5", "T=2 α=.9 … rounds=9"]
    assert cards.names(["postcodes.csv: T=2 by best teacher"], 900, 150)[1] == ["postcodes.c…teacher"]
    assert cards.names(["a"], 0, 150) == (150, ["a"])


def test_a_word_in_capitals_gets_the_room_that_it_takes():
    """The table breaks a word that is wider than its column, and R, O and C are wider than most letters."""
    drawn = {"ROC-AUC": 72, "Accuracy": 70}  # pixels in the browser, edges included
    assert all(cards.needed(["Metric", word]) >= pixels for word, pixels in drawn.items())


def test_the_list_shows_where_names_differ_and_what_each_student_weighs():
    same = "postcodes.csv: T=2 α=.7 best student by best teacher"
    done_run(name=f"{same} again"), done_run(name=f"{same} smaller")
    table = open_page("runs").dataframe[0].value
    assert sorted(table["name"]) == [f"{same} again", f"{same} smaller"]  # broken into lines
    assert set(table["size"]) == {"1.2 KB"} and [
        c for c in table.columns if c in ("student_score", "gain", "size", "teacher")
    ] == ["student_score", "gain", "size", "teacher"]


def test_a_live_page_says_where_the_students_learn_and_where_the_teacher_does():
    def said(**places):
        now = SimpleNamespace(plan=places, resources=None, rows_per_s=None)
        return str(live.machine(now))

    assert said(device="cpu", teacher_device="cuda") == "CPU, teacher CUDA"
    assert said(device="cuda", teacher_device="cuda") == said(device="cuda") == "CUDA"
