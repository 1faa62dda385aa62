"""The line that can be read aloud: short, and its words and its one number are those of the long one."""

from __future__ import annotations

import pytest

from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.settings import sentence, short_line
from kd_core.runs.settings.answers import Setting, answer
from kd_core.runs.settings.short_line import line
from tests.runs.settings.grids import grid_of
from tests.runs.settings.test_sentence import POINTS, one, told

UNSURE = ", though not surely better than no teacher."
HIGHER = Judge("higher", 0.005, False)


def said(name, *answers, **changes):
    values = {"temperature": 4.0, "student": "base"}
    return line(told(values=values, settings=(Setting(name, answers),), **changes), POINTS)


def test_several_settings_are_said_to_be_changed_one_at_a_time():
    several = (
        Setting("temperature", (one(4, "best"), one(8, "enough"))),
        Setting("student", (one("tiny", "worse"), one("base", "best"))),
    )
    found = told(values={"temperature": 4.0, "student": "base"}, settings=several)
    assert line(found, POINTS) == "Best: T 4, base. Changing one thing from there: any T will do; base beats tiny."


def test_of_a_best_cell_without_a_teacher_what_plays_no_part_is_left_out():
    alone = (
        Setting("temperature", (one(4, "best"), one(8, "same"))),
        Setting("alpha", (one(0, "best"), one(1, "worse"))),
    )
    found = told(values={"temperature": 4.0, "alpha": 0.0}, settings=alone)
    assert line(found, POINTS) == "Best: no teacher (alpha 0). Changing one thing from there: alpha 0 beats 1."


@pytest.mark.parametrize(
    ("name", "answers", "words"),
    [
        ("temperature", [(1, "worse"), (2, "enough"), (4, "best"), (8, "enough")], "T from 2 on will do."),
        ("temperature", [(1, "worse"), (2, "enough"), (4, "best"), (8, "enough"), (16, "worse")], "T 2 to 8 will do."),
        ("temperature", [(1, "enough"), (4, "best")], "Any T will do."),
        ("temperature", [(1, "enough"), (2, "worse"), (4, "best"), (8, "enough")], "T 1, 4 or 8 will do."),
        ("student", [("tiny", "worse"), ("small", "worse"), ("base", "best")], "Base beats the others."),
        ("student", [("tiny", "worse"), ("base", "best")], "Base beats tiny."),
        ("temperature", [(1, "best"), (4, "waiting")], "T 4 is still in training."),
        ("temperature", [(1, "unclear"), (4, "best"), (8, "unclear")], "Not clear yet: which T is best."),
        ("temperature", [(1, "unclear"), (4, "best"), (8, "enough")], "T 4 or 8 will do. Not clear yet: T 1."),
        ("alpha", [(0, "unclear"), (1, "best")], UNSURE),
        ("alpha", [(0, "unclear"), (0.5, "unclear"), (1, "best")], f"{UNSURE} Not clear yet: which alpha is best."),
        ("alpha", [(0, "unclear"), (0.5, "enough"), (1, "best")], f"{UNSURE} Alpha 0.5 or 1 will do."),
        ("alpha", [(0, "worse"), (0.5, "unclear"), (1, "best")], "Alpha 1 beats 0. Not clear yet: alpha 0.5."),
        ("alpha", [(0, "best"), (0.5, "unclear"), (1, "unclear")], "Not clear yet: whether any alpha beats no teacher."),
        ("alpha", [(0, "best"), (0.5, "enough"), (1, "unclear")], "Alpha 0 or 0.5 will do. Not clear yet: whether any alpha beats no teacher."),
    ],
)  # fmt: skip
def test_words(name, answers, words):
    found = said(name, *(one(value, word, need=9) for value, word in answers))
    assert (
        found.removeprefix("Best: T 4, base").removeprefix(". ").removesuffix(" About 9 seeds or more would settle it.")
        == words
    )


def test_the_seeds_that_would_settle_it_are_those_of_the_long_line():
    found = told(
        settings=(Setting("temperature", (one(1, "best"), one(4, "unclear", need=12), one(8, "unclear", need=9))),)
    )
    assert line(found, POINTS).endswith(
        "About 12 seeds or more would settle it."
    ) and "About 12 seeds" in sentence.line(found, POINTS)
    for need in (51, None):
        many = told(settings=(Setting("temperature", (one(1, "best"), one(4, "unclear", need=need))),))
        assert "Settling it would take more seeds than are sensible, above 50: a steadier" in line(many, POINTS)
    assert line(told(so_far=True), POINTS).startswith("So far: Best: T 4, tiny.")
    assert line(told(seeds=1), POINTS) == sentence.line(told(seeds=1), POINTS)


def test_a_value_that_is_worse_beside_the_best_cell_alone_is_said_to_be_so_and_the_frame_agrees():
    """Alpha 0.5 loses at T 1 and nowhere else: the map frames it at T 4."""
    tried = grid_of(
        lambda h: 0.02 * (h["alpha"] == 0) + 0.012 * (h["alpha"] == 0.5 and h["temperature"] == 1),
        spread=0.0006, seeds=8, temperature=(1, 4), alpha=(0, 0.5, 1),
    )  # fmt: skip
    best = next(t.number for t in tried if t.values["temperature"] == 1 and t.values["alpha"] == 1)
    found = answer(tried, HIGHER, best)
    half = next(a for s in found.settings if s.name == "alpha" for a in s.answers if a.value == 0.5)
    framed = [t for t in tried if t.number in found.alike and t.values["alpha"] == 0.5]
    assert (
        half.word == "worse" and half.elsewhere == ("temperature",) and [t.values["temperature"] for t in framed] == [4]
    )
    assert "at T 1, alpha 1 beats the others" in short_line.line(found, POINTS)
    assert "(0.5 may be as good with another T)" in sentence.line(found, POINTS)
    everywhere = grid_of(
        lambda h: 0.02 * (h["alpha"] < 1), spread=0.0006, seeds=8, temperature=(1, 4), alpha=(0, 0.5, 1)
    )
    assert "may be as good with another" not in sentence.line(answer(everywhere, HIGHER, best), POINTS)
