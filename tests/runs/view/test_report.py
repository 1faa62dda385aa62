"""The sentences about the chosen cells of a what-if."""

from __future__ import annotations

import pytest

from kd_core.runs.outcome import read_outcome, varied
from kd_core.runs.view.report import choice_line, setting, verdict_lines
from tests.runs.results import SQUARE, cell, result, student


def test_the_choice_is_said_with_its_odds():
    lines = verdict_lines(result(SQUARE, [student("tiny", 3)], 3))
    assert lines[0] == (
        "Best of 4 cells on validation: T 4, alpha 0.75; on the test rows +0.90 points accuracy against its baseline "
        "(95 % +0.20 to +1.60)."
    )
    assert lines[1] == (
        "Which cell is best is open: none of the other 3 cells can be told apart from it on validation. "
        "The verdict is of another question: it sets the best cell against its baseline, on test rows."
    )
    assert lines[2] == (
        "BEATS: distilling helped the tiny student: +0.90 points of accuracy over the same student alone (95 %: +0.20 to +1.60; "
        "3 seeds)."
    )


def test_a_baseline_that_was_best_and_what_is_missing_are_said():
    cells = [
        cell(0, 1.0, 0.0, 0.0, like_best=True),
        cell(1, 1.0, 0.75, -0.1, diverged=2, stopped=True),
        cell(2, 4.0, 0.75, None, diverged=1),
    ]
    lines = verdict_lines(result(cells, [student("tiny", 0)], 0))
    assert (
        lines[0] == "Best of 2 cells on validation: T 1, alpha 0, the baseline itself; no share of the teacher helped."
    )
    assert lines[1:5] == [
        "No other cell is like it on validation.",
        "1 of 3 cells have no usable pair of student and baseline.",
        "1 cell was stopped before its end and shows its best so far.",
        "3 trainings diverged.",
    ]


def test_units_of_the_target_and_one_seed():
    found = result(SQUARE, [student("tiny", 3, 0.00123, None, None), student("base", 3)], 3, "target")
    read = read_outcome(found)
    line = choice_line(read, read.students[0])
    assert line.startswith("Best of 4 cells of tiny on validation: T 4, alpha 0.75; on the test rows +0.00123 accuracy")
    assert "(one seed, no interval)" in line


def test_a_setting_names_what_was_varied():
    cells = [cell(0, None, 0.5, 0.0, rate=0.1), cell(1, None, 0.5, 0.0, rate=0.2)]
    assert setting(cells[0], varied(cells)) == "alpha 0.5, learning rate 0.1"


def test_with_one_seed_the_margin_is_named():
    cells = [{**c, "scores": [0.8]} for c in SQUARE]
    (line,) = [x for x in verdict_lines(result(cells, [student("tiny", 3)], 3)) if "on validation (" in x]
    assert "on validation (one seed: within the margin of the metric). The verdict is" in line


def claim(**more):
    gain = {"mean": 0.0053, "ci95": [0.001, 0.0096], "seeds_half": 0.002, "rows_half": 0.0038, "n": 5}
    found = result(SQUARE, [student("tiny", 3)], 3)
    del found["sweep"]
    found["students"][0] |= {"gain": {"accuracy": gain}, "seeds": [0, 1, 2, 3, 4], **more}
    return verdict_lines(found)


def test_a_student_is_told_with_its_kind_once():
    lines = claim(arch={"name": "piecewise", "settings": {}})
    assert "helped the tiny student (MLP on piecewise-linear numbers): +0.53 points" in lines[0]
    assert "piecewise" not in " ".join(lines[1:])


def test_both_parts_of_the_interval_are_told_with_enough_digits():
    assert claim()[0] == (
        "BEATS: distilling helped the tiny student: +0.53 points of accuracy over the same student alone (95 %: +0.10 to +0.96; "
        "seeds +-0.20, rows +-0.38; 5 seeds)."
    )


def test_the_teacher_gets_the_credit_only_with_its_interval():
    over = {
        "metrics": {"accuracy": {"mean": 0.79}},
        "gain": {"accuracy": {"mean": 0.004, "ci95": [0.001, 0.007], "n": 5}},
    }
    assert claim(placebo=over)[1].startswith("  From this teacher: +0.40 points of accuracy over the same student on")
    over["gain"]["accuracy"]["ci95"] = [-0.001, 0.009]
    assert claim(placebo=over)[1].startswith("  Not clear whether from this teacher: +0.40 points")


def test_the_distance_to_the_teacher_and_what_would_settle_it():
    behind = {"accuracy": {"mean": -0.007, "ci95": [-0.011, -0.003], "seeds_half": 0.001, "rows_half": 0.004, "n": 5}}
    lines = claim(versus_teacher=behind, verdict="inconclusive", advice={"kind": "rows", "need": 5200})
    assert lines[0].startswith(
        "INCONCLUSIVE: it is not clear yet whether distilling helped the tiny student: +0.53 points"
    )
    assert "  Against the teacher: -0.70 points of accuracy (95 %: -1.10 to -0.30; seeds +-0.10, rows +-0.40)." in lines
    assert "  What would settle it: about 5,200 test rows in all; more seeds can't help." in lines
    assert "  What would settle it: about 9 seeds in all." in claim(advice={"kind": "seeds", "need": 9})
    beyond = "  What would settle it: more seeds than are sensible, about 1,070 seeds in all; "
    assert any(line.startswith(beyond) for line in claim(advice={"kind": "seeds", "need": 1070}))


def test_small_differences_of_a_target_get_their_digits():
    found = result(SQUARE, [student("tiny", 3, 0.00123, 0.00101, 0.00145)], 3, "target")
    del found["sweep"]
    assert "+0.00123 accuracy over the same student alone (95 %: +0.00101 to +0.00145" in verdict_lines(found)[0]
    found["students"][0]["gain"]["accuracy"] |= {"mean": 52918.0, "ci95": [51000.0, 54836.0]}
    assert "+52,918 accuracy" in verdict_lines(found)[0]


def test_many_reads_of_the_test_rows_are_said_quietly():
    found = result(SQUARE, [student("tiny", 3)], 3) | {"test_reads": 9}
    del found["sweep"]
    assert not any("have been read" in line for line in verdict_lines(found))
    found["test_reads"] = 10
    assert any("have been read by 10 runs" in line for line in verdict_lines(found))


LEFT_OUT = {"name": "linear", "title": "a linear model", "reason": "It has no file."}


@pytest.mark.parametrize(
    ("sizes", "missing", "said"),
    [
        ([9000], [], ["No plain model of the list is as small as this student (4.0 KB)."]),
        ([3000], [], ["No plain model was set beside this student: the run was stopped before."]),
        ([], [], ["No plain model was set beside this student: the run was stopped before."]),
        (
            [],
            [LEFT_OUT],
            [
                "No plain model was set beside this student: none could be had.",
                "Left out of the plain models: a linear model (It has no file).",
            ],
        ),
    ],
)
def test_why_no_plain_model_stands_beside_a_student_is_told_apart(sizes, missing, said):
    found = result(SQUARE, [student("tiny", 3) | {"deployed": {"bytes": 4096}}], 3)
    found["references"] = {"known": [{"bytes": n} for n in sizes], "missing": missing}
    assert [line.strip() for line in verdict_lines(found) if "lain model" in line] == said
