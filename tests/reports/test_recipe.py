"""A recipe repeated as a program and as a command is the same work, and gives the same numbers."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kd_core.cli import app as commands
from kd_core.reports import recipe
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, RunSpec, SweepSpec
from tests.runs.tables import small_spec, write_table

ROOT = Path(__file__).resolve().parents[2]


def plain(path, **changes):
    """A recipe that options can say."""
    base = small_spec(path)
    evaluation = base.evaluation.model_copy(update={"latency": True})
    lesson = Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.7})
    return base.model_copy(update={"evaluation": evaluation, "objective": lesson, **changes})


def typed(line, monkeypatch):
    """Read a line as the command line does, and return the recipe that it would carry out."""
    held = []
    monkeypatch.setattr(commands, "execute", lambda spec, out: held.append(spec) or 0)
    start, *words = shlex.split(line)[2:]
    assert start == "kd_core"
    done = CliRunner().invoke(commands.app, words)
    assert done.exit_code == 0, done.output
    return held[0]


def without_hash(spec):
    """What is asked, whichever way the file was found."""
    dataset = spec.dataset.model_copy(
        update={"name": "", "sha256": None, "task": None, "read": type(spec.dataset.read)()}
    )
    return spec.model_copy(update={"name": "", "dataset": dataset})


def judged(table, training=None, **evaluation):
    """The same recipe, judged and trained in another way."""
    base = plain(table)
    return base.model_copy(
        update={
            "evaluation": base.evaluation.model_copy(update=evaluation),
            "training": base.training.model_copy(update=training or {}),
        }
    )


CHANGES = {
    "as it is": {},
    "two students": {"students": tuple(student_spec(s) for s in ("small", "mlp:16x2", "linear"))},
    "a mode": {"mode": Choice(name="born_again", settings={"generations": 2})},
    "teacher with texts": {"teacher": Choice(name="mlp", settings={"size": "small"})},
    "a loss": {"objective": Choice(name="dkd", settings={"alpha": 0.5, "temperature": 4.0, "beta": 2.0})},
}


@pytest.mark.parametrize("case", CHANGES)
def test_the_command_asks_for_the_same_work(tmp_path, monkeypatch, case):
    table = write_table(tmp_path / "a table; 'odd' $name.csv")
    spec = plain(table, **CHANGES[case])
    line = recipe.command(spec)
    assert line is not None and without_hash(typed(line, monkeypatch)) == without_hash(spec)


@pytest.mark.parametrize(
    ("words", "training", "evaluation"),
    [
        ("--metric pr_auc", {}, {"metric": "pr_auc"}),
        ("--threshold recall:0.9", {}, {"threshold": "recall:0.9"}),
        ("--class-weights balanced", {"class_weights": "balanced"}, {}),
    ],
)
def test_how_rare_classes_are_treated_is_said(tmp_path, monkeypatch, words, training, evaluation):
    table = write_table(tmp_path / "t.csv")
    spec = judged(table, training, **evaluation)
    line = recipe.command(spec)
    assert words in line and without_hash(typed(line, monkeypatch)) == without_hash(spec)
    usual = recipe.command(plain(table))
    assert words.split()[0] not in usual and without_hash(typed(usual, monkeypatch)) != without_hash(spec)


def test_parts_of_the_data_are_said(tmp_path, monkeypatch):
    table = write_table(tmp_path / "t.csv")
    spec = plain(table)
    more = {"drop": ("b",), "positive": "no", "rare": "drop", "copies": "apart", "group": "kind"}
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update=more)})
    found = typed(recipe.command(spec), monkeypatch)
    assert {n: getattr(found.dataset, n) for n in more} == more


def test_what_no_option_says_is_left_to_the_file(tmp_path):
    spec = plain(write_table(tmp_path / "t.csv"))
    training, data = spec.training, spec.dataset
    for change in (
        {"training": training.model_copy(update={"learning_rate": 0.01})},
        {"evaluation": spec.evaluation.model_copy(update={"margin": 0.02})},
        {"dataset": data.model_copy(update={"split_seed": 3})},
        {"dataset": data.model_copy(update={"source": "sha256:" + "0" * 64})},
        {"students": (spec.students[0].model_copy(update={"name": "another"}),)},
        {"teacher": Choice(name="ensemble", settings={"members": [{"name": "mlp"}]})},
        {"objective": Choice(name="several", settings={"terms": []})},
        {"sweep": SweepSpec(alpha=(0, 1))},
    ):
        assert recipe.command(spec.model_copy(update=change)) is None, change
    assert recipe.command(spec) is not None


@pytest.mark.slow
@pytest.mark.parametrize("way", ["program", "file", "command"])
def test_a_repeated_run_gives_the_same_numbers(tmp_path, own_workspace, way):
    spec = plain(write_table(tmp_path / "table.csv"))
    folder = RunFolder.create(tmp_path / "run", spec)
    first = experiment.run(spec, folder, lambda event: None, lambda: False)
    (tmp_path / "recipe.json").write_text(recipe.as_json(spec), "utf-8")
    command = {
        "program": [sys.executable, "-c", recipe.script(spec)],
        "file": [sys.executable, *shlex.split(recipe.run_line("recipe.json"))[1:]],
        "command": [sys.executable, *shlex.split(recipe.command(spec))[1:], "--out", "my-run"],
    }[way]
    given = {**os.environ, "PYTHONPATH": str(ROOT), "KD_WORKSPACE": str(own_workspace)}
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "my-run/result.json").read_text("utf-8"))
    for arm in (
        lambda s: s["metrics"],
        lambda s: s["baseline"]["metrics"],
        lambda s: s["placebo"]["metrics"],
        lambda s: s["gain"],
    ):
        assert arm(again["students"][0]) == arm(first["students"][0])
    assert again["teacher"]["metrics"] == first["teacher"]["metrics"]
    if way == "program":
        assert done.stdout.startswith(f"tiny {first['students'][0]['verdict']} ")


def test_the_program_is_short_and_holds_the_whole_recipe(tmp_path):
    spec = plain(write_table(tmp_path / "table.csv")).model_copy(update={"name": "a \"name\" 'with' \\ and \n signs"})
    text = recipe.script(spec)
    held = {}
    exec(compile(text[text.index("RECIPE") : text.index("\nresult")], "recipe", "exec"), held)
    assert RunSpec.parse(held["RECIPE"], "x") == spec
    code = [line for line in text.splitlines() if line and not line.startswith(("    '", "}", "RECIPE"))]
    assert len(code) <= 10
