"""Runs from the command line and the folders that they are asked to write to."""

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from tests.runs.tables import write_table

runner = CliRunner()


@pytest.mark.slow
def test_a_refused_run_leaves_no_folder_that_stands_in_the_way_of_the_mended_one(tmp_path):
    table, out = write_table(tmp_path / "t.csv"), tmp_path / "run"
    asked = [
        "distill",
        str(table),
        "--target",
        "target",
        "--epochs",
        "1",
        "--seeds",
        "2",
        "--student",
        "mlp:4x1",
        "--out",
    ]
    refused = runner.invoke(app, [*asked, str(out), "--folds", "1"])  # trees can't answer the rows they learned
    assert refused.exit_code == 2 and not out.exists()
    mended = runner.invoke(app, [*asked, str(out), "--folds", "2"])
    assert mended.exit_code == 0, mended.output
    (own := tmp_path / "own").mkdir()
    (own / "note.txt").write_text("mine")
    assert runner.invoke(app, [*asked, str(own), "--folds", "1"]).exit_code == 2
    assert (own / "note.txt").read_text() == "mine"
