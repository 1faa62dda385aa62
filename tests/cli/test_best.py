"""Asking for the best student on a command line: goals, sizes, and what does not go together."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.errors import SpecError
from kd_core.runs.asked import choose_spec, size
from kd_core.specs import ChooseSpec
from tests.runs.tables import write_table

runner = CliRunner()


def asked(path, *more, command="distill"):
    table = write_table(path / "t.csv")
    return runner.invoke(app, [command, str(table), "--target", "target", *more])


@pytest.mark.slow
def test_the_best_student_is_chosen_and_said_why(tmp_path):
    options = ["--student", "best", "--minutes", ".05", "--bytes", "40KB", "--microseconds", "1e6", "--score", ".6"]
    done = asked(tmp_path, *options, "--epochs", "2", "--seeds", "1", "--folds", "2", "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert spec["teacher"] == {"name": "best", "settings": {}}
    assert spec["choose"] == {"minutes": 0.05, "bytes": 40960, "microseconds": 1e6, "score": 0.6}
    assert len(spec["students"]) == 12 and spec["students"][0]["name"] == "piecewise small"
    assert "Candidate piecewise small: " in done.stderr and "Chosen on validation: " in done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    left = len(spec["students"]) - result["choice"]["compared"]
    told = "12 candidates" if not left else f"12 candidates ({left} left out)"
    assert done.stdout.startswith(f"Chosen of {told} on validation: ")
    assert result["students"][0]["name"] == result["choice"]["chosen"]


@pytest.mark.slow
def test_what_may_be_lost_against_the_teacher_is_asked_for_and_told(tmp_path):
    options = [
        "--teacher",
        "random_forest",
        "--student",
        "best",
        "--minutes",
        ".05",
        "--lost",
        "40",
        "--metric",
        "accuracy",
    ]
    done = asked(tmp_path, *options, "--epochs", "2", "--seeds", "1", "--folds", "2", "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert spec["choose"] == {"minutes": 0.05, "bytes": None, "microseconds": None, "score": None, "lost": 40.0}
    by = json.loads((tmp_path / "run" / "result.json").read_text())["choice"]["against"]
    assert by["least"] == pytest.approx(by["score"] - 0.4)
    goal = f"On validation it loses at most 40 points: teacher {by['score']:.4g}, so at least {by['least']:.4g}."
    assert goal in done.stdout and "The teacher did not learn from these rows" in done.stdout
    both = asked(tmp_path, "--student", "best", "--lost", "1", "--score", ".9")
    assert both.exit_code == 2 and "score and lost both say how good is good enough" in both.output


def test_goals_need_the_best_student_which_stands_alone(tmp_path):
    done = asked(tmp_path, "--bytes", "40KB", "--lost", "1")
    assert done.exit_code == 2
    assert "--bytes, --lost: goals are for the student that the app chooses" in done.output
    assert "hint: Add --student best, or leave the goals out." in done.output
    done = asked(tmp_path, "--student", "best", "--student", "tiny")
    assert done.exit_code == 2 and "'--student best' stands beside 'tiny'" in done.output
    done = asked(tmp_path, "--student", "best", "--minutes", "0")
    assert done.exit_code == 2 and "minutes: Input should be greater than 0, got 0" in done.output


def test_a_what_if_refuses_it_in_words(tmp_path):
    done = asked(tmp_path, "--student", "best", "--temperature", "1,2", command="sweep")
    assert done.exit_code == 2 and "A what-if can't choose the best student as well" in done.output


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("40000", 40_000), ("40KB", 40_960), ("1.5 mb", 1_572_864), (" .5kb ", 512), ("20k", 20_480), ("0", 0)],
)
def test_sizes_are_read_in_bytes_and_larger_units(text, wanted):
    assert size(text) == wanted


@pytest.mark.parametrize("text", ["", "40 kilo", "KB", "-3", "1e4", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(SpecError, match=r"The size '.*' is not understood\. Write bytes, KB or MB") as caught:
        size(text)
    assert caught.value.code == "bad_size"


def test_named_students_have_no_goals():
    assert choose_spec(None) is None and choose_spec(["tiny"]) is None
    assert choose_spec(["best"], bytes="1KB", minutes=None) == ChooseSpec(bytes=1024)
