"""The recipe of a patient teacher: its answers alone, on the training rows and on mixed ones."""

import pytest

from kd_core.distill import MODES
from kd_core.distill.beside.mixed import LINEAR
from kd_core.distill.modes.patient import PatientSpec
from kd_core.runs import plan
from kd_core.runs.cells import modes
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers.made_rows import NEIGHBOURS
from tests.runs.tables import small_spec, write_table
from tests.runs.test_experiment import carry_out


def asking(path, task="binary", **settings):
    return small_spec(path, task).model_copy(update={"mode": Choice(name="patient", settings=settings)})


def test_the_teacher_has_the_whole_lesson_at_temperature_1_on_mixed_rows(tmp_path):
    asked = asking(tmp_path / "a.csv")
    done = modes.carried_out(asked)
    assert done.objective == Choice(name="hinton", settings={"alpha": 1.0, "temperature": 1.0})
    assert done.training.made_rows == 2 and asked.training.made_rows == 0
    assert modes.carried_out(done) == done
    kept = asked.training.model_copy(update={"made_rows": 3})
    assert modes.carried_out(asked.model_copy(update={"training": kept})).training.made_rows == 3
    assert modes.carried_out(asking(tmp_path / "a.csv", made_rows=0)).training.made_rows == 0
    number = modes.carried_out(asking(tmp_path / "a.csv", "regression"))
    assert number.objective == Choice(name="mse", settings={"alpha": 1.0})
    other = asked.model_copy(update={"objective": Choice(name="dkd", settings={"temperature": 4.0})})
    assert modes.carried_out(other).objective == done.objective


def test_where_rows_can_t_be_mixed_it_says_so_and_none_can_be_asked_for(tmp_path):
    folds = small_spec(tmp_path / "a.csv").evaluation.model_copy(update={"folds": 1})
    network = {"teacher": Choice(name="mlp"), "evaluation": folds}

    def said(spec):
        return [p.message for p in plan.check(spec, "binary", 2, ("table", "columns")) if p.severity == "error"]

    (one,) = said(asking(tmp_path / "a.csv").model_copy(update=network))
    assert one.startswith("Rows can't be made with 1 fold")
    assert said(asking(tmp_path / "a.csv", made_rows=0).model_copy(update=network)) == []


def test_rows_are_mixed_of_neighbours_where_nobody_asks_for_more(tmp_path):
    plain, linear = asking(tmp_path / "a.csv"), asking(tmp_path / "a.csv", mix="linear")
    assert modes.making(plain) is NEIGHBOURS and modes.making(linear) is LINEAR
    assert modes.making(plain.model_copy(update={"mode": Choice(name="offline")})) is NEIGHBOURS
    assert PatientSpec().to_json() == '{"made_rows":2}' and plain.work_hash() != linear.work_hash()


def test_linear_mixing_reaches_pictures_and_texts_keep_their_reason(tmp_path):
    def said(reader, view, **settings):
        one = (StudentSpec(name="s", arch=Choice(name=reader)),)
        spec = asking(tmp_path / "a.csv", **settings).model_copy(
            update={"teacher": Choice(name=reader), "students": one}
        )
        return [f"{p.message} {p.hint}" for p in plan.check(spec, "binary", 2, (view,)) if p.severity == "error"]

    assert said("cnn", "pixels", mix="linear") == []
    pixels = said("cnn", "pixels")
    assert len(pixels) == 2 and all("pixels: they are put together column by column" in m for m in pixels)
    assert all("Set mode.made_rows to 0, or mode.mix to linear, or choose" in m for m in pixels)
    words = said("textcnn", "tokens", mix="linear")
    assert len(words) == 2 and all(
        "numbers and pixels can be mixed, words can't" in m and "mix to" not in m for m in words
    )


@pytest.mark.slow
def test_a_linear_run_is_of_mixed_rows_and_the_same_again(tmp_path, own_workspace):
    spec = asking(write_table(tmp_path / "a.csv"), mix="linear")
    near, found, again = (
        carry_out(one, tmp_path / name)
        for name, one in (("near", asking(tmp_path / "a.csv")), ("run", spec), ("again", spec))
    )
    assert [n["code"] for n in found["teacher"]["notes"]][-1] == "mixed_rows" and again["teacher"]["cached"]
    ours, theirs, other = (one["students"][0] for one in (found, again, near))
    assert ours["metrics"] == theirs["metrics"] != other["metrics"]
    assert ours["baseline"]["metrics"] == other["baseline"]["metrics"]
    assert found["mode"]["settings"] == {"made_rows": 2, "mix": "linear"}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_patient_run_is_that_recipe_and_says_the_mode(tmp_path, task):
    asked = asking(write_table(tmp_path / "a.csv", task), task)
    found = carry_out(asked, tmp_path / "run")
    plain = carry_out(modes.carried_out(asked).model_copy(update={"mode": Choice(name="offline")}), tmp_path / "plain")
    ours, theirs = found["students"][0], plain["students"][0]
    assert ours["metrics"] == theirs["metrics"] and ours["baseline"]["metrics"] == theirs["baseline"]["metrics"]
    assert ours["alpha"] == 1.0 and found["mode"]["settings"] == {"made_rows": 2}
    assert found["work_hash"] == asked.work_hash() != plain["work_hash"]
    assert any(note["code"] == "made_rows" for note in found["teacher"]["notes"])
    assert MODES.get("patient").facts.get("apart") is None
