"""`continue RUN ROWS`, as a person types it."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from tests.runs.continuing.test_going import table

SMALL = [
    "--epochs",
    "3",
    "--seeds",
    "2",
    "--student",
    "tiny",
    "--no-references",
    "--set",
    "teacher.rounds=10",
    "--folds",
    "2",
]


@pytest.mark.slow
def test_a_run_goes_on_and_says_what_was_learned_and_forgotten(tmp_path, own_workspace):
    table(600, 1).to_csv(tmp_path / "old.csv", index=False)
    table(300, 2, 0.7).to_csv(tmp_path / "new.csv", index=False)
    ask = CliRunner().invoke
    first = ask(
        app, ["distill", str(tmp_path / "old.csv"), "--target", "bought", *SMALL, "--out", str(tmp_path / "one")]
    )
    assert first.exit_code == 0, first.output
    told = ask(app, ["continue", str(tmp_path / "one"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "two")])
    assert told.exit_code == 0, told.output
    assert "Continued from one (" in told.output and "learned from" in told.output
    assert (
        "new rows that nothing was chosen by" in told.output and "test rows of the run it went on from" in told.output
    )
    answers = ask(
        app, ["predict", str(tmp_path / "two"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]
    )
    assert answers.exit_code == 0 and len(pd.read_csv(tmp_path / "said.csv")) == 300
    refused = ask(app, ["continue", str(tmp_path / "nothing"), str(tmp_path / "new.csv")])
    assert refused.exit_code == 2 and "There is no run" in refused.output and "hint" in refused.output
