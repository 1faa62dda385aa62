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
    found = result(verdict=word, **({"plain": standing} if standing else {}))
    said, student = in_short.of(found, 0), found["students"][0]
    assert said.startswith(t(f"runs.in_short.{word}")) and said.startswith("In short: ")
    if standing not in (None, "ahead"):
        best = student["reference"]["best"]["metrics"]["roc_auc"]["mean"]
        own = student["metrics"]["roc_auc"]["mean"]
        assert f"30 trees of 4 leaves, {'may do' if standing == 'unclear' else 'is'}" in said
        assert f"(ROC-AUC {best:.3f}, the student {own:.3f})" in said
    else:
        assert said == " ".join(t(f"runs.in_short.{w}") for w in (word, *(["plain_ahead"] if standing else [])))
