"""Several teachers on a command line: each with its own settings, and a result that tells them apart."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from tests.runs.tables import write_table

runner = CliRunner()
ASKED = ["--target", "target", "--teacher", "random_forest", "--teacher", "random_forest", "--epochs", "2"]


@pytest.mark.slow
def test_two_teachers_of_one_name_teach_together_and_the_result_holds_the_score_of_each(tmp_path):
    table = write_table(tmp_path / "t.csv")
    more = ["--set", "teacher.1.trees=20", "--set", "teacher.2.trees=60", "--set", "teacher.ensemble.combine=weighted"]
    done = runner.invoke(
        app,
        ["distill", str(table), *ASKED, *more, "--seeds", "2", "--student", "mlp:4x1", "--out", str(tmp_path / "run")],
    )
    assert done.exit_code == 0, done.output
    assert "Combined (weighted) of 2 teachers, roc_auc on 60 validation rows: together 0." in done.stdout
    assert "Validation rows chose the weights: 1 random_forest 0." in done.stdout
    teacher = json.loads((tmp_path / "run" / "result.json").read_text())["teacher"]
    one, two = teacher["members"]
    assert (teacher["name"], one["number"], two["number"]) == ("ensemble", 1, 2) and one["validation"] != two[
        "validation"
    ]
    assert one["weight"] + two["weight"] == pytest.approx(1, abs=1e-5)
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert [m["settings"] for m in spec["teacher"]["settings"]["members"]] == [{"trees": 20}, {"trees": 60}]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "An ensemble needs 2 teachers or more, no two of them alike; named are: random_forest, random_forest."),
        (
            ["--set", "teacher.trees=20"],
            "does not say which of the 2 teachers it is for (1 random_forest, 2 random_forest).",
        ),
        (["--set", "teacher.1.treees=20"], "treees: Extra inputs are not permitted"),
        (
            ["--set", "teacher.ensemble.combine=vote"],
            "combine: Input should be 'mean', 'weighted', 'confidence', 'per_class' or 'per_task'",
        ),
        (["--teacher", "average"], "The teacher 'ensemble' can't ask 'average', which asks other teachers itself"),
    ],
)
def test_what_several_teachers_cannot_be_is_said_with_the_way_out(tmp_path, more, said):
    done = runner.invoke(app, ["distill", str(write_table(tmp_path / "t.csv")), *ASKED, *more])
    assert done.exit_code == 2 and said in done.stderr and "Traceback" not in done.output
