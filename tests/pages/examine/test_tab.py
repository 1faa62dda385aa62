"""The tab Look closer: it looks on a press, tells what it found in words, and takes a kept row apart."""

from __future__ import annotations

import json

import pytest

from pages.ui.examine import confidence, disturbed, groups, leaning, one_row
from pages.ui.shared import engine, example
from pages.ui.shared.text import escape, plain, t
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def looked(jobs):  # noqa: F811
    _, run_id = example.adopt()
    at = open_page("runs", {"tab": str(t("runs.result.tabs_examine"))}, run=run_id)
    assert not at.exception
    next(b for b in at.button if b.label == "Look closer").click().run(timeout=240)
    assert not at.exception
    (path,) = (engine.store().folder(run_id).path / "examined").glob("*.json")
    return at, json.loads(path.read_text("utf-8"))


def test_what_was_found_is_told(looked):
    at, found = looked
    told = words(at)
    assert f"{found['rows']:,} test rows" in told
    for arm, why in found["left_out"].items():
        assert why.split("\n")[0][:40] in told, arm
    sure = [one for one in found["versus_baseline"] if one["sure"]]
    better = sum(one["gain"] > 0 for one in sure)
    assert f"In {better} of {len(found['versus_baseline'])} groups" in told
    first = found["importance"]["student"][0]["column"]
    assert f"The student leans most on {escape(first)}" in told
    assert f"{found['confidence']['temperature']:.2f}" in told
    assert any(b.label == "Look again" for b in at.button)


def test_a_row_is_explained_on_a_press(looked):
    at, _ = looked
    next(b for b in at.button if b.label == "Explain").click().run(timeout=120)
    assert not at.exception
    assert "most by" in words(at) and "Explained is the student" in words(at)


def one(**more):
    told = {
        "column": "town",
        "value": "a",
        "low": None,
        "high": None,
        "rows": 40,
        "scores": {},
        "gain": 0.1,
        "half": 0.05,
    }
    return {**told, "sure": False, **more}


def test_a_group_is_named_by_what_it_holds():
    assert plain(groups.title(one())) == "town: a"
    assert plain(groups.title(one(column=None))) == "class: a"
    assert plain(groups.title(one(value="", low=1.0, high=2.5))) == "town: 1 to 2.5"
    assert plain(groups.title(one(value=None))) == "town: missing"
    assert (
        groups.difference(one(), True) == "+10.0 ± 5.0"
        and groups.difference(one(gain=-0.1, half=None), False) == "−0.100"
    )


def test_only_what_is_sure_is_counted_and_named():
    said = plain(groups.said([one(), one(value="b", sure=True, gain=-0.2)], "baseline", True))
    assert said.startswith("In 0 of 2 groups the student is surely better") and "in 1 surely worse" in said
    assert "town: b, −20.0 ± 5.0" in said
    assert "The clearest" not in plain(groups.said([one()], "baseline", True))


def test_the_strongest_disturbance_is_told():
    lines = [{"strength": s, "arm": "student", "score": v, "way": "noise"} for s, v in ((0.05, 0.8), (0.2, 0.7))]
    said = plain(disturbed.said(lines, {"student": 0.9}))
    assert said.startswith("At 20 %: student") and "0.900 to 0.700" in said


@pytest.mark.parametrize(
    ("alike", "word"), [(0.9, "much as"), (0.5, "only partly as"), (-0.2, "otherwise than"), (None, None)]
)
def test_how_alike_two_models_lean_is_a_word(alike, word):
    said = plain(leaning.said("amount", alike))
    assert "amount" in said and (word is None or f"{word} its teacher" in said)


def test_small_effects_show_tenths_and_none_has_no_sign():
    def shown(*effects):
        parts = [(f"w{i}", i, i + 1) for i in range(len(effects))]
        return one_row.marked(parts, effects, max(map(abs, effects)), dark=False)

    large, small = shown(0.4, -0.002, -0.31), shown(0.02, -0.002, 0.0002)
    assert all(f"<small>{n}</small>" in large for n in ("+40", "0", "−31"))
    assert all(f"<small>{n}</small>" in small for n in ("+2.0", "−0.2", "0"))
    assert groups.difference({"gain": -0.0001, "half": 0.02}, True) == "0.0 ± 2.0"


def test_confidence_says_which_way_and_whether_it_helps():
    def told(temperature, after, ece=0.05):
        return {
            "temperature": temperature,
            "before": {"ece": 0.1, "log_loss": 0.5},
            "after": {"ece": ece, "log_loss": after},
        }

    assert "too sure" in plain(confidence.said(told(1.5, 0.4))) and "does not help" not in plain(
        confidence.said(told(1.5, 0.4))
    )
    assert "too modest" in plain(confidence.said(told(0.5, 0.4)))
    assert "does not help" in plain(confidence.said(told(0.5, 0.6, 0.2)))
    for mixed in (told(0.5, 0.6), told(0.5, 0.4, 0.2)):
        assert str(t("examine.confidence.mixed")) in plain(confidence.said(mixed))
    assert "about as sure" in plain(confidence.said(told(1.01, 0.4)))
