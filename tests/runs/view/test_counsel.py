"""What is advised from what was measured: each sentence at its threshold, and silence otherwise."""

from __future__ import annotations

import pytest

from kd_core.runs.outcome import read_outcome
from kd_core.runs.view.counsel import counsel, shares_sentence
from kd_core.runs.view.report import verdict_lines
from tests.runs.results import SQUARE, result, student


def told(teacher=None, **more):
    raw = result(SQUARE, [student("tiny", 3) | more], 3)
    raw["teacher"] |= teacher or {}
    found = read_outcome(raw)
    return counsel(found, found.students[0]), found.students[0], raw


@pytest.mark.parametrize(
    ("labels", "more", "codes"),
    [
        (0.04, {}, ["soft_share"]),
        (0.06, {}, []),
        (0.04, {"reason": {"code": "soft_share"}}, []),  # the verdict's reason says it already
    ],
)
def test_labels_that_hardly_count_are_told(labels, more, codes):
    found, _, _ = told(shares={"labels": labels, "hinton": 1 - labels}, **more)
    assert [p.code for p in found] == codes


@pytest.mark.parametrize(
    ("objective", "alpha", "said"),
    [("hinton", 1.0, "Lower alpha"), ("several", None, "Lower alpha"), ("simkd", None, "leaves the labels no share")],
)
def test_what_is_advised_can_be_done(objective, alpha, said):
    (problem,), _, _ = told(shares={objective: 1.0}, objective=objective, alpha=alpha)
    assert said in problem.hint


@pytest.mark.parametrize(
    ("mode", "codes"), [("born_again", ["soft_share"]), ("data_free", []), ("gone_since", ["soft_share"])]
)
def test_alpha_is_no_advice_where_no_label_is_heard(mode, codes):
    raw = result(SQUARE, [student("tiny", 3) | {"shares": {"hinton": 1.0}, "alpha": 1.0}], 3) | {"mode": {"name": mode}}
    found = read_outcome(raw)
    assert [p.code for p in counsel(found, found.students[0])] == codes


def test_where_labels_are_the_teachers_answers_its_share_is_no_finding():
    raw = result(SQUARE, [student("tiny", 3) | {"shares": {"hinton": 1.0}}], 3)
    raw["dataset"] = {**raw.get("dataset", {}), "answer_columns": ["a"]}
    found = read_outcome(raw)
    assert counsel(found, found.students[0]) == []


@pytest.mark.parametrize(
    ("theirs", "verdict", "gap", "codes"),
    [
        (10_010, "ties", 0.1, ["capacity_gap"]),
        (10_000, "ties", 0.1, []),
        (10_010, "beats", 0.1, []),
        (10_010, "ties", None, []),  # the teacher itself is not better
        (None, "ties", 0.1, []),
    ],
)
def test_a_wide_gap_without_a_gain_asks_for_an_assistant(theirs, verdict, gap, codes):
    found, _, _ = told({"parameters": theirs}, parameters=1000, verdict=verdict, gap_closed={"accuracy": gap})
    assert [p.code for p in found] == codes


def test_an_assistant_is_asked_for_by_its_mode_and_not_where_it_is_no_way():
    (problem,), _, raw = told({"parameters": 10_010}, parameters=1000, verdict="ties", gap_closed={"accuracy": 0.1})
    assert "choose the mode 'Assistant'" in problem.hint

    def codes(changed):
        found = read_outcome(changed)
        return [p.code for p in counsel(found, found.students[0])]

    assert codes(raw | {"mode": {"name": "patient"}}) == ["capacity_gap"]
    assert codes(raw | {"mode": {"name": "assistant", "chain": {"name": "assistant mlp base"}}}) == []
    assert codes(raw | {"continued": {}}) == []
    helped = {
        **raw["students"][0],
        "selection": {"student": [{"score_selected": 0.5, "helpers": [{"name": "generation 0"}]}]},
    }
    assert codes(raw | {"students": [helped]}) == []


@pytest.mark.parametrize(("top", "folds", "end"), [(0.985, 5, "temperature."), (0.985, 1, "folds: 2 or more).")])
def test_answers_as_sure_as_labels_ask_for_a_higher_temperature(top, folds, end):
    (problem,), _, _ = told({"folds": folds}, teacher_top=top)
    assert "98.5%" in problem.message and problem.hint.endswith(end)
    assert told({"folds": folds}, teacher_top=0.97)[0] == []


def test_the_terminal_says_what_moved_the_student_and_what_to_try():
    _, one, raw = told(shares={"labels": 0.02, "hinton": 0.98})
    assert shares_sentence(one) == "Of what moved the student: 2% the labels, 98% hinton."
    lines = verdict_lines(raw)
    assert f"  {shares_sentence(one)}" in lines
    assert any(
        "98% of what moved the student came from the teacher, 2.0% from the labels. Lower alpha" in x for x in lines
    )
    assert shares_sentence(told()[1]) is None
    with_alpha = told(shares={"labels": 0.56, "hinton": 0.44}, alpha=0.7)[1]
    assert shares_sentence(with_alpha) == (
        "Of what moved the student: 56% the labels, 44% hinton, which is what the weight alpha 0.7 came to."
    )
    three = told(shares={"labels": 0.5, "hinton": 0.3, "simkd": 0.2}, alpha=0.7)[1]
    assert shares_sentence(three) == "Of what moved the student: 50% the labels, 30% hinton, 20% simkd."
