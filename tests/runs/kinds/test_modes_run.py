"""Modes beyond tables: from texts and pictures to a result; where a mode can't work there, it says what to do instead."""

import pytest

from kd_core.distill import MODES
from kd_core.runs import experiment, plan
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec
from tests.data.pictures.zips import shapes, zipped
from tests.data.views.test_text_views import text_table
from tests.runs.kinds.test_text_run import carry_out

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
NEEDS_ROWS = {"patient": "Set mode.made_rows to 0", "offline": "Set made_rows to 0"}


def texts(place):
    return text_table(place / "t.csv", 300), "bag", "bag:tiny", "ngrams"


def pictures(place):
    dataset = DatasetSpec(source=str(zipped(place / "shapes.zip", shapes(60, colour=True))), target="class")
    return dataset, "cnn", "cnn:tiny", "pixels"


def spec_of(given, mode, settings=None):
    dataset, teacher, student, _ = given
    return RunSpec(
        dataset=dataset,
        teacher=teacher_choice(teacher, ["teacher.size=tiny", "teacher.epochs=3"]),
        students=(student_spec(student),),
        objective=Choice(name="hinton"),
        mode=Choice(name=mode, settings=settings or {}),
        training=TrainingSpec(epochs=3, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False, placebo=False),
    )


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        (kind, name)
        for kind in (texts, pictures)
        for name in MODES.names()
        if name != "offline" and (kind, name) not in ((pictures, "data_free"), (texts, "data_free_pictures"))
    ],
)
def test_a_mode_teaches_students_of_texts_and_pictures(kind, mode, tmp_path):
    settings = {"patient": {"made_rows": 0}, "data_free_pictures": {"pictures": 100, "steps": 10}}.get(mode)
    result, _ = carry_out(spec_of(kind(tmp_path), mode, settings), tmp_path / "run")
    (student,) = result["students"]
    taught, alone = (block["metrics"]["log_loss"]["values"] for block in (student, student["baseline"]))
    assert len(taught) == len(alone) == 2 and taught != alone


@pytest.mark.parametrize("kind", [texts, pictures])
@pytest.mark.parametrize(("mode", "instead"), NEEDS_ROWS.items())
def test_where_rows_are_made_it_is_said_how_to_do_without(kind, mode, instead, tmp_path):
    given = kind(tmp_path)
    spec = spec_of(given, mode)
    if mode == "offline":
        spec = spec.model_copy(update={"training": TrainingSpec(epochs=3, seeds=2, made_rows=1)})
    found = plan.check(spec, "multiclass", 3, (given[3],), 200)
    said = [p for p in found if p.severity == "error"]
    assert said and all(p.code == "made_rows_view" and p.hint.startswith(instead) for p in said)


def test_pictures_are_not_made_up_and_it_is_said_why(tmp_path):
    given = pictures(tmp_path)
    found = plan.check(spec_of(given, "data_free"), "multiclass", 3, (given[3],), 200)
    said = [p for p in found if p.severity == "error"]
    assert [p.code for p in said] == ["made_up_pictures"] * 2  # for the teacher and for the student
    assert all("show nothing that a teacher knows" in p.message for p in said)
    assert all(p.hint.startswith("Choose the mode 'offline', or the mode 'data_free_pictures'") for p in said)


def test_who_hears_nothing_of_training_rows_is_not_warned_of_a_teacher_that_knows_them(tmp_path):
    given, found = pictures(tmp_path), {}
    # A number that no other test asks for: what was made for one network is kept in memory, and then nothing is told of it.
    for mode, settings in (("data_free_pictures", {"pictures": 120, "steps": 11}), ("offline", {})):
        spec = spec_of(given, mode, settings)
        spec = spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"folds": 1})})
        events = []
        result = experiment.run(spec, RunFolder.create(tmp_path / mode, spec), events.append, lambda: False)
        said = [{n["code"] for n in result["teacher"].get("notes", ())}]
        said += [{e["code"] for e in events if e["kind"] == "warning"}]
        found[mode] = ["in_sample" in codes for codes in said]
        if settings:
            parts = [e for e in events if e["kind"] == "part" and e.get("what") == "made"]
            assert parts[-1]["done"] == parts[-1]["of"] and {e["phase"] for e in parts} == {"students"}
    assert found == {"data_free_pictures": [False, False], "offline": [True, True]}


def test_a_patient_teacher_answers_mixed_pictures(tmp_path):
    spec = spec_of(pictures(tmp_path), "patient", {"mix": "linear"})
    result, _ = carry_out(spec, tmp_path / "run")
    plain, _ = carry_out(spec_of(pictures(tmp_path), "patient", {"made_rows": 0}), tmp_path / "plain")
    (note,) = [n["message"] for n in result["teacher"]["notes"] if n["code"] == "mixed_rows"]
    assert note.startswith(f"{2 * result['dataset']['rows']['train']:,} rows were mixed of two training rows")
    ours, theirs = (one["students"][0] for one in (result, plain))
    assert ours["metrics"] != theirs["metrics"] and ours["baseline"]["metrics"] == theirs["baseline"]["metrics"]
