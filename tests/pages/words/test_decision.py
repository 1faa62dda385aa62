"""The first line of a result: one thing to do, which says no more than the evidence below it."""

from __future__ import annotations

import pytest

from kd_core.runs.outcome import read_outcome
from pages.ui.export import choosing
from pages.ui.shared.text import t
from pages.ui.try_it import models
from pages.ui.words import decision, in_short
from tests.pages.fixtures import done_run, result
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def said(found):
    return str(decision.of(found, 0)).replace("\u2060", "")


def against(own, theirs, low, high, **more):
    """A result whose student reaches one score and its teacher another, with the interval of the difference."""
    found = result(**more)
    one = found["students"][0]
    one["metrics"]["roc_auc"]["mean"], found["teacher"]["metrics"]["roc_auc"] = own, theirs
    one["versus_teacher"]["roc_auc"] |= {"mean": own - theirs, "ci95": [low, high]}
    return found


COSTS = "1/215 of the teacher's size, about 150 times faster"


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        (
            (0.855, 0.856, -0.01, 0.008),
            f"Take the tiny student (MLP): {COSTS}, ROC-AUC 0.855 against the teacher's 0.856.",
        ),
        (
            (0.900, 0.856, -0.01, 0.1),
            f"Take the tiny student (MLP): {COSTS}, ROC-AUC 0.900 against the teacher's 0.856, not clear which is better.",
        ),
        (
            (0.900, 0.856, 0.03, 0.06),
            f"Take the tiny student (MLP): {COSTS}, ROC-AUC 0.900 against the teacher's 0.856.",
        ),
        (
            (0.800, 0.856, -0.08, -0.02),
            f"Take the tiny student (MLP) if ROC-AUC 0.800 is enough (the teacher's is 0.856): {COSTS}.",
        ),
        (
            (0.800, 0.856, -0.2, 0.09),
            "Take the tiny student (MLP) if ROC-AUC 0.800 is enough (the teacher's is 0.856, not clear which is better): "
            f"{COSTS}.",
        ),
        (
            (0.800, 0.856, None, None),
            "Take the tiny student (MLP) if ROC-AUC 0.800 is enough (the teacher's is 0.856, not clear which is better): "
            f"{COSTS}.",
        ),
    ],
)
def test_it_says_what_to_take_with_size_time_and_score_and_no_more_than_the_interval_allows(numbers, line):
    assert said(against(*numbers)) == line


@pytest.mark.parametrize(
    ("standing", "own", "model"),
    [
        ("ahead", 0.85, "the tiny student"),
        ("behind", 0.85, "the plain model (30 trees of 4 leaves)"),
        ("level", 0.85, "the plain model (30 trees of 4 leaves)"),
        ("unclear", 0.85, "the tiny student"),
        ("unclear", 0.80, "the plain model (30 trees of 4 leaves)"),
    ],
)
def test_the_plain_model_is_named_where_the_sentence_below_orders_it(standing, own, model):
    found = against(own, 0.856, -0.02, 0.01, plain=standing)
    best = found["students"][0]["reference"]["best"]
    best["metrics"]["roc_auc"]["mean"] = 0.84
    assert said(found).startswith(f"Take {model}")
    below = str(in_short.of(found, 0))
    assert ("take the simpler one" in below or "take that one" in below or "will do" in below) == ("plain" in model)


def test_the_model_trained_alone_is_named_with_its_own_numbers():
    found = against(0.80, 0.856, -0.08, -0.02, plain="unclear")
    one = found["students"][0]
    one["baseline"]["metrics"]["roc_auc"]["mean"] = 0.857
    one["reference"]["best"]["metrics"]["roc_auc"]["mean"] = 0.84
    versus = {"roc_auc": {"mean": 0.001, "ci95": [-0.02, 0.02], "n": 3}}
    one["deployed"] |= {"arm": "baseline", "versus_teacher": versus}
    assert said(found).startswith("Take the tiny model trained alone (MLP): ") and "ROC-AUC 0.857 against" in said(
        found
    )
    below = str(in_short.of(found, 0))
    assert (
        "The tiny model trained alone scored higher than a plain model of its size" in below
        and "(ROC-AUC 0.857 against 0." in below
    )


def test_a_hurt_student_and_one_that_saves_nothing_are_not_taken():
    hurt = against(0.80, 0.856, -0.08, -0.02, verdict="hurts")
    alone = hurt["students"][0]["baseline"]["metrics"]["roc_auc"]["mean"]
    assert said(hurt).startswith("Take the tiny model trained alone") and f"ROC-AUC {alone:.3f}" in said(hurt)
    large = against(0.80, 0.856, -0.08, -0.02, size_bytes=300_000)
    large["students"][0]["latency_ms"] = large["teacher"]["latency_ms"]
    assert said(large) == "Stay with the teacher: the tiny student is neither smaller nor faster."


def test_without_a_comparison_the_own_score_stands_alone():
    found = result()
    found["students"][0]["versus_teacher"], found["teacher"]["metrics"]["roc_auc"] = {}, None
    found["teacher"]["size_bytes"] = None
    own = found["students"][0]["metrics"]["roc_auc"]["mean"]
    assert said(found) == f"Take the tiny student (MLP): 1.2 KB, about 150 times faster, ROC-AUC {own:.3f}."


def test_the_page_begins_with_it(jobs):  # noqa: F811
    shown = words(open_page("runs", run=done_run()))
    assert shown.index("Take the tiny student") < shown.index("Learning from the teacher was worth it")


@pytest.mark.parametrize("standing", ["ahead", "behind"])
def test_use_it_outside_takes_the_model_that_the_line_names_where_the_run_keeps_its_file(standing):
    found = result(plain=standing)
    name = f"plain {found['students'][0]['reference']['best']['name']}"
    assert decision.file(found, 0) == "tiny"  # no file of the plain one
    found["artifacts"]["plain"] = [{"name": name}]
    plain = "plain model" in said(found)
    assert plain == (standing != "ahead") and decision.file(found, 0) == (name if plain else "tiny")


def test_what_is_taken_instead_is_what_the_first_line_names():
    for found in (
        result(plain="behind"),
        result(plain="level"),
        result(plain="ahead"),
        against(0.80, 0.856, -0.08, -0.02, verdict="hurts"),
    ):
        told, first = decision.instead(found, 0), said(found)
        assert (told is None) == first.startswith("Take the tiny student")
        assert told is None or str(decision.chosen(read_outcome(found), read_outcome(found).students[0]).what) in told
    large = against(0.80, 0.856, -0.08, -0.02, size_bytes=300_000)
    large["students"][0]["latency_ms"] = large["teacher"]["latency_ms"]
    assert "the teacher" in decision.instead(large, 0) and said(large).startswith("Stay with the teacher")


def test_use_it_outside_takes_the_one_trained_alone_where_the_teacher_hurt():
    found = against(0.80, 0.856, -0.08, -0.02, verdict="hurts")
    assert decision.file(found, 0) == "tiny" and "keeps no file of it" in said(found)  # made by an earlier version
    found["artifacts"]["alone"] = [{"name": "alone tiny", "student": "tiny", "bytes": 1200}]
    assert decision.file(found, 0) == "alone tiny" and "keeps no file of it" not in said(found)
    assert models.names(found, 0)[:2] == ["tiny", "alone tiny"]
    assert choosing.shown(found, "alone tiny") == "tiny, trained alone"
    alone = found["students"][0]["baseline"]["metrics"]["roc_auc"]["mean"]
    told = str(choosing.standing(found, "alone tiny"))
    assert f"{alone:.3f}" in told and "trained without a teacher" in told and "1.2 KB" in told


def test_export_offers_first_what_the_line_says_to_take():
    found = result(plain="behind")
    name = f"plain {found['students'][0]['reference']['best']['name']}"
    assert choosing.first(found, ["tiny"]) == "tiny"
    found["artifacts"]["plain"] = [{"name": name}]
    assert choosing.first(found, ["tiny", name]) == name == decision.file(found, 0)
    assert choosing.first(found, ["tiny"]) == "tiny"


@pytest.mark.parametrize("standing", ["behind", "level", "ahead"])
def test_a_word_beside_the_verdicts_names_the_plain_model_where_it_is_the_one_to_take(jobs, standing):  # noqa: F811
    found = result(plain=standing)
    outcome = read_outcome(found)
    word = decision.plain_word(outcome, outcome.students[0])
    assert word == (None if standing == "ahead" else t(f"runs.word.plain_{standing}"))
    shown = words(open_page("runs", run=done_run(plain=standing)))
    assert ("A PLAIN MODEL" in shown) == (standing != "ahead")
    assert "Take the plain model" in shown if word else "Take the plain model" not in shown


def several(**more):
    """A result of two students of which the second is the best on validation rows."""
    found = result(students=("tiny", "small"), **more)
    for one, score in zip(found["students"], (0.85, 0.86), strict=True):
        one["selection"] = {"student": [{"score_selected": score}], "baseline": []}
    return found


@pytest.mark.parametrize("standing", ["ahead", "level", "behind"])
def test_a_run_has_one_advice_and_another_student_says_where_it_is_and_what_it_gives_itself(standing):
    found = several(plain=standing)
    advised, other = (str(decision.of(found, i)).replace("\u2060", "") for i in (1, 0))
    best = read_outcome(found).students[1]
    what = str(decision.chosen(read_outcome(found), best).what).replace("\u2060", "")
    assert advised.startswith("Take ") and what in advised and what in other
    assert (
        "take" not in other.casefold()
        and "This one, the tiny student (MLP), gives 1/215 of the teacher's size" in other
    )
    assert ("plain model" in other) == (standing != "ahead") == ("told with small" in other)
    assert decision.file(found, 0) == "tiny"  # what the line tells of is what is used outside
    assert "take" not in str(in_short.beside(found, 0)) and "to use" not in str(in_short.beside(found, 0))
    beside = str(in_short.beside(found, 1))
    assert "take that one" in beside or "will do" in beside or "the one to use" in beside


def test_another_student_says_that_the_advice_is_to_stay_with_the_teacher():
    found = several()
    for one in found["students"]:
        one["size_bytes"], one["latency_ms"] = 300_000, found["teacher"]["latency_ms"]
        one["versus_teacher"]["roc_auc"] |= {"mean": -0.05, "ci95": [-0.08, -0.02]}
    assert str(decision.of(found, 1)).startswith("Stay with the teacher: the small student")
    assert str(decision.of(found, 0)).startswith("This run's advice is to stay with the teacher. This one, the tiny")
