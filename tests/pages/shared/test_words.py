"""The words of the workbench, one click away on every page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from kd_core.safe_io import write_json
from pages.ui.shared.text import catalogue, t
from pages.ui.tasks import yes_no
from pages.ui.words import glossary, in_short, sureness
from tests.pages.fixtures import done_run, result, store
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


def test_a_word_is_found_by_its_name_and_by_what_it_means_its_name_first():
    assert glossary.matching("") == glossary.terms()
    assert glossary.matching("PLACEBO")[0] == "placebo" and glossary.matching(" kl  div ")[0] == "kl"
    by_meaning = glossary.matching("teacher")
    assert by_meaning[0] == "teacher" and len(by_meaning) > 1
    assert glossary.matching("nobody knows this") == []


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("piecewise", "piecewise"),
        ("PLR", "piecewise"),
        ("tabm", "tabm"),
        ("additive pairs", "additive_pairs"),
        ("chain", "chain"),
        ("epoch", "epoch"),
        ("effective soft share", "effective_share"),
    ],
)
def test_words_that_pages_use_are_found_by_the_name_that_they_use(asked, name):
    assert glossary.matching(asked)[0] == name


def test_the_box_shows_what_is_found_and_says_where_nothing_is():
    def page():
        from pages.ui.words import glossary

        glossary.show()

    at = AppTest.from_function(page).run()
    headings = sum(key.startswith(glossary.GROUP) for key in catalogue())
    assert headings > 3 and at.markdown[0].value == f"##### {t('words.group.teacher')}"
    box = at.text_input(key="words-find")
    assert not at.exception and box.label == t("words.find") and len(at.markdown) == len(glossary.terms()) + headings
    box.set_value("placebo").run()
    assert t("words.of.placebo") in at.markdown[0].value and len(at.markdown) < len(glossary.terms())
    at.text_input(key="words-find").set_value("<b>qqq").run()
    assert not at.markdown and "&#60;b&#62;qqq" in at.info[0].value
    at.text_input(key="words-find").set_value("").run()
    assert not at.info and len(at.markdown) == len(glossary.terms()) + headings


def test_one_of_a_kind_is_told_as_one():
    said = [str(t("compress.time", steps=n, seeds=3, time="4 s")) for n in (1, 2)]
    assert said[0].startswith("**1 step**") and said[1].startswith("**2 steps**")
    assert [str(t("data.ready", n=n)) for n in (1, 2)] == ["1 column ready", "2 columns ready"]
    assert [str(t("data.look", n=n)) for n in (1, 2)] == ["1 finding to look at", "2 findings to look at"]


def head(found):
    return str(in_short.of(found, 0)).replace("\u2060", "")


@pytest.mark.parametrize("word", ["beats", "ties", "hurts", "inconclusive"])
@pytest.mark.parametrize("standing", [None, "ahead", "level", "behind", "unclear"])
def test_every_result_comes_to_a_sentence_with_one_order(word, standing):
    found = result(verdict=word, **({"plain": standing} if standing else {}))
    said, student = head(found), found["students"][0]
    assert ("worth it" in said) == (word == "beats" and standing in (None, "ahead"))
    assert ("the one to use" in said) == (standing == "ahead" and word in ("beats", "ties"))
    assert ("worth taking" in said) == (
        standing == "ahead" and word == "inconclusive"
    )  # not called better by its teacher
    assert (
        sum(order in said for order in ("worth it", "take that one", "take the simpler one", "simpler one will do"))
        <= 1
    )
    if word == "beats":
        assert "(+0.90 points of ROC-AUC)" in said
    if standing not in (None, "ahead"):
        best = student["reference"]["best"]["metrics"]["roc_auc"]["mean"]
        own = student["metrics"]["roc_auc"]["mean"]
        numbers = (
            f"{own:.3f} against {best:.3f}" if standing == "unclear" else f"{best:.3f}, the tiny student {own:.3f}"
        )
        assert "30 trees of 4 leaves" in said and f"(ROC-AUC {numbers}" in said
    if standing == "behind":
        assert said.endswith(": take that one.")


@pytest.mark.parametrize("changes", [{"placebo_reason": "mode"}, {"smooth": 0.0085}])
def test_a_gain_that_is_not_surely_the_teachers_is_not_called_the_teachers(changes):
    said = head(result(verdict="beats", **changes))
    assert "Distilling helped" in said and "teacher's own is not clear" in said and "worth it" not in said


@pytest.mark.parametrize(("shift", "order"), [(0.01, False), (-0.01, True)])
def test_the_simpler_model_is_advised_for_a_reason_and_not_where_it_scored_worse(shift, order):
    found = result(verdict="beats", plain="unclear")
    student = found["students"][0]
    own = student["metrics"]["roc_auc"]["mean"]
    student["reference"]["best"]["metrics"]["roc_auc"]["mean"] = own - shift
    said = head(found)
    assert ("take the simpler one" in said) == order and "interval of the difference reaches 0" in said
    assert said.count("The tiny student scored higher") == (not order)


@pytest.mark.parametrize(
    ("own", "teacher", "high", "said"),
    [
        (0.231, 0.026, -0.1, True),
        (0.231, 0.026, 0.02, False),
        (0.231, 0.026, None, True),
        (0.05, 0.026, -0.01, False),
        (0.02, 0.2, 0.3, False),
    ],
)
def test_a_calibration_error_far_above_the_teachers_is_in_the_verdict(own, teacher, high, said):
    found = result()
    student = found["students"][0]
    student["metrics"]["ece"]["mean"], found["teacher"]["metrics"]["ece"] = own, teacher
    student["versus_teacher"]["ece"]["ci95"] = [None if high is None else -0.4, high]
    warning = sureness.warning(found, 0)
    assert (warning is not None) == said
    assert not said or f"{own:.3f}, the teacher's {teacher:.3f}" in warning


def test_the_page_of_a_result_warns_of_it(jobs):  # noqa: F811
    run_id = done_run()
    folder = store().folder(run_id)
    found = folder.result()
    student = found["students"][0]
    student["metrics"]["ece"]["mean"], found["teacher"]["metrics"]["ece"] = 0.231, 0.026
    student["versus_teacher"]["ece"] |= {"mean": -0.205, "ci95": [-0.3, -0.1]}
    write_json(folder.path / "result.json", found)
    assert "far from what they promise" in words(open_page("runs", run=run_id))


@pytest.mark.parametrize(("chosen", "worse"), [(0.871, True), (0.975, False)])
def test_a_threshold_that_is_not_in_use_says_how_it_does_on_test_rows_and_where_to_ask_for_it(chosen, worse):
    def block(f1):
        return {"f1": {"mean": f1, "std": 0.0, "values": [f1]}}

    told = {"arms": {"student": {"half": block(0.968), "chosen": block(chosen)}}}
    said = yes_no._half(told, "yes", t("task.binary.rule_f1"))
    assert "the best F1, chosen on validation rows" in said and ("does worse than 50 %" in said) == worse
    assert f"{chosen:.3f}" in said and "0.968" in said
    assert f"on Distill, under {t('distill.advanced')}" in said
    assert "taken home" in t(
        "task.binary.mark_other", at="81.0 %", rule="x"
    )  # the table beside it is a mean over seeds
