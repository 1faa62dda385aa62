"""The recipe of a patient teacher: its answers alone, on the training rows and on mixed ones."""

import pytest

from kd_core.distill import MODES
from kd_core.runs import plan
from kd_core.runs.cells import modes
from kd_core.specs import Choice
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
