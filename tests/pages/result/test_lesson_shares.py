"""What moved a student, on its result: the sentence, the advice, the chart of its epochs; nothing in older results."""

from __future__ import annotations

import html
import json

import pytest

from kd_core.safe_io import read_json, write_json
from kd_core.specs import LABELS
from pages.ui import look
from pages.ui.charts import lesson as charts
from pages.ui.lesson import moved
from pages.ui.shared.text import catalogue, t
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401

SHARES = {LABELS: 0.03, "hinton": 0.97}
CURVE = {"epoch": [1, 2, 3], LABELS: [0.01, 0.03, 0.05], "hinton": [0.99, 0.97, 0.95]}


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def run_with(**told):
    run_id = done_run()
    path = store().folder(run_id).path / "result.json"
    found = read_json(path)
    found["students"][0] |= told
    write_json(path, found)
    return run_id


def plain(at):
    return html.unescape(words(at)).replace("\u2060", "")


def test_shares_and_advice_are_said_beside_the_verdict():
    at = open_page("runs", run=run_with(shares=SHARES, share_curve=CURVE, teacher_top=0.99))
    assert not at.exception
    said = plain(at)
    assert (
        "α = 0.7 sets a weight of 70 % for the teacher's lesson; measured while the student trained, that came to these shares of the pull on it: 3.0 % Labels, 97.0 % Soft labels (KD)."
        in said
    )
    assert "97% of what moved the student came from the teacher, 3.0% from the labels. Lower alpha" in said
    assert "give 99.0% to their first class" in said


def test_the_curves_show_them_epoch_by_epoch():
    run_id = run_with(shares=SHARES, share_curve=CURVE)
    at = open_page("runs", {"tab": str(t("runs.result.tabs_curves"))}, run=run_id)
    assert not at.exception
    drawn = [json.loads(c.proto.spec) for c in at.get("plotly_chart")]
    (figure,) = [f for f in drawn if any(part.get("stackgroup") for part in f["data"])]
    assert [part["name"] for part in figure["data"]] == ["Labels", "Soft labels (KD)"]
    assert figure["data"][1]["y"] == CURVE["hinton"] and t("runs.moved.note") in html.unescape(words(at))


def test_an_older_result_says_nothing_of_it():
    at = open_page("runs", run=done_run())
    assert not at.exception and "the pull on the student" not in plain(at)
    assert moved.sentence({}) is None


def test_every_part_has_a_look_of_its_own():
    parts = {str(i): [1 / 7, 1 / 7] for i in range(7)}
    figure = charts.shares([1, 2], parts, epoch_title="Epoch", y="Share")
    looks = [(p["line"]["color"], p["line"]["dash"]) for p in figure.to_plotly_json()["data"]]
    assert len(set(looks)) == len(parts) == len(look.TERMS)


def test_a_weight_that_was_set_and_a_share_of_the_pull_are_told_by_different_words():
    said = catalogue()
    for key in ("distill.chain.share", "distill.chain.labels"):
        assert "weight set" in said[key] and "pull" not in said[key]
    pulls = ("distill.terms.foreseen", "runs.moved.sentence", "runs.moved.axis", "what_if.instant.soft_share")
    for key in (*pulls, "findings.softening"):
        assert "of the pull" in said[key], key
    assert not [key for key, words in said.items() if "{share} of the lesson" in words]
