"""What the result page says of a teacher that answered only some rows."""

from pages.ui.result import verdict


def found(known, **more):
    rows = {"train": 840, "validation": 180, "test": 180}
    return {"dataset": {"rows": rows}, "teacher": {"known": known, "size_bytes": None, **more}}


def test_rows_and_what_the_numbers_were_taken_for_are_said_literally():
    note = {"severity": "note", "code": "read_as", "message": "Read as *probabilities*.", "hint": ""}
    lines = verdict.about_teacher(found({"train": 500, "validation": 90, "test": 80}, notes=[note]))
    assert "*" not in lines[0] and "probabilities" in lines[0]
    assert "answered 500 of 840 training, 90 of 180 validation and 80 of 180 test rows" in lines[1]


def test_a_teacher_that_answered_all_says_nothing():
    assert verdict.about_teacher({"teacher": {"size_bytes": 10}}) == []
