"""The objective builder: one method as ever, terms added and taken away, their run, and what explains them."""

from __future__ import annotations

import html
from types import SimpleNamespace

import numpy as np
import pytest

from kd_core.distill import LOSSES
from kd_core.runs import estimate
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from pages.ui.lesson import builder, method
from pages.ui.runs import softening
from pages.ui.shared import engine
from pages.ui.shared.text import percent, t
from tests.pages.distill.test_distill import name_students, start
from tests.pages.screen import jobs, open_page, words  # noqa: F401

KEY = "distill.objective"


@pytest.fixture
def at(jobs, monkeypatch):  # noqa: F811
    """The Distill screen on the regression sample, whose losses can be added up; students are named."""
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)
    dataset = engine.library().save_spec(default_spec("logistics").dataset)
    return name_students(open_page("distill", data=dataset))


@pytest.mark.slow
def test_two_terms_are_built_started_and_taken_apart_again(at, jobs):  # noqa: F811
    at.slider(key=f"{KEY}.mse.alpha").set_value(0.6).run()
    at.button(key=f"{KEY}-add").click().run()
    assert not at.exception and t("distill.terms.lead") in words(at)
    assert at.number_input(key=f"{KEY}.hard").value == pytest.approx(0.4)
    assert at.number_input(key=f"{KEY}.0.mse.weight").value == pytest.approx(0.6)
    added = at.selectbox(key=f"{KEY}.1.name").value
    assert "mse" not in at.selectbox(key=f"{KEY}.1.name").options and added != "mse"
    at.number_input(key=f"{KEY}.1.{added}.weight").set_value(0.25).run()
    at.selectbox(key=f"{KEY}.1.{added}.schedule.kind").set_value("warm_up").run()
    at.number_input(key=f"{KEY}.1.{added}.schedule.epochs").set_value(7).run()
    lesson = start(at, jobs).objective
    assert lesson.name == "several" and lesson.settings["hard"] == pytest.approx(0.4)
    first, second = lesson.settings["terms"]
    assert (first["name"], first["weight"], first["settings"]) == ("mse", 0.6, {})
    assert (second["name"], second["weight"]) == (added, 0.25)
    assert second["schedule"] == {"kind": "warm_up", "epochs": 7}


@pytest.mark.slow
def test_a_term_taken_away_leaves_one_method_with_its_share(at, jobs):  # noqa: F811
    at.slider(key=f"{KEY}.mse.alpha").set_value(0.6).run()
    at.button(key=f"{KEY}-add").click().run()
    at.button(key=f"{KEY}-remove-1").click().run()
    assert not at.exception and at.slider(key=f"{KEY}.mse.alpha").value == pytest.approx(0.6)
    assert start(at, jobs).objective.model_dump() == {"name": "mse", "settings": {"alpha": 0.6}}


@pytest.mark.slow
def test_a_clone_of_several_terms_shows_them_again(at, jobs):  # noqa: F811
    at.button(key=f"{KEY}-add").click().run()
    asked = start(at, jobs)
    again = open_page("distill", clone=engine.store().list()[0].id)
    assert not again.exception and [again.selectbox(key=f"{KEY}.{i}.name").value for i in (0, 1)] == [
        one["name"] for one in asked.objective.settings["terms"]
    ]
    assert start(again, jobs).work_hash() == asked.work_hash()


def test_every_method_has_a_paragraph_and_a_source():
    for entry in LOSSES.entries():
        assert len(method.about(entry)) > 40, entry.name
        assert entry.source, entry.name
        formula = entry.facts["formula"]
        assert formula.count("{") == formula.count("}") and len(formula) > 8, entry.name
    assert (
        method.source("arXiv:1503.02531, section 2")
        == "[arXiv:1503.02531](https://arxiv.org/abs/1503.02531), section 2"
    )


def test_terms_grow_and_shrink_without_losing_their_share():
    one = {"name": "hinton", "settings": {"temperature": 4.0, "alpha": 0.9}}
    two = builder.grown(one, "dkd")
    assert two["settings"]["hard"] == pytest.approx(0.1)
    assert two["settings"]["terms"][0] == {"name": "hinton", "weight": 0.9, "settings": {"temperature": 4.0}}
    assert builder.temperature(two) == 4.0 and builder.names_of(two) == ["hinton", "dkd"]
    assert builder.names_of(builder.grown(two, "nkd")) == ["hinton", "dkd", "nkd"]
    assert builder.shrunk(two, 1) == one
    whole = {"name": "simkd", "settings": {}}  # it has no alpha
    assert builder.grown(whole, "hinton")["settings"]["hard"] == 0.0
    assert builder.shrunk(builder.grown(whole, "hinton"), 1) == whole


def kept(task="multiclass"):
    rows, labels = np.log([[0.9, 0.1], [0.5, 0.5]]), np.array([0, 1])
    return SimpleNamespace(logits=rows, labels=labels, classes=("a", "b"), task=task, part="validation")


def test_the_picture_tells_entropy_and_target_mass_of_the_kept_rows():
    answers = softening.of(kept())
    nats, mass = answers.over_rows(1.0)
    assert mass == pytest.approx(0.7) and nats == pytest.approx((0.3250829734 + np.log(2)) / 2)
    assert answers.over_rows(4.0)[1] < mass and answers.rows_of == 2
    unanswered = kept()
    unanswered.logits = np.array([[np.nan, np.nan], [0.2, 0.1]])
    assert len(softening.of(unanswered).rows) == 1
    unanswered.logits = np.full((2, 2), np.nan)
    assert softening.of(unanswered) is None


@pytest.mark.slow
def test_the_form_tells_what_would_move_a_student_that_knows_nothing(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(estimate, "busy", lambda: 1.0)
    dataset = engine.library().save_spec(default_spec("risk").dataset)  # the shipped example is no kin of it
    before = open_page("distill", data=dataset)
    assert t("distill.picture_later") in words(before)
    monkeypatch.setattr(softening, "answers", lambda *_: softening.of(kept("binary")))
    at = open_page("distill", data=dataset)
    assert not at.exception and t("distill.picture_later") not in words(at)
    held = {
        w.key.rpartition(".")[2]: w.value for w in (*at.slider, *at.select_slider) if w.key.startswith(f"{KEY}.hinton")
    }
    shares = softening.of(kept("binary")).shares(Choice(name="hinton", settings=held))
    assert f"{percent(shares['hinton'])} {engine.part_title('loss', 'hinton')}" in html.unescape(words(at))
