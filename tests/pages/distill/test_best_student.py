"""Asking for the best student on the Distill screen: goals, candidates, cost, and coming back to them."""

from __future__ import annotations

import json
import re

import pytest

from kd_core.errors import SpecError
from kd_core.scenarios import default_spec
from kd_core.specs import Choice, ChooseSpec, DatasetSpec
from pages.ui.runs import best_student, draft
from pages.ui.shared import engine, facts
from pages.ui.shared.text import t
from tests.pages.distill.test_distill import at, best, name_students, start  # noqa: F401
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.tables import write_table


def test_start_can_be_pressed_at_once_and_finds_the_best_student(best, jobs):  # noqa: F811
    assert not best.exception and not best.button(key="distill-start").disabled
    assert "**12 candidates**, then **9 trainings** of the chosen one" in words(best)
    assert (
        "12 candidates, the likely winners first as far as they end in time: piecewise small, trees small, "
        in words(best)
    )
    spec = start(best, jobs)
    assert (
        spec.choose == ChooseSpec()
        and len(spec.students) == 12
        and spec.name == "Visits to purchase: T=2 α=.9 best student"
    )
    assert spec.teacher == default_spec("purchase").teacher


def test_limits_stand_row_by_row(best):  # noqa: F811
    drawn = [box.key.split(".")[-1] for box in best.main if str(getattr(box, "key", "")).startswith("distill.choose.")]
    assert drawn == ["way", "good", "bytes", "microseconds", "minutes"]
    assert str(t("distill.best.on_validation")) in words(best)
    named = [str(option) for option in best.segmented_control(key="distill.choose.good").options]
    assert named == ["Best possible", "A score", "Points lost"]


def test_a_loss_against_the_teacher_takes_the_place_of_a_score(best, jobs):  # noqa: F811
    best.segmented_control(key="distill.choose.good").set_value("score").run()
    best.number_input(key="distill.choose.score").set_value(0.85).run()
    best.segmented_control(key="distill.choose.good").set_value("lost").run()
    points = best.number_input(key="distill.choose.lost")
    assert (points.label, points.value) == ("Points lost at most", 1.0) and not best.exception
    points.set_value(2.0).run()
    best.number_input(key="distill.choose.bytes").set_value(20.0).run()
    spec = start(best, jobs)
    assert spec.choose == ChooseSpec(lost=2.0, bytes=20_480) and "best student 20 KB ≤2 lost" in spec.name
    again = open_page("distill", clone=engine.store().list()[0].id)
    assert again.segmented_control(key="distill.choose.good").value == "lost"
    assert again.number_input(key="distill.choose.lost").value == 2.0
    again.segmented_control(key="distill.choose.good").set_value("best").run()
    assert not again.exception and start(again, jobs).choose == ChooseSpec(bytes=20_480)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_table_of_ones_own_is_taught_by_the_best_of_several(task, jobs, tmp_path):  # noqa: F811
    with write_table(tmp_path / "t.csv", task).open("rb") as file:
        source = engine.library().add(file, "t.csv").source
    page = open_page("distill", data=engine.library().save_spec(DatasetSpec(source=source, target="target", task=task)))
    assert not page.exception and not page.button(key="distill-start").disabled
    assert start(page, jobs).teacher == Choice(name="best")


@pytest.mark.slow
def test_goals_are_what_is_run_and_come_back_with_the_run(best, jobs):  # noqa: F811
    best.number_input(key="distill.choose.minutes").set_value(1.0)
    best.number_input(key="distill.choose.bytes").set_value(40.0)
    best.number_input(key="distill.choose.microseconds").set_value(100.0)
    best.segmented_control(key="distill.choose.good").set_value("score").run()
    best.number_input(key="distill.choose.score").set_value(0.85).run()
    assert best.number_input(key="distill.choose.score").label == "ROC-AUC at least"
    assert re.search("[Cc]hoosing (ends after|takes) 1 min at", words(best))
    spec = start(best, jobs)
    assert spec.choose == ChooseSpec(minutes=1, bytes=40_960, microseconds=100, score=0.85)
    again = open_page("distill", clone=engine.store().list()[0].id)
    assert str(t("distill.cloned_best")) in words(again)
    assert again.radio(key="distill.choose.way").value == "best"
    assert again.number_input(key="distill.choose.bytes").value == 40.0
    assert start(again, jobs).work_hash() == spec.work_hash()
    again = name_students(open_page("distill", data=best.query_params["data"]))
    assert [c.label for c in again.checkbox if c.value] == ["tiny", "small"]  # the candidates are not named students


def test_the_goals_of_another_metric_are_named_by_it(best):  # noqa: F811
    best.selectbox(key="distill.evaluation.metric").set_value("log_loss")
    best.segmented_control(key="distill.choose.good").set_value("lost").run()
    percent = best.number_input(key="distill.choose.lost")
    assert (percent.label, percent.value) == ("Worse by at most (%)", 5.0)  # nobody knows yet what a point of it is
    best.segmented_control(key="distill.choose.good").set_value("score").run()
    assert best.number_input(key="distill.choose.score").label == "Log loss at most"


@pytest.mark.slow
def test_named_students_and_goals_survive_a_refresh(at, jobs):  # noqa: F811
    at.checkbox(key="distill.students.2.base").check().run()
    fresh = open_page("distill", data=at.query_params["data"])
    assert fresh.radio(key="distill.choose.way").value == "named"
    assert len(start(fresh, jobs).students) == 3
    fresh = open_page("distill", data=at.query_params["data"])
    fresh.radio(key="distill.choose.way").set_value("best").run()
    fresh.number_input(key="distill.choose.bytes").set_value(10.0).run()
    fresh = open_page("distill", data=at.query_params["data"])
    assert fresh.number_input(key="distill.choose.bytes").value == 10.0
    assert len([c for c in name_students(fresh).checkbox if c.value]) == 3


@pytest.mark.slow
def test_a_recipe_with_goals_is_loaded(at, jobs):  # noqa: F811
    students = best_student.tried(
        default_spec("purchase").dataset, draft.of_spec(default_spec("purchase")), facts_of(at)
    )
    given = json.loads(default_spec("purchase").to_json()) | {"choose": {"bytes": 2048}, "students": students}
    at.get("file_uploader")[0].upload("recipe.json", json.dumps(given).encode())
    at.run()
    assert not at.exception and at.number_input(key="distill.choose.bytes").value == 2.0
    assert start(at, jobs).choose == ChooseSpec(bytes=2048)


def test_a_lesson_that_no_candidate_learns_by_blocks_with_the_reason(best, monkeypatch):  # noqa: F811
    def none(*_):
        raise SpecError("There is no candidate.", "Name the students.", "no_candidates")

    monkeypatch.setattr("kd_core.runs.choosing.candidates.candidates", none)
    best.run()
    assert not best.exception and "There is no candidate." in best.error[0].value
    assert best.button(key="distill-start").disabled


def facts_of(screen):
    """What the page knows of its data."""
    return facts.kept(str(screen.query_params["data"]))


def test_what_can_not_fit_is_left_out_of_list_count_drawing_and_time(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr("kd_core.runs.estimate.busy", lambda: 1.0)
    page = open_page("distill", data=engine.library().save_spec(default_spec("product_pictures").dataset))
    page = page.radio(key="distill.choose.way").set_value("best").run()
    before = words(page)
    drawn = [one.proto.body for one in page.get("html") if "best of" in one.proto.body or "andidates" in one.proto.body]
    page.number_input(key="distill.choose.bytes").set_value(20.0).run()
    assert not page.exception
    shown = words(page)
    left = int(re.search(r"(\d+) candidates are left out for size", shown)[1])
    all_ = int(re.search(r"\*\*(\d+) candidates\*\*, then", before)[1])
    assert 0 < left < all_ and "would be clearly larger than 20 KB" in shown and "left out for size" not in before
    num = all_ - left
    assert f"**{num} candidate" in shown and f"{num} candidate" in shown
    assert "cnn large" in before and "cnn large" not in shown and "cnn tiny" in shown
    after = [one.proto.body for one in page.get("html") if "best of" in one.proto.body or "andidates" in one.proto.body]
    assert drawn and after and drawn != after
    spec = start(page, jobs)
    assert len(spec.students) == all_  # the run says which are too large, and how large they are


@pytest.mark.slow
def test_a_candidate_of_a_run_is_set_up_by_itself(best, jobs):  # noqa: F811
    spec = start(best, jobs)
    run = engine.store().list()[0].id
    asked = spec.students[1].name
    alone = open_page("distill", clone=run, student=asked)
    assert not alone.exception and "student" not in alone.query_params
    found = start(alone, jobs)
    assert found.choose is None and [s.arch for s in found.students] == [spec.students[1].arch]
    assert "best student" not in found.name
