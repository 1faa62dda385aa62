"""A package of soft labels: from a run to a zip without labels, and from the zip to a student somewhere else."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.data.archives.label_package import MANIFEST, ROWS, Manifest
from kd_core.data.files.reading import read_table
from kd_core.data.types.answered import classes_of, named_class
from kd_core.errors import DataError, SpecError
from kd_core.teachers.given import class_of
from tests.runs.tables import write_table

runner = CliRunner()
QUICK = ["--epochs", "2", "--seeds", "2", "--student", "mlp:4x1", "--no-placebo", "--no-references"]


def call(*words):
    return runner.invoke(app, list(map(str, words)))


def distilled(tmp_path, task="binary", *more):
    """A finished run of a forest."""
    table = write_table(tmp_path / "t.csv", task)
    teacher = ["--teacher", "random_forest", "--set", "teacher.trees=20", "--folds", "2"]
    done = call("distill", table, "--target", "target", *teacher, *QUICK, "--out", tmp_path / "run", *more)
    assert done.exit_code == 0, done.output
    return tmp_path / "run"


def rows_of(package, tmp_path):
    with zipfile.ZipFile(package) as archive:
        (tmp_path / "rows.parquet").write_bytes(archive.read(ROWS))
        return pd.read_parquet(tmp_path / "rows.parquet"), Manifest.from_json(archive.read(MANIFEST).decode())


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_package_without_labels_teaches_a_student_somewhere_else(tmp_path, monkeypatch, task):
    run, package = distilled(tmp_path, task), tmp_path / "p.zip"
    told = call("export-labels", run, "--out", package, "--columns", "a, kind")
    assert told.exit_code == 0, told.output
    assert (
        "400 rows with the columns a, kind, no labels." in told.stdout
        and "Every row is a row of the data" in told.stdout
    )
    again = call("export-labels", run, "--out", tmp_path / "q.zip", "--columns", "a,kind")
    assert again.exit_code == 0 and (tmp_path / "q.zip").read_bytes() == package.read_bytes()
    rows, about = rows_of(package, tmp_path)
    first = json.loads((run / "result.json").read_text())
    assert set(rows) == {"a", "kind", "split_part", *about.answers} and about.folds == 2 and about.left_out == 0
    assert rows.split_part.value_counts().to_dict() == first["dataset"]["rows"]
    whole = pd.read_csv(tmp_path / "t.csv")
    assert rows.a.tolist() != whole.a.tolist() and sorted(rows.a.dropna()) == pytest.approx(sorted(whole.a.dropna()))
    if task == "binary":
        assert about.answers == ("p(no)", "p(yes)")
        np.testing.assert_allclose(rows["p(no)"] + rows["p(yes)"], 1, atol=1e-6)
        share = float(about.leaks[0].rpartition("in ")[2].partition("%")[0])
        assert about.leaks[0].startswith("The teacher's highest answer is the true label in ") and 60 < share < 100
    else:
        assert about.answers == ("answer",) and "follow the true numbers with a correlation of 0." in about.leaks[0]
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "elsewhere"))
    (tmp_path / "t.csv").unlink()  # whoever gets the package has nothing else
    done = call("distill", package, *QUICK, "--out", tmp_path / "theirs")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("No true labels: figures measure agreement with the teacher, not truth.")
    theirs = json.loads((tmp_path / "theirs" / "result.json").read_text())
    assert theirs["dataset"]["rows"] == first["dataset"]["rows"] and theirs["dataset"]["answer_columns"] == list(
        about.answers
    )
    assert (theirs["task"], theirs["dataset"]["classes"]) == (task, first["dataset"]["classes"])
    assert theirs["teacher"]["name"] == "soft_labels" and theirs["students"][0]["alpha"] in (1.0, None)
    note = next(p["message"] for p in theirs["problems"] if p["code"] == "label_package")
    assert "400 rows of 't' answered by Random forest, without labels; 0 rows had no answer" in note


@pytest.mark.slow
def test_encoded_and_made_rows_and_rows_without_an_answer(tmp_path):
    run = distilled(tmp_path)
    assert call("export-labels", run, "--out", tmp_path / "e.zip", "--columns", "encoded").exit_code == 0
    rows, about = rows_of(tmp_path / "e.zip", tmp_path)
    assert about.leaks[-1].startswith("Encoded columns may hold averages of the target")
    assert about.encoded and "x1" in rows and "a" not in rows and set(about.kinds.values()) == {"number"}
    told = call("export-labels", run, "--out", tmp_path / "m.zip", "--columns", "all", "--made")
    assert told.exit_code == 0, told.output
    assert "made rows with the columns" in told.stdout and "its values are real ones, the row is not" in told.stdout
    rows, about = rows_of(tmp_path / "m.zip", tmp_path)
    assert about.made and about.part is None and "split_part" not in rows and len(rows) > 100
    done = call("distill", tmp_path / "m.zip", *QUICK, "--out", tmp_path / "theirs")
    assert done.exit_code == 0, done.output
    frame = pd.read_csv(tmp_path / "t.csv")
    p = np.where(np.arange(len(frame)) % 4 == 0, np.nan, 0.2 + 0.6 * (frame.target == "yes"))
    frame.assign(p_no=1 - p, p_yes=p).to_csv(tmp_path / "t.csv", index=False)
    asked = ["--teacher", "soft_labels", "--set", "teacher.columns=p_no,p_yes", "--alpha", ".9"]
    done = call("distill", tmp_path / "t.csv", "--target", "target", *asked, *QUICK, "--out", tmp_path / "partly")
    assert done.exit_code == 0, done.output
    told = call("export-labels", tmp_path / "partly", "--out", tmp_path / "p.zip", "--columns", "all")
    assert "300 rows with the columns" in told.stdout and "100 rows without an answer were left out" in told.stdout
    assert "p_no" not in rows_of(tmp_path / "p.zip", tmp_path)[1].kinds


@pytest.mark.slow
def test_what_cannot_be_shared_is_said(tmp_path):
    run = distilled(tmp_path)
    for words, said in (
        ([], "No column is chosen, so nothing would be shared. hint: Name columns (--columns a,b)"),
        (["--columns", "a,target"], "There is no column target to share. Students read: a, b, kind"),
        (["--columns", "encoded", "--made"], "Made rows, and rows without a table, can't be shared encoded."),
    ):
        done = call("export-labels", run, "--out", tmp_path / "p.zip", *words)
        assert done.exit_code == 2 and said in done.stderr.replace("\n", " ") and not (tmp_path / "p.zip").exists()
    done = call("export-labels", tmp_path, "--out", tmp_path / "p.zip", "--columns", "all")
    assert done.exit_code == 2 and "Traceback" not in done.output


def made_package(path, **changes):
    """A small package, with what is wrong about it."""
    frame = pd.DataFrame({"a": np.arange(60.0), "p(no)": 0.25, "p(yes)": 0.75})
    frame.drop(columns=changes.pop("without", [])).to_parquet(path.with_suffix(".parquet"))
    data = path.with_suffix(".parquet").read_bytes()
    import hashlib

    values = {
        "format": "kd-workbench soft labels",
        "version": 1,
        "name": "n",
        "rows": 60,
        "sha256": hashlib.sha256(data).hexdigest(),
        "kinds": {"a": "number"},
        "answers": ["p(no)", "p(yes)"],
        "classes": ["no", "yes"],
        "part": None,
        "teacher": "T",
        "folds": 0,
        "made": False,
        "encoded": False,
        "left_out": 3,
        "leaks": ["All."],
        **changes,
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, json.dumps(values))
        archive.writestr(ROWS, data)
    return path


def test_a_package_is_read_with_what_it_says_of_itself(tmp_path):
    table = read_table(made_package(tmp_path / "p.zip"), name="p.zip")
    assert (table.answers, table.part, table.kinds["a"]) == (("p(no)", "p(yes)"), None, "number")
    assert "60 rows of 'n' answered by T, without labels; 3 rows had no answer" in table.problems[-1].message
    assert table.problems[-1].hint == "What it tells anyway: All."


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"sha256": "0" * 64}, "package_changed", r"rows of p\.zip are not those that it was exported with"),
        ({"rows": 61}, "package_columns", "holds 60 rows with the columns a, .* says 61 rows"),
        ({"without": ["p(yes)"]}, "package_columns", r"it says 60 rows with a, p\(no\), p\(yes\)"),
        ({"version": 2}, "bad_spec", "version: Input should be 1, got 2"),
        ({"kinds": {"a": "number", "b": "secret"}}, "bad_spec", "kinds.b"),
        ({"name": "n" * 200}, "bad_spec", "name: String should have at most 120"),
        ({"leaks": ["x" * 9_000_000]}, "package_manifest", "says more than 8,388,608 bytes about itself"),
    ],
)
def test_a_package_that_is_not_as_it_says_is_refused(tmp_path, changes, code, words):
    path = made_package(tmp_path / "p.zip", **changes)
    with pytest.raises((DataError, SpecError), match=words) as error:
        read_table(path, name="p.zip")
    assert error.value.code == code


def test_a_cut_package_is_named_incomplete(tmp_path):
    path = made_package(tmp_path / "p.zip")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"p\.zip is incomplete or damaged"):
        read_table(path, name="p.zip")


@pytest.mark.parametrize("classes", [["a_b", "a_c"], ["no (yet)", "p(yes)"], ["1", "2"]])
def test_names_of_classes_come_through_whole(classes):
    columns = [f"p({c})" for c in classes]
    assert classes_of(columns) == classes == [class_of(name, classes) for name in columns]
    assert named_class("p_yes") is None and classes_of(["p_no", "p_yes"]) == ["no", "yes"]


@pytest.mark.slow
def test_packages_of_several_owners_teach_together_on_rows_that_they_share(tmp_path):
    """Two owners answer the same rows; whoever has the rows distils both packages, hears no label, and is told whether both pay."""
    packages = []
    for number, trees in enumerate((5, 40)):
        table = write_table(tmp_path / "t.csv", "binary")
        teacher = ["--teacher", "random_forest", "--set", f"teacher.trees={trees}", "--folds", "2"]
        out = tmp_path / f"run{number}"
        assert call("distill", table, "--target", "target", *teacher, *QUICK, "--out", out).exit_code == 0
        packages.append(tmp_path / f"{number}.zip")
        assert call("export-labels", out, "--out", packages[-1], "--columns", "a,kind").exit_code == 0
    teachers = [word for i, p in enumerate(packages, 1)
                for word in ("--teacher", "soft_labels", "--set", f"teacher.{i}.path={p}")]  # fmt: skip
    given = [tmp_path / "t.csv", "--target", "target", *teachers, "--mode", "soft_labels_only", *QUICK]
    done = call("distill", *given, "--out", tmp_path / "both")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "both" / "result.json").read_text())
    (told,) = found["mode"]["singles"]
    assert told["best"] in ("taught by 1 soft_labels", "taught by 2 soft_labels")
    assert "known" not in found["teacher"]  # every row was found
    assert all(one["validation"]["accuracy"] > 0.7 for one in found["teacher"]["members"])


def test_a_package_without_a_shared_column_is_refused(tmp_path):
    from kd_core.teachers.sources.soft_labels import _by_features
    from tests.teachers.tables import dataset

    with pytest.raises(DataError, match="shares no column with the data") as error:
        _by_features(pd.DataFrame({"p(no)": [0.1], "x 1": [3]}), ("p(no)",), dataset())
    assert error.value.code == "package_rows"


def test_rows_of_a_package_are_found_by_what_they_hold(tmp_path):
    from kd_core.data.preparation import prepare
    from kd_core.teachers.sources.soft_labels import _by_features
    from tests.runs.tables import small_spec

    data = prepare(small_spec(write_table(tmp_path / "t.csv", "binary")).dataset)
    shared = list(data.columns)
    order = np.random.default_rng(0).permutation(len(data.rows))[: len(data.rows) - 3]
    frame = data.rows[shared].iloc[order].assign(**{"p(no)": 0.5}).reset_index(drop=True)
    at, said = _by_features(pd.concat([frame, frame.iloc[:2]], ignore_index=True), ("p(no)",), data)
    alike = data.rows[shared].astype(str).duplicated(keep=False).to_numpy()
    wanted = np.full(len(data.rows), -1)
    wanted[order] = np.arange(len(order))
    assert (wanted[~alike] == -1).any()
    np.testing.assert_array_equal(at[~alike], wanted[~alike])
    assert said[0].code == "package_rows_alike" and said[0].count >= 2
