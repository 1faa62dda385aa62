"""The mode under a verdict: its name, the time it took, and who learned for the student's sake."""

from pages.ui.mode import told
from tests.pages.results import result


def in_mode(times):
    found = result(students=("tiny", "small"))
    found["mode"] = {"name": "mutual", "title": "Mutual *now*", "settings": {}, "times": times}
    for student, score in zip(found["students"], (0.8, 0.7), strict=True):
        helper = {"name": "teacher", "score": score, "seconds": 2.0, "parameters": 9}
        own = student.setdefault("selection", {})
        own["student"] = [{"seed": seed, "score_selected": 0.9, "seconds": 1.0, "helpers": [helper]} for seed in (0, 1)]
    return found


def test_a_result_of_stored_answers_says_nothing():
    assert told.lines(result(), 0) == []


def test_the_mode_and_who_learned_for_this_student_are_said():
    mode, longer, helper, itself = told.lines(in_mode(2.0), 1)
    assert "Mutual &#42;now&#42;" in mode and "bout 2 networks" in longer
    assert helper.startswith("teacher:") and "0.7" in helper and "mean of 2 seeds" in helper and "4" in helper
    assert itself.startswith("the student itself:") and "0.9" in itself
    assert len(told.lines(in_mode(1.0), 0)) == 3


def test_a_score_of_another_measure_is_not_called_the_metric():
    found = in_mode(1.0)
    for one in found["students"][0]["selection"]["student"]:
        one["helpers"][0]["measure"] = "accuracy against the teacher's answers"
    _, helper, _ = told.lines(found, 0)
    assert "accuracy against the teacher" in helper and found["metric"]["title"] not in helper
