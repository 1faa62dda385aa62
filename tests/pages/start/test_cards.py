"""Cards of scenarios on Start: a picture each, in words, too, and what a run takes on this machine."""

from __future__ import annotations

import pytest

from kd_core.runs import estimate
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.scenarios.cards import card as kept
from kd_core.workspace import samples
from pages.ui.access import aids
from pages.ui.data import sources, understanding
from pages.ui.runs import launch
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import catalogue, t
from pages.ui.start import cards
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_every_scenario_has_its_picture_on_the_page(jobs):  # noqa: F811
    at = open_page()
    assert not at.exception
    pictures = [image for element in at.get("image") for image in element.proto.imgs]
    assert len(pictures) == len(SCENARIOS.names()) and len({p.url for p in pictures}) == len(pictures)
    assert all(p.url.startswith("data:image/svg+xml") for p in pictures)


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_a_picture_is_told_in_words(name):
    said = cards.alt(cards.card(name))
    assert "{" not in said and "&" not in said and "sample" in said


def test_no_kind_of_picture_is_told_that_none_draws():
    told = {key.removeprefix("start.picture.") for key in catalogue() if key.startswith("start.picture.")}
    assert told == {cards.card(name).shows for name in SCENARIOS.names()}


@pytest.mark.parametrize("name", ["purchase", "service", "profile"])
def test_the_kept_size_gives_the_estimate_that_the_page_distill_gives(name):
    spec, found = default_spec(name), kept.read(name, samples())
    full = understanding.facts_of(
        understanding.profile(spec.dataset.model_dump(mode="json"), spec.dataset.read, spec.dataset.name), None
    )
    short = Facts(found.rows, found.columns, found.inputs, found.outputs, (), found.task)
    ours, theirs = (launch.foresee(spec, facts) for facts in (short, full))
    mine, other = (
        [w.estimated / one.busy for w in one.works] for one in (ours, theirs)
    )  # what else goes on may change
    assert mine == pytest.approx(other)


def test_each_card_says_how_long_it_takes_and_one_is_the_quickest(jobs, monkeypatch):  # noqa: F811
    takes = {name: 10.0 + 100 * at for at, name in enumerate(SCENARIOS.names())}
    monkeypatch.setattr(cards, "seconds", lambda name, stamp: (takes[name], 2 * takes[name], 1.0))
    said = words(open_page())
    assert said.count("the quickest") == 1 and said.count(" here") >= len(takes)
    assert "about 10 s here, the quickest; up to 20 s where seeds are added" in said and "about 4 min here" in said


def test_a_card_counts_the_seeds_that_may_be_added():
    found = kept.read("purchase", samples())
    begins, longest, _ = cards.seconds("purchase", f"{found.rows}-most")
    assert longest > begins


@pytest.mark.parametrize(
    ("takes", "said"), [(1.2, 5), (16.0, 15), (42.0, 40), (47.6, 50), (97.8, 100), (132.9, 130), (406.7, 420)]
)
def test_an_estimate_is_rounded_to_what_it_is_worth(takes, said):
    assert cards._rounded(takes) == said


def test_samples_without_cards_are_offered_without_pictures(jobs, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr(cards, "samples", lambda: tmp_path)
    at = open_page()
    assert not at.exception and not at.get("image")
    assert all(at.button(key=f"start-{name}") for name in SCENARIOS.names())


@pytest.mark.parametrize("narrow", [True, False])
def test_on_a_phone_most_samples_are_one_fold_away(jobs, narrow):  # noqa: F811
    at = open_page("start", {aids.KEY: {"narrow": narrow}}) if narrow else open_page("start")
    assert not at.exception
    folded = [
        e for e in at.expander if e.label == t("start.more_samples", num=len(SCENARIOS.names()) - cards.FIRST_ON_PHONE)
    ]
    assert len(folded) == narrow
    assert len([b for b in at.button if str(b.key).removeprefix("start-") in SCENARIOS.names()]) == len(
        SCENARIOS.names()
    )
    if narrow:
        assert {b.key for b in folded[0].button} == {
            f"start-{e.name}" for e in sources.scenarios()[cards.FIRST_ON_PHONE :]
        }


@pytest.mark.parametrize(("times", "told"), [(1.0, False), (2.0, True)])
def test_a_busy_machine_is_told_beside_the_times(jobs, monkeypatch, times, told):  # noqa: F811
    monkeypatch.setattr(estimate, "busy", lambda: times)
    cards.seconds.clear()
    said = words(open_page())
    cards.seconds.clear()
    assert (t("start.busy", times="2") in said) == told
