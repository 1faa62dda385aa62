"""A whole run from the command line: the teacher from a folder, a student of its own kind, and the result's words."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from tests.teachers.pretrained.tiny import need, text_frame, write_model

runner = CliRunner()
pytestmark = pytest.mark.slow


def test_a_folder_teaches_a_student_that_reads_tokens(tmp_path):
    folder, table, out = write_model(tmp_path / "tiny"), tmp_path / "rows.csv", tmp_path / "run"
    text_frame(400).to_csv(table, index=False)
    asked = ["distill", str(table), "--target", "label", "--student", "textcnn:tiny"]
    asked += ["--epochs", "2", "--seeds", "2", "--folds", "2", "--no-placebo", "--out", str(out)]
    done = runner.invoke(
        app, [*asked, "--teacher", "pretrained", "--set", "teacher.mode=probe", "--set", f"teacher.model={folder}"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads((out / "result.json").read_text())
    teacher = found["teacher"]
    assert teacher["name"] == "pretrained" and teacher["metrics"]["accuracy"] > 0.7
    assert set(teacher["latency_ms"]["whole"]) == {"1", "32"} and teacher["parameters"] > 20_000
    assert found["students"][0]["baseline"]["metrics"]["accuracy"]["mean"] > 0.4
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert any(e["kind"] == "part" and e.get("what") == "texts" for e in events)


def test_what_can_not_be_done_is_said_without_a_traceback(tmp_path):
    need("transformers")
    table = tmp_path / "rows.csv"
    text_frame().to_csv(table, index=False)
    asked = ["distill", str(table), "--target", "label", "--student", "textcnn:tiny"]
    done = runner.invoke(app, [*asked, "--teacher", "pretrained", "--set", "teacher.model=nobody"])
    assert done.exit_code == 2 and "no model 'nobody' in the workspace's folder 'models'" in done.output
    done = runner.invoke(app, [*asked, "--teacher", "pretrained", "--set", f"teacher.model={tmp_path / 'nowhere'}"])
    assert done.exit_code == 2 and "There is no folder" in done.output


def test_the_list_of_teachers_shows_it():
    assert (
        "pretrained           Pretrained encoder  [arXiv:1908.10084]" in runner.invoke(app, ["list", "teachers"]).output
    )
