"""The words of the workbench, one click away on every page."""

from __future__ import annotations

import pytest

from pages.ui.shared.text import catalogue, t
from pages.ui.words import glossary, in_short
from tests.pages.fixtures import result
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_every_word_is_explained_and_the_first_ones_are_what_a_newcomer_meets():
    named = glossary.terms()
    assert named[:3] == ["teacher", "student", "baseline"] and len(set(named)) == len(named) > 30
    assert all(f"glossary.{name}" in catalogue() for name in named)


def test_the_words_open_on_every_page_and_cost_nothing_before(jobs):  # noqa: F811
    at = open_page("distill")
    assert t("glossary.placebo") not in words(at)
    at.button(key="words").click().run()
    assert not at.exception
    assert all(t(f"glossary.{name}") in words(at) for name in glossary.terms())


@pytest.mark.parametrize("word", ["beats", "ties", "hurts", "inconclusive"])
@pytest.mark.parametrize("standing", [None, "ahead", "level", "behind", "unclear"])
def test_every_result_comes_to_a_sentence(word, standing):
    said = in_short.of(result(verdict=word, **({"plain": standing} if standing else {})), 0)
    told = [t(f"runs.in_short.{word}"), *([t(f"runs.in_short.plain_{standing}")] if standing else [])]
    assert said == " ".join(told) and said.startswith("In short: ")
