"""Modes on a command line: listed, chosen with their settings, refused with the reason that the form shows."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli import asked_mode
from kd_core.cli.app import app
from kd_core.errors import SpecError
from kd_core.specs import Choice
from tests.runs.tables import write_table

runner = CliRunner()
ASKED = ["--target", "target", "--student", "tiny", "--epochs", "2", "--seeds", "2", "--no-references"]


def distill(tmp_path, *more):
    table = write_table(tmp_path / "t.csv")
    return runner.invoke(app, ["distill", str(table), *ASKED, "--folds", "2", "--out", str(tmp_path / "run"), *more])


@pytest.mark.slow
def test_a_run_in_a_mode_says_so_and_keeps_it_in_its_recipe(tmp_path):
    done = distill(
        tmp_path,
        "--mode",
        "born_again",
        "--set",
        "mode.generations=2",
        "--set",
        "teacher.trees=9",
        "--teacher",
        "random_forest",
    )
    assert done.exit_code == 0, done.output
    assert "Mode: Born again: it teaches itself (born_again)." in done.stdout
    assert "generation 1 (tiny): ROC-AUC 0." in done.stdout
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert spec["mode"] == {"name": "born_again", "settings": {"generations": 2}}
    assert spec["teacher"]["settings"] == {"trees": 9}


def test_what_can_t_work_is_refused_with_its_reason(tmp_path):
    done = distill(tmp_path, "--mode", "mutual")
    assert done.exit_code == 2
    assert "The mode 'mutual' needs a teacher that is a network trained here" in done.output
    done = distill(tmp_path, "--mode", "mutal")
    assert done.exit_code == 2 and "Did you mean 'mutual'?" in done.output
    done = distill(tmp_path, "--mode", "born_again", "--set", "mode.generation=2")
    assert done.exit_code == 2 and "generation" in done.output


def test_settings_of_a_mode_are_told_from_those_of_others():
    assert asked_mode.of_others(["mode.a=1", "teacher.b=2"]) == ["teacher.b=2"] and asked_mode.of_others(None) == []
    found = asked_mode.mode("mutual", ["teacher.b=2", "mode.weight=.5", "mode.temperature=2"])
    assert found == Choice(name="mutual", settings={"weight": 0.5, "temperature": 2.0})
    with pytest.raises(SpecError, match=r"mode\.=1"):
        asked_mode.mode("mutual", ["mode.=1"])


def test_modes_are_listed():
    lines = runner.invoke(app, ["list", "modes"]).stdout.splitlines()
    assert any(line.startswith("offline ") for line in lines) and any("arXiv:1706.00384" in line for line in lines)
