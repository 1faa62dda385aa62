"""The line of answers: its words for every case, and its numbers recomputed from the seeds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kd_core.evaluate.intervals.stepping import Behind
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.settings.answers import Answer, Answers, Setting, answer
from kd_core.runs.settings.sentence import Unit, clauses, line
from tests.runs.settings.grids import grid_of

POINTS, RMSE = Unit.of("share", "Accuracy"), Unit.of("target", "RMSE")
HIGHER = Judge("higher", 0.005, False)


def one(value, word, mean=0.012, low=None, high=None, need=None):
    half = 0.016 if word == "unclear" else 0.008
    low, high = mean - half if low is None else low, mean + half if high is None else high
    told = Behind(mean, low, high, 5, 0.95, word, need) if word in ("enough", "worse", "unclear") else None
    return Answer(value, word, 0, told)


def said(name, *answers, unit=POINTS):
    return "; ".join(clauses(Setting(name, answers), unit))


@pytest.mark.parametrize(
    ("name", "answers", "words"),
    [
        ("temperature", [(1, "best"), (2, "enough"), (4, "enough")], "any T from 1 to 4 will do"),
        ("temperature", [(1, "best"), (4, "enough")], "T 1 or 4 will do"),
        (
            "temperature",
            [(1, "best"), (2, "worse"), (4, "enough"), (8, "enough")],
            "T 1, 4 or 8 will do; T 1 beats 2 by 1.2 points [0.4, 2.0]",
        ),
        (
            "temperature",
            [(1, "worse"), (2, "worse"), (4, "worse"), (8, "best")],
            "T 8 beats 1, 2 and 4 by 1.2 points [0.4, 2.0] or more",
        ),
        (
            "temperature",
            [(1, "best"), *((v, "unclear") for v in (2, 3, 4, 6, 8))],
            "all T from 2 to 8 are not clear yet",
        ),
        (
            "temperature",
            [(1, "unclear"), (2, "best"), *((v, "unclear") for v in (3, 4, 6, 8))],
            "T 1, 3, 4, 6 and 8 are not clear yet",
        ),
        (
            "learning_rate",
            [(0.001, "best"), (0.01, "enough"), (0.1, "enough")],
            "any learning rate from 0.001 to 0.1 will do",
        ),
        ("student", [("tiny", "worse"), ("small", "best")], "small beats tiny by 1.2 points [0.4, 2.0]"),
        ("student", [("tiny", "enough"), ("small", "best"), ("base", "enough")], "tiny, small or base will do"),
        ("method", [("hinton", "best"), ("dkd", "failed")], "dkd came to no usable end"),
        ("temperature", [(1, "best"), (4, "same")], "T plays no part at alpha 0"),
        ("temperature", [(1, "same"), (4, "same")], "T plays no part in the best setting"),
        ("temperature", [(1, "best"), (4, "waiting"), (8, "waiting")], "T 4 and 8 are still in training"),
        ("temperature", [(1, "best"), (4, "stopped")], "T 4 was stopped"),
    ],
)
def test_clauses(name, answers, words):
    assert said(name, *(one(value, word) for value, word in answers)) == words


def test_what_is_not_clear_yet_is_told_with_one_number_of_seeds_that_settles_all_of_it():
    first = Setting("temperature", (one(1, "best"), one(4, "unclear", need=12), one(8, "unclear", need=9)))
    second = Setting("dropout", (one(0, "best"), one(0.1, "unclear", need=5)))
    words = line(told(settings=(first, second)), POINTS)
    assert (
        "T 4 and 8 are not clear yet; dropout 0.1 is not clear yet. About 12 seeds of each cell or more would settle"
        in words
    )
    assert len(re.findall("seeds", words)) == 1
    for need in (51, None):
        many = Setting("temperature", (one(1, "best"), one(4, "unclear", need=need)))
        assert line(told(settings=(many, second)), POINTS).endswith(
            ". Settling all that is open would take more seeds than are sensible, above 50: a steadier student, whose seeds differ less, helps instead."
        )


def test_alpha_above_0_is_what_has_to_be_proven():
    assert said("alpha", one(0, "unclear"), one(0.5, "best"), one(1, "worse")) == (
        "alpha above 0 is unproven; alpha 0.5 beats 1 by 1.2 points [0.4, 2.0]"
    )
    assert said("alpha", one(0, "best"), one(0.5, "unclear")) == "alpha above 0 is unproven"
    none = "none surely better than no teacher at all"
    assert said("alpha", one(0, "unclear"), one(0.25, "enough"), one(0.5, "best"), one(1, "enough")) == (
        f"any alpha from 0.25 to 1 will do, {none}"
    )
    assert said("alpha", one(0, "unclear"), one(0.25, "unclear"), one(0.5, "best"), one(1, "enough")) == (
        f"alpha 0.5 or 1 will do, {none}; alpha 0.25 is not clear yet"
    )
    assert said("alpha", one(0, "best"), one(0.5, "enough"), one(1, "unclear")) == (
        f"alpha 0 or 0.5 will do, {none}; alpha 1 is not clear yet"
    )
    assert said("alpha", one(0, "enough"), one(0.5, "best"), one(1, "enough")) == "any alpha from 0 to 1 will do"
    assert said("alpha", one(0, "best"), one(0.5, "worse")) == "alpha 0 beats 0.5 by 1.2 points [0.4, 2.0]"
    assert said("alpha", one(0.25, "unclear"), one(0.5, "best")) == "alpha 0.25 is not clear yet"


@pytest.mark.parametrize("others", [["enough"], ["unclear"], []])
def test_where_the_pair_alone_is_clear_of_0_the_line_says_why_it_is_weaker(others):
    """Three seeds, 25 cells: 1.1 points [0.7, 1.5] by itself is [-5, 7] once all comparisons hold together."""
    t_alone, t_wide = stats.t.isf(0.025, 2), stats.t.isf(0.025 / 250, 2)
    half = 0.004 * t_wide / t_alone
    zero = Answer(0, "unclear", 0, Behind(0.011, 0.011 - half, 0.011 + half, 3, 1 - 0.05 / 250, "unclear", 11))
    words = said("alpha", zero, one(0.5, "best"), *(one(1, w) for w in others))
    why = "with all comparisons counted (by itself, as the bars on the map are, no teacher is 1.1 points [0.7, 1.5] behind)"
    assert zero.behind.low < -0.05 and why in words
    tied = Answer(0, "unclear", 0, Behind(0.001, -half, 0.002 + half, 3, 1 - 0.05 / 250, "unclear", 11))
    assert "by itself" not in said("alpha", tied, one(0.5, "best"), *(one(1, w) for w in others))


def test_units_and_digits_follow_the_interval():
    assert POINTS.amount(one(1, "worse", 0.0123, 0.0118, 0.0128)) == "1.23 points [1.18, 1.28]"
    assert RMSE.amount(one(1, "worse", 12.34, 4.3, 20.4)) == "12 RMSE [4, 20]"
    assert RMSE.amount(one(1, "worse", 0.0123, 0.0043, 0.0203)) == "0.012 RMSE [0.004, 0.020]"
    assert POINTS.amount(one(1, "worse", 0.0189, 0.0189, 0.0189)) == "1.9 points [1.9, 1.9]"
    assert POINTS.amount(one(1, "enough", 0.001, -0.0002, 0.0022)) == "0.1 points [-0.02, 0.2]"
    assert POINTS.amount(one(1, "worse", 0.004, 0.0003, 0.008)) == "0.4 points [0.03, 0.8]"
    assert POINTS.amount(one(1, "worse", 0.004, 0.0, 0.008)) == "0.4 points [0.0, 0.8]"
    assert POINTS.amount(one(1, "worse", 0.0, 0.0, 0.0)) == "0.0 points [0.0, 0.0]"


def told(**changes):
    found = {
        "best": 0,
        "values": {"temperature": 4.0, "student": "tiny"},
        "settings": (Setting("temperature", (one(1, "best"), one(4, "enough"))),),
    }
    return Answers(**{**found, "margin": 0.005, "compared": 1, "cells": 2, "seeds": 5, "so_far": False, **changes})


def test_whole_lines():
    assert line(told(), POINTS) == "T 4, tiny is best on validation. T 1 or 4 will do."
    assert line(told(so_far=True), POINTS) == "So far: T 4, tiny is best on validation. T 1 or 4 will do."
    assert (
        line(told(seeds=1), POINTS)
        == "One seed can't say which settings will do: train three at least. The best on validation is T 4, tiny."
    )
    assert line(told(best=None), POINTS) == "No setting has a score."
    assert line(told(best=None, so_far=True), POINTS) == "No setting has a score yet."
    assert line(told(settings=()), POINTS) == "One setting was tried, so there is nothing to compare."


def test_the_numbers_of_a_line_are_those_of_the_seeds():
    """Small beats tiny by so much, with the interval at Holm's level, from the scores alone."""
    tried = grid_of(
        lambda h: 0.012 * (h["student"] == "tiny"), spread=0.003, seeds=8, student=("tiny", "small"), temperature=(2,)
    )
    words = line(answer(tried, HIGHER), POINTS)
    d = 100 * np.array([tried[1].scores[n] - tried[0].scores[n] for n in range(8)])
    low, high = stats.t.interval(0.95, 7, d.mean(), stats.sem(d))
    found = [float(v) for v in re.findall(r"-?\d+\.\d+", words)]
    assert words.startswith("Small is best on validation. Small beats tiny by") and found == [
        round(d.mean(), 1),
        round(low, 1),
        round(high, 1),
    ]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["enough", "worse", "unclear", "failed", "waiting", "stopped"]), min_size=1, max_size=7),
    st.integers(0, 7),
    st.sampled_from(["temperature", "alpha", "dropout", "student"]),
)
def test_every_value_is_told_and_ranges_hold_no_other(kinds, at, name):
    kinds.insert(min(at, len(kinds)), "best")
    values = [f"s{i}" for i in range(len(kinds))] if name == "student" else list(range(1, len(kinds) + 1))
    words = said(name, *(one(v, w, need=9) for v, w in zip(values, kinds, strict=True)))
    words_of = dict(zip(map(str, values), kinds, strict=True))
    inside = set()
    for which, first, last in re.findall(r"(any|all) \w+ from (\d+) to (\d+)", words):
        held = {str(v) for v in range(int(first), int(last) + 1)}
        kinds_of = {words_of[v] for v in held}
        assert kinds_of <= {"best", "enough"} if which == "any" else len(kinds_of) == 1
        inside |= held
    rest = re.sub(r"\(.*?\)|\[.*?\]|by [\d.]+ points", "", words)
    assert set(re.findall(r"s\d+|\d+", rest)) | inside >= set(words_of) - (
        {v for v, w in words_of.items() if w == "best"}
    )
