"""The command line: same engine, plain messages, the right exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from tests.runs.tables import small_spec, write_table

runner = CliRunner()


@pytest.mark.slow
def test_distill_writes_the_run_and_prints_the_verdict(tmp_path):
    table = write_table(tmp_path / "t.csv")
    out = tmp_path / "run"
    done = runner.invoke(
        app,
        [
            "distill",
            str(table),
            "--target",
            "target",
            "--epochs",
            "2",
            "--seeds",
            "2",
            "--student",
            "mlp:4x1",
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split(":")[0] in {"BEATS", "TIES", "HURTS", "INCONCLUSIVE"}
    assert "the mlp:4x1 student: " in done.stdout and "over the same student alone" in done.stdout
    result = json.loads((out / "result.json").read_text())
    assert result["students"][0]["arch"]["settings"] == {"width": 4, "depth": 1}
    assert {"spec.json", "events.jsonl", "status.json", "result.json", "manifest.json"} <= {
        p.name for p in out.iterdir()
    }
    again = runner.invoke(app, ["run", str(out / "spec.json"), "--out", str(tmp_path / "again")])
    assert again.exit_code == 0, again.output
    other = json.loads((tmp_path / "again" / "result.json").read_text())
    assert other["students"][0]["metrics"] == result["students"][0]["metrics"]
    assert other["work_hash"] == result["work_hash"]
    shown = runner.invoke(app, ["show", str(out)])
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == done.stdout.splitlines()[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["distill", "nowhere.csv", "--target", "x"], "nowhere.csv", ""),
        (["distill", "{table}", "--target", "targett"], "targett", "Did you mean 'target'"),
        (
            ["distill", "{table}", "--target", "target", "--teacher", "gradient_bosting"],
            "no teacher 'gradient_bosting'",
            "Did you mean 'gradient_boosting'",
        ),
        (
            ["distill", "{table}", "--target", "target", "--student", "mlp:wide"],
            "The student 'mlp:wide' is not understood",
            "width x depth",
        ),
        (
            ["distill", "{table}", "--target", "target", "--objective", "bounded_mse"],
            "works for regression, not for binary",
            "Choose another one, or change what stands in its way",
        ),
        (
            ["distill", "{table}", "--target", "target", "--header", "maybe"],
            "header: Input should be 'auto', 'yes' or 'no', got 'maybe'",
            "Correct the values",
        ),
        (
            ["profile", "{table}", "--rare", "burn"],
            "rare: Input should be 'refuse', 'drop' or 'merge', got 'burn'",
            "Correct the values",
        ),
        (
            ["profile", "{table}", "--missing", "a", "--not-missing", "a"],
            "--missing and --not-missing both name a",
            "Name it once",
        ),
        (
            ["distill", "{table}", "--target", "target", "--seeds", "0"],
            "seeds: Input should be greater than or equal to 1, got 0",
            "Correct the values",
        ),
        (
            ["distill", "{table}", "--target", "target", "--student", ""],
            "The student '' is not understood",
            "width x depth",
        ),
        (
            ["distill", "{table}", "--target", "target", *["--student", "tiny"] * 13],
            "At most 12 values",
            "Correct the values",
        ),
        (
            ["distill", "{table}", "--target", "target", "--out", "{table}"],
            "File exists: {table}",
            "Choose another path",
        ),
        (
            ["distill", "{table}", "--target", "target", "--out", "{table}/run"],
            "Not a directory: {table}/run",
            "Choose another path",
        ),
        (
            ["distill", "{table}", "--target", "b", "--temperature", "3"],
            "temperature: Extra inputs are not permitted",
            "Correct the values",
        ),
        (
            ["sweep", "{table}", "--target", "target", "--alpha", "0,x"],
            "The list --alpha 0,x is not understood: 'x' is not a number",
            "for example 0,.5,1",
        ),
        (
            ["sweep", "{table}", "--target", "target", "--learning-rate", ".1,,"],
            "The list --learning-rate .1,, is not understood: '' is not a number",
            "for example",
        ),
        (
            ["sweep", "{table}", "--target", "target", "--temperature", "1,40"],
            "less than or equal to 20, got 40.0",
            "Correct the values",
        ),
        (
            ["sweep", "{table}", "--target", "target", "--mode", "fast"],
            "mode: Input should be 'auto'",
            "Correct the values",
        ),
        (
            ["sweep", "{table}", "--target", "b", "--temperature", "1,2"],
            "The loss 'mse' has no temperature",
            "Leave the temperatures out",
        ),
        (["run", "{table}"], "The spec is not valid JSON", "missing bracket"),
        (["distill", "{table}", "--target", "target", "--member", "a.csv"], "t.csv is neither", "Leave it out"),
        (["run", "nowhere.json"], "There is no file nowhere.json", "Check the path"),
        (["list", "lossess"], "no list 'lossess'", "losses"),
        (["show", "nobody"], "There is no run 'nobody'", "list of runs"),
    ],
)
def test_bad_input_is_said_with_a_hint_and_no_traceback(tmp_path, arguments, message, hint):
    table = write_table(tmp_path / "t.csv")
    done = runner.invoke(app, [a.replace("{table}", str(table)) for a in arguments])
    assert done.exit_code in (1, 2), done.output
    assert message.replace("{table}", str(table)) in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.output


def test_bad_input_exits_with_2(tmp_path):
    assert runner.invoke(app, ["distill", str(tmp_path / "none.csv"), "--target", "x"]).exit_code == 2


@pytest.mark.parametrize(("command", "more"), [("distill", []), ("sweep", ["--temperature", "1"])])
def test_copies_apart_reaches_the_spec(tmp_path, monkeypatch, command, more):
    made = []
    monkeypatch.setattr("kd_core.cli.app.execute", lambda spec, out: made.append(spec) or 0)
    table = str(write_table(tmp_path / "t.csv"))
    assert runner.invoke(app, [command, table, "--target", "target", "--copies", "apart", *more]).exit_code == 0
    assert runner.invoke(app, [command, table, "--target", "target", *more]).exit_code == 0
    assert [spec.dataset.copies for spec in made] == ["apart", "together"]


def census(path):
    """A table without a row of names, with padded cells and question marks."""
    work = ["Private", "?", "State-gov"]
    path.write_text(
        "".join(f"{20 + i % 40}, {work[i % 3]}, {i * 7 % 60}, {'yes' if i % 4 else 'no'}\n" for i in range(90))
    )
    return str(path)


@pytest.mark.slow
def test_distill_and_sweep_read_a_file_without_names_the_same_way(tmp_path):
    path, small = census(tmp_path / "t.csv"), ["--epochs", "2", "--seeds", "2", "--student", "tiny"]
    how = ["--names", "age,work,hours,bought", "--not-missing", "work", "--one-class", "no"]
    for command, more in (("distill", []), ("sweep", ["--alpha", "0,1"])):
        out = tmp_path / command
        done = runner.invoke(app, [command, path, "--target", "bought", *how, *small, *more, "--out", str(out)])
        assert done.exit_code == 0, done.output
        data = json.loads((out / "spec.json").read_text())["dataset"]
        assert data["read"]["names"] == ["age", "work", "hours", "bought"]
        assert (data["missing"], data["one_class"]) == ({"work": False}, "no")
        assert json.loads((out / "result.json").read_text())["dataset"]["classes"] == ["not no", "no"]


@pytest.mark.slow
def test_sweep_prints_the_heat_map_the_choice_and_the_way(tmp_path):
    table, out = write_table(tmp_path / "t.csv"), tmp_path / "run"
    done = runner.invoke(
        app,
        [
            "sweep",
            str(table),
            "--target",
            "target",
            "--temperature",
            "1, 4",
            "--alpha",
            "0,.5,1",
            "--seeds",
            "2",
            "--epochs",
            "3",
            "--student",
            "tiny",
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0, done.output
    answer, *lines = done.stdout.splitlines()
    assert answer.startswith("T ") and "alpha above 0" in answer and answer.endswith(".")
    assert lines[0] == "tiny: gain on validation in points of ROC-AUC"
    assert lines[1].split() == ["alpha", "T", "1", "T", "4"]
    assert [line.split()[0] for line in lines[2:5]] == ["0", "0.5", "1"] and "#" in "".join(lines[2:5])
    assert any(line.startswith("Best of 6 cells on validation: T ") for line in lines)
    assert any(line.startswith("10 trainings, fused, ") for line in lines) and lines[-1] == f"files: {out}"
    assert "10 trainings to do (fused)" in done.stderr
    result = json.loads((out / "result.json").read_text())
    assert result["sweep"]["axes"]["alpha"] == [0, 0.5, 1] and result["sweep"]["trainings"] == 10
    assert runner.invoke(app, ["show", str(out)]).stdout.splitlines() == [answer, *lines]
    recipe = [
        "distill",
        str(table),
        "--target",
        "target",
        "--temperature",
        "4",
        "--alpha",
        ".5",
        "--seeds",
        "2",
        "--epochs",
        "3",
        "--student",
        "tiny",
    ]
    assert runner.invoke(app, [*recipe, "--out", str(tmp_path / "one")]).exit_code == 0
    from kd_core.runs.cells import grid
    from kd_core.runs.store.folder import RunFolder

    spec = RunFolder(out).spec()
    cell = next(c for c in grid.cells(spec) if (c.temperature, c.alpha) == (4, 0.5))
    assert grid.cell_spec(spec, cell).work_hash() == RunFolder(tmp_path / "one").spec().work_hash()


@pytest.mark.slow
def test_ctrl_c_in_a_sweep_keeps_what_is_there_and_exits_with_130(tmp_path):
    out = tmp_path / "run"
    table = write_table(tmp_path / "t.csv", rows=1000)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "kd_core",
            "sweep",
            str(table),
            "--target",
            "target",
            "--alpha",
            "0,.5,1",
            "--epochs",
            "1000",
            "--mode",
            "sequential",
            "--student",
            "tiny",
            "--out",
            str(out),
        ],
        env={**os.environ, "KD_WORKSPACE": str(tmp_path / "w")},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    kept = out / "variants.jsonl"
    end = time.monotonic() + 200
    while time.monotonic() < end and not (kept.exists() and len(kept.read_text().splitlines()) >= 2):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "Stopping; what is finished is kept" in stderr
    assert "Best of " in stdout and "gain on validation" in stdout


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_exits_with_130(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv"), epochs=400, seeds=10)
    (tmp_path / "spec.json").write_text(spec.to_json())
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "kd_core", "run", str(tmp_path / "spec.json"), "--out", str(out)],
        env={**os.environ, "KD_WORKSPACE": str(tmp_path / "w")},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    events = out / "events.jsonl"
    end = time.monotonic() + 120
    while time.monotonic() < end and not (events.exists() and '"arm":"student"' in events.read_text()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "Stopping; what is finished is kept" in stderr
    assert "the tiny student (MLP): " in stdout and "over the same student alone" in stdout


def test_placebo_and_splits_reach_the_spec(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("kd_core.cli.app.execute", lambda spec, out: made.append(spec) or 0)
    arguments = ["distill", str(write_table(tmp_path / "t.csv")), "--target", "target"]
    assert runner.invoke(app, arguments).exit_code == 0
    assert runner.invoke(app, [*arguments, "--no-placebo", "--splits", "5", "--seeds", "4"]).exit_code == 0
    assert [(s.evaluation.placebo, s.evaluation.splits, s.training.seeds) for s in made] == [
        (True, 1, None),
        (False, 5, 4),
    ]
    wrong = runner.invoke(app, [*arguments, "--splits", "99"])
    assert wrong.exit_code == 2 and "less than or equal to 10, got 99" in wrong.stderr
