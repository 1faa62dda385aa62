"""Runs with made rows: what is asked, refused, trained, told, and left as it was where nobody asks."""

import json

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.runs import plan
from kd_core.runs.cells import grid
from kd_core.runs.direct import run_here
from kd_core.runs.outcome import read_outcome
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, RunSpec, StudentSpec, SweepSpec, TrainingSpec
from tests.runs.tables import TINY, small_spec, write_table


def said(spec, views=("table", "columns")):
    return [p.message for p in plan.check(spec, "binary", 2, views) if p.severity == "error"]


def asking(path, times=2, **changes):
    spec = small_spec(path)
    return spec.model_copy(update={"training": spec.training.model_copy(update={"made_rows": times}), **changes})


def test_recipes_that_ask_for_none_stay_what_they_were(tmp_path):
    spec = small_spec(tmp_path / "a.csv").model_copy(update={"sweep": SweepSpec(alpha=(0, 1))})
    assert "made_rows" not in spec.to_json() and '"made_rows":2' in asking(tmp_path / "a.csv").to_json()
    assert RunSpec.from_json(asking(tmp_path / "a.csv").to_json()).training.made_rows == 2
    with pytest.raises(KDError, match="made_rows"):
        TrainingSpec.parse({"made_rows": 5})


def test_what_keeps_rows_from_being_made_is_said_before_anything_is_trained(tmp_path):
    path = tmp_path / "a.csv"
    assert said(asking(path)) == []
    folds = small_spec(path).evaluation.model_copy(update={"folds": 1})
    network = {"teacher": Choice(name="mlp"), "evaluation": folds}
    assert said(asking(path, **network)) == ["Rows can't be made with 1 fold: its teacher saw all training rows."]
    assert said(asking(path, 0, **network)) == []
    given = {"teacher": Choice(name="soft_labels", settings={"columns": ["p"]})}
    (one,) = said(asking(path, **given))
    assert one.startswith("The teacher 'soft_labels' can't label rows that are made")
    both = {"teacher": Choice(name="average", settings={"teachers": ["linear", "soft_labels"]})}
    assert any("can't label" in m or "soft labels" in m for m in said(asking(path, **both)))
    (one,) = said(asking(path, objective=Choice(name="hinton", settings={"alpha": 0.0})))
    assert one.startswith("Made rows have the teacher's answers and no labels, and with alpha 0")
    swept = asking(path, 0, sweep=SweepSpec(alpha=(0,), made_rows=(0, 1)))
    assert any("with alpha 0 nothing is heard" in m for m in said(swept))
    assert said(asking(path, 0, sweep=SweepSpec(alpha=(0, 1), made_rows=(0, 1)))) == []
    text = (StudentSpec(name="t", arch=Choice(name="textcnn")),)
    (one,) = said(asking(path, students=text), ("table", "columns", "tokens"))
    assert one.startswith("Rows can't be made for the student 't', which reads word pieces")
    reader = {"teacher": Choice(name="textcnn")}
    (one,) = said(asking(path, **reader), ("table", "columns", "tokens"))
    assert one.startswith("Rows can't be made for the teacher 'textcnn', which reads word pieces")


def test_a_grid_tries_them_against_one_baseline(tmp_path):
    spec = small_spec(tmp_path / "a.csv").model_copy(
        update={"sweep": SweepSpec(alpha=(0, 0.5, 1), made_rows=(4, 0, 1, 1))}
    )
    cells = grid.cells(spec)
    assert [(c.alpha, c.made_rows) for c in cells[:4]] == [(0, 0), (0, 1), (0, 4), (0.5, 0)] and len(cells) == 9
    assert grid.count(spec) == grid.GridCount(9, 18, 2 * (6 + 1)) and len(grid.trainings(spec)) == 14
    assert grid.most_made(spec) == 4 and grid.axes(spec)["made_rows"] == [0, 1, 4]
    plain = spec.model_copy(update={"sweep": SweepSpec(alpha=(0, 1))})
    assert "made_rows" not in grid.axes(plain) and grid.varied(plain) == ("alpha",)
    recipe = grid.cell_spec(spec, cells[5])
    assert recipe.training.made_rows == 4 and recipe.sweep is None and "made rows 4" in recipe.name
    near = grid.zoom(spec, cells[5])
    assert near.sweep.made_rows == (4,) and len(near.sweep.alpha) > 2


@pytest.mark.slow
def test_only_taught_students_learn_from_them_and_it_is_told(tmp_path, own_workspace):
    path = write_table(tmp_path / "a.csv")
    events, results = [], []
    for name, times in (("without", 0), ("with", 2)):
        students = (TINY, StudentSpec(name="trees", arch=Choice(name="trees", settings={"trees": 10, "leaves": 4})))
        spec = asking(path, times, students=students)
        results.append(run_here(spec, tmp_path / name, events.append, StopSignal())[0])
    plain, made = results
    for one, other in zip(plain["students"], made["students"], strict=True):
        for arm in ("baseline", "placebo"):
            np.testing.assert_allclose(
                one[arm]["metrics"]["roc_auc"]["values"], other[arm]["metrics"]["roc_auc"]["values"], atol=1e-3
            )
        assert one["metrics"]["log_loss"]["values"] != other["metrics"]["log_loss"]["values"]
    assert made["budget"] == plain["budget"]
    (note,) = [n for n in made["teacher"]["notes"] if n["code"] == "made_rows"]
    assert "(2 times as many) and labelled by the teachers of their folds" in note["message"]
    assert "notes" not in plain["teacher"] and "made_rows" not in json.dumps(plain)
    again = run_here(spec, tmp_path / "again", events.append, StopSignal())[0]
    assert again["teacher"]["cached"] and again["students"][0]["metrics"] == made["students"][0]["metrics"]


@pytest.mark.slow
def test_a_what_if_sweeps_them(tmp_path, own_workspace):
    spec = small_spec(write_table(tmp_path / "a.csv"))
    spec = spec.model_copy(update={"sweep": SweepSpec(alpha=(0, 0.7), made_rows=(0, 2))})
    result = run_here(spec, tmp_path / "out", lambda event: None, StopSignal())[0]
    assert [c.get("made_rows", 0) for c in result["cells"]] == [0, 2, 0, 2]
    assert result["sweep"]["axes"]["made_rows"] == [0, 2] and result["sweep"]["trained"] == 2 * 3
    assert result["sweep"]["mode"] == "fused"
    outcome = read_outcome(result)
    assert [c.settings["made_rows"] for c in outcome.cells] == [0, 2, 0, 2] and "made_rows" in outcome.varied
    zero, one, plain, made = result["cells"]
    assert zero["scores"] == one["scores"] == zero["baseline"] and plain["scores"] != made["scores"]
    from pages.ui.what_if import whatif_reader

    table = whatif_reader.of_result(result)
    assert table.values["made_rows"] == [0, 2] and "made_rows" in table.varying


def test_the_command_line_asks_for_them(tmp_path):
    from kd_core.runs.asked import make_spec, numbers

    spec = small_spec(tmp_path / "a.csv")
    made = make_spec(spec.dataset, spec.teacher, None, spec.objective, (3, 2, 4))
    assert (made.training.epochs, made.training.seeds, made.training.made_rows) == (3, 2, 4)
    assert SweepSpec.parse({"made_rows": numbers("made_rows", "0,1,4")}).made_rows == (0, 1, 4)
    with pytest.raises(KDError, match="made_rows"):
        SweepSpec.parse({"made_rows": numbers("made_rows", "0,1.5")})
