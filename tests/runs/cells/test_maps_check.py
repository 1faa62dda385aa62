"""What is kept of a teacher's attention is told before it is asked, and refused where memory is short."""

from pathlib import Path

from kd_core.runs import plan
from kd_core.specs import Choice, StudentSpec
from tests.runs.tables import small_spec

CNN = StudentSpec(name="cnn", arch=Choice(name="cnn"))
SPEC = small_spec(Path("t.csv"), seeds=3).model_copy(update={"teacher": Choice(name="cnn"), "students": (CNN,)})


def found(objective, rows):
    spec = SPEC.model_copy(update={"objective": Choice(name=objective)})
    return plan.check(spec, "multiclass", 10, ("pixels",), rows)


def test_memory_of_attention_is_told_and_refused_where_it_is_short(monkeypatch):
    monkeypatch.setattr("kd_core.runs.cells.maps_check.free_bytes", lambda: 2**30)
    for rows, severity in ((1_000, "note"), (40_000, "warning"), (70_000, "error")):
        (problem,) = found("at", rows)
        assert problem.severity == severity and f"{rows:,} training pictures" in problem.message
    assert problem.message.endswith("takes up to 547 MB of memory, and 1,024 MB are free.")


def test_a_student_that_sees_pictures_moved_or_mirrored_is_not_taught_attention():
    for settings, codes in (({}, []), ({"moved": 1}, ["maps_varied"]), ({"mirrored": True}, ["maps_varied"])):
        varied = StudentSpec(name="cnn", arch=Choice(name="cnn", settings=settings))
        for objective, expected in (("at", codes), ("review", codes), ("hinton", [])):
            spec = SPEC.model_copy(update={"objective": Choice(name=objective), "students": (varied,)})
            said = plan.check(spec, "multiclass", 10, ("pixels",), 100)
            assert [p.code for p in said if p.severity == "error"] == expected


def test_other_lessons_keep_no_attention(monkeypatch):
    monkeypatch.setattr("kd_core.runs.cells.maps_check.free_bytes", lambda: 0)
    assert found("hinton", 70_000) == found("sp", 70_000) == []
