"""Why a verdict is open, and what would settle it."""

import html

import pytest

from kd_core.runs.outcome import read_outcome
from pages.ui.result import differences, verdict
from tests.pages.fixtures import result


def plain(words):
    return html.unescape(str(words)).replace("\u2060", "")


@pytest.mark.parametrize(
    ("advice", "words"),
    [
        ({"kind": "seeds", "need": 12}, "About 12 seeds in all."),
        ({"kind": "rows", "need": 2400}, "About 2,400 test rows in all; more seeds can't help."),
        ({"kind": "rows", "need": None}, "More test rows; more seeds can't help."),
    ],
)
def test_an_open_verdict_says_what_would_settle_it_and_nothing_against_that(advice, words):
    wide = {"code": "wide_interval", "values": {"width": 0.05, "n": 3}}
    said = verdict.judge(result(verdict="inconclusive", reason=wide, advice=advice), 0)
    assert plain(said.settle) == words and said.next is None and "test rows and 3 seeds" in plain(said.reason)
    assert verdict.judge(result(verdict="inconclusive", reason=wide), 0).next is not None


@pytest.mark.parametrize(
    ("low", "high", "left"),
    [
        (-0.0123, 0.0149, "that the teacher helped, hurt or made no difference worth having are all still possible"),
        (-0.004, 0.0149, "that the teacher helped and that it made no difference worth having are both still possible"),
        (-0.0123, 0.004, "that the teacher hurt and that it made no difference worth having are both still possible"),
    ],
)
def test_why_a_verdict_is_open_is_said_by_what_the_interval_reaches(low, high, left):
    found = result(verdict="inconclusive", reason={"code": "wide_interval", "values": {"width": 0.05, "n": 3}})
    one = found["students"][0]
    one["gain"]["roc_auc"] |= {"mean": (low + high) / 2, "ci95": [low, high]}
    one["margin"], rows = 0.005, found["dataset"]["rows"]["test"]
    written = differences.Written.of("roc_auc", read_outcome(found).students[0].gain["roc_auc"])
    ends = f"from {written.bound(low)} points (worse) to {written.bound(high)} points (better)"
    said = plain(verdict.judge(found, 0).reason)
    assert said == f"The interval reaches {ends}: {left} with {rows} test rows and 3 seeds."
