"""What can be served, and what is refused before anything is answered."""

from __future__ import annotations

import shutil
import zipfile

import pytest

from kd_core.errors import KDError
from kd_core.export import bundle_file
from kd_core.serving.served import _sample, open_served
from kd_core.specs import ReadSpec


@pytest.fixture
def bundle(run_of, tmp_path):
    """A sealed bundle with a student's file, a sample and a program that nobody may run."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    shutil.copy(run_of("binary")[0] / "artifacts/students/0.onnx", folder / "model.onnx")
    (folder / "sample.csv").write_text("a,b,kind\n0.5,2.0,red\n,1,blue\n")
    (folder / "predict.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')")
    bundle_file.write_manifest(folder, {"name": "tiny"})
    path = tmp_path / "tiny.zip"
    path.write_bytes(bundle_file.sealed(folder))
    return path


def test_a_bundle_answers_as_its_run_and_nothing_in_it_is_executed(bundle, served, tmp_path):
    found = open_served(str(bundle))
    rows = [{"a": 0.5, "b": 2.0, "kind": "red"}, {"a": None, "b": "1", "kind": "never seen"}]
    assert found.run(rows)[0].tolist() == served.run(rows)[0].tolist()
    assert found.name == "tiny"
    assert found.examples == ({"a": "0.5", "b": "2.0", "kind": "red"}, {"a": None, "b": "1", "kind": "blue"})
    assert not (tmp_path / "executed").exists()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_what_export_makes_is_served_with_its_sample_as_examples(run_of, tmp_path, task):
    from kd_core.runs.exporting.exporting import export

    export(run_of(task)[0], "bundle", tmp_path / "made.zip")
    found, of_run = open_served(str(tmp_path / "made.zip")), open_served(str(run_of(task)[0]))
    assert found.name == of_run.name == "tiny" and len(found.examples) == 20
    assert found.run(list(found.examples))[0].tolist() == of_run.run(list(found.examples))[0].tolist()


@pytest.mark.parametrize(
    ("layout", "sample"),
    [({"separator": ";", "encoding": "cp1252"}, "a;b;kind\n1;2;r\xe9d\n"), ({"header": "no"}, "1,2,r\xe9d\n")],
)
def test_a_sample_is_read_as_its_file_was_laid_out(layout, sample):
    read = ReadSpec(**layout)
    data = sample.encode(read.encoding or "utf-8")
    assert _sample({"sample.csv": data}, read, ["a", "b", "kind"]) == [{"a": "1", "b": "2", "kind": "réd"}]


def test_a_changed_bundle_is_not_served(bundle):
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(KDError, match=r"tiny\.zip is no whole bundle"):
        open_served(str(bundle))


def test_a_bundle_without_a_student_that_takes_raw_rows_is_not_served(run_of, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    shutil.copy(run_of("binary")[0] / "artifacts/students/0.network.onnx", folder / "model.onnx")
    bundle_file.write_manifest(folder, {})
    (tmp_path / "x.zip").write_bytes(bundle_file.sealed(folder))
    with pytest.raises(KDError, match="holds no student's file that takes raw rows"):
        open_served(str(tmp_path / "x.zip"))


def test_a_student_can_be_named_of_a_run_only(bundle, run_of):
    with pytest.raises(KDError, match="holds one student; 'large' was asked for"):
        open_served(str(bundle), "large")
    with pytest.raises(KDError, match="has no student 'large'"):
        open_served(str(run_of("binary")[0]), "large")


def test_a_missing_bundle_and_another_zip_are_refused(tmp_path):
    with pytest.raises(KDError, match="There is no bundle"):
        open_served(str(tmp_path / "none.zip"))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(KDError, match="is no whole bundle"):
        open_served(str(tmp_path / "other.zip"))


def test_a_students_file_is_served_without_examples(run_of, served):
    found = open_served(str(run_of("binary")[0] / "artifacts/students/0.onnx"))
    row = {"a": 1, "b": 2, "kind": "red"}
    assert found.examples == () and found.run(row)[0].tolist() == served.run(row)[0].tolist()


def test_a_runs_examples_are_its_test_rows_as_a_file_holds_them(served, run_of):
    rows = run_of("binary")[1]
    known = set(rows.itertuples(index=False, name=None))
    assert len(served.examples) == 20 and all(type(cell) is str for row in served.examples for cell in row.values())
    assert {(float(row["a"]), float(row["b"]), row["kind"]) for row in served.examples} <= known
