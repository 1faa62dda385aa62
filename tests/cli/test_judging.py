"""What `distill` is told of the metric, the threshold of yes and class weights, up to the run's result."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from kd_core.cli import app as commands
from kd_core.runs.store.folder import RunFolder
from tests.runs.tables import write_table

runner = CliRunner()
SMALL = ["--target", "target", "--student", "mlp:4x1", "--epochs", "1", "--seeds", "1", "--folds", "2"]
SMALL += ["--set", "teacher.rounds=10", "--no-placebo", "--no-references"]


def asked(tmp_path, monkeypatch, *words, task="binary"):
    """Read a line, and return the recipe that would be carried out, or what was said against it."""
    held = []
    monkeypatch.setattr(commands, "execute", lambda spec, out: held.append(spec) or 0)
    done = runner.invoke(commands.app, ["distill", str(write_table(tmp_path / "t.csv", task)), *SMALL, *words])
    return held[0] if held else done


def test_what_is_said_stands_in_the_recipe(tmp_path, monkeypatch):
    spec = asked(
        tmp_path, monkeypatch, "--metric", "pr_auc", "--threshold", "precision:.8", "--class-weights", "balanced"
    )
    assert (spec.evaluation.metric, spec.training.class_weights) == ("pr_auc", "balanced")
    assert spec.evaluation.threshold == "precision:.8"


def test_what_is_left_out_is_as_usual(tmp_path, monkeypatch):
    spec = asked(tmp_path, monkeypatch)
    assert (spec.evaluation.metric, spec.evaluation.threshold, spec.training.class_weights) == (None, None, "none")


@pytest.mark.parametrize(
    ("words", "said"), [(["--threshold", "twice"], "threshold"), (["--class-weights", "heavy"], "class_weights")]
)
def test_what_cannot_be_is_said_before_anything_is_trained(tmp_path, monkeypatch, words, said):
    done = asked(tmp_path, monkeypatch, *words)
    assert done.exit_code == 2 and said in done.stderr and words[1] in done.stderr
    assert "hint: " in done.stderr and "Traceback" not in done.output


@pytest.mark.parametrize(("words", "said"), [(["--metric", "rmse"], "rmse"), (["--metric", "pr_aux"], "pr_auc")])
def test_a_metric_that_does_not_fit_is_refused_with_the_ones_that_do(tmp_path, words, said):
    done = runner.invoke(commands.app, ["distill", str(write_table(tmp_path / "t.csv")), *SMALL, *words])
    assert done.exit_code == 2 and said in done.stderr and "Traceback" not in done.output


@pytest.mark.slow
def test_a_run_is_judged_as_was_said_and_the_threshold_is_told(tmp_path):
    words = ["--metric", "pr_auc", "--threshold", "recall:.9", "--class-weights", "balanced"]
    table = write_table(tmp_path / "t.csv")
    done = runner.invoke(commands.app, ["distill", str(table), *SMALL, *words, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    result = RunFolder(tmp_path / "run").result()
    assert result["metric"]["name"] == "pr_auc" and "answers yes from" in done.output
