"""Commands that look: lists, profiles, runs."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.cli.looking import PLURALS
from tests.runs.tables import write_table

runner = CliRunner()


@pytest.mark.parametrize("kind", list(PLURALS))
def test_every_list_names_its_parts(kind):
    done = runner.invoke(app, ["list", kind])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip()


def test_the_list_of_architectures_says_what_each_can_be_and_why_not():
    lines = runner.invoke(app, ["list", "archs"]).stdout.splitlines()
    said = {line.split()[0]: line for line in lines}
    assert all("student" in line and "teacher" in line for line in lines)
    assert said["tabm"].endswith("  student and teacher")
    assert "teacher; can't be a student: its attention over the columns takes" in said["ft_transformer"]


def test_profile_shows_what_was_understood(tmp_path):
    done = runner.invoke(app, ["profile", str(write_table(tmp_path / "t.csv")), "--target", "target"])
    assert done.exit_code == 0, done.output
    assert "400 rows, 4 columns" in done.stdout
    assert "predict target as binary, yes = yes" in done.stdout


def test_copies_are_kept_together_unless_asked_otherwise(tmp_path):
    lines = write_table(tmp_path / "t.csv").read_text().splitlines(keepends=True)
    (tmp_path / "t.csv").write_text("".join([*lines, *lines[1:41]]))
    arguments = ["profile", str(tmp_path / "t.csv"), "--target", "target"]
    assert "Copies are kept together on one side of the split" in runner.invoke(app, arguments).stdout
    assert "Copies are split like any rows, as asked" in runner.invoke(app, [*arguments, "--copies", "apart"]).stdout
    wrong = runner.invoke(app, [*arguments, "--copies", "half"])
    assert wrong.exit_code == 2 and "'half' is not one of" in wrong.stderr


def census(path):
    """A table without a row of names, with padded cells and question marks."""
    work = ["Private", "?", "State-gov"]
    path.write_text(
        "".join(f"{20 + i % 40}, {work[i % 3]}, {i * 7 % 60}, {'yes' if i % 4 else 'no'}\n" for i in range(90))
    )
    return str(path)


def profile_json(*arguments):
    done = runner.invoke(app, ["profile", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_profile_as_json_says_what_was_decided(tmp_path):
    code, found = profile_json(census(tmp_path / "t.csv"))
    assert code == 0 and found["rows"] == 90
    assert found["header"] == {"decided": "no", "sure": True, "why": "20, 0 are like the cells below"}
    target = found["target"]
    assert (target["name"], target["sure"], target["candidates"][0]) == ("column 4", False, "column 4")
    assert [c["missing"] for c in found["columns"]] == [0, 30, 0, 0]
    assert {"header_missing", "missing_words", "target_unsure"} <= {p["code"] for p in found["problems"]}


def test_profile_takes_the_persons_word_on_the_first_row_and_the_words(tmp_path):
    path = census(tmp_path / "t.csv")
    _, asked = profile_json(path, "--header", "yes", "--not-missing", "Private")
    assert asked["rows"] == 89 and asked["header"]["why"] == "set by hand"
    code, named = profile_json(path, "--names", "age,work,hours,bought", "--not-missing", "work")
    assert code == 0 and [c["name"] for c in named["columns"]] == ["age", "work", "hours", "bought"]
    assert named["target"]["sure"] and [c["missing"] for c in named["columns"]] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("more", "classes"), [(["--rare", "drop"], ["b", "a"]), (["--one-class", "a"], ["not a", "a"])]
)
def test_profile_shows_what_rare_classes_become(tmp_path, more, classes):
    path = tmp_path / "t.csv"
    path.write_text("x,label\n" + "".join(f"{i % 17},{'ab'[i % 2]}\n" for i in range(60)) + "3,c\n")
    assert profile_json(str(path))[0] == 2
    code, found = profile_json(str(path), *more)
    assert code == 0 and found["target"]["classes"] == classes


@pytest.mark.slow
def test_profile_reads_the_sheet_that_is_named(tmp_path):
    import pandas as pd

    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"note": ["read me", "the rows follow"]}).to_excel(book, sheet_name="notes", index=False)
        rows = {"size": list(range(60)), "sold": ["yes", "no", "no"] * 20}
        pd.DataFrame(rows).to_excel(book, sheet_name="rows", index=False)
    done = runner.invoke(app, ["profile", str(tmp_path / "book.xlsx"), "--member", "rows"])
    assert "60 rows, 2 columns" in done.stdout and "predict sold as binary" in done.stdout


def test_damaged_runs_are_named_and_the_others_are_listed(own_workspace):
    from kd_core.runs.store.runs import RunStore
    from tests.runs.fake_worker import RESULT
    from tests.runs.services import run_spec

    store = RunStore(own_workspace)
    whole, cut, manifest = (store.create(run_spec(name, i)) for i, name in enumerate(("whole", "cut", "listed")))
    for run_id in (whole, cut, manifest):
        store.folder(run_id).finish("done", RESULT)
        store.folder(run_id).write_status(state="done", queue_number=None)
        store.refresh(run_id)
    (store.folder(cut).path / "result.json").write_text("{")
    (store.folder(manifest).path / "manifest.json").write_text("[]")
    listed = runner.invoke(app, ["runs"])
    assert listed.exit_code == 0 and "Traceback" not in listed.output
    lines = listed.stdout.splitlines()
    assert any(line.startswith(f"{whole}  done") for line in lines)
    assert any(line.startswith(f"{cut}  damaged") for line in lines)
    assert (
        f"  Run {cut} is damaged: result.json is not JSON. Restore its folder from a copy, or delete the run." in lines
    )
    assert f"Run {manifest} is damaged: manifest.json holds no JSON object." in listed.stdout
    shown = runner.invoke(app, ["show", cut])
    assert shown.exit_code == 1 and f"error: Run {cut} is damaged: result.json is not JSON." in shown.stderr
    shown = runner.invoke(app, ["show", manifest])
    assert shown.exit_code == 1 and "manifest.json holds no JSON object" in shown.stderr
    (store.folder(cut).path / "result.json").write_text("{}")
    shown = runner.invoke(app, ["show", cut])
    assert shown.exit_code == 1 and "'metric' is missing" in shown.stderr and "Traceback" not in shown.output
