"""A student handed out: what lies in the bundle, what is kept of it, what is refused and how damage is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.errors import DataError, KDError, SpecError, UnknownName
from kd_core.export.bundle_file import contents, own_hash
from kd_core.export.shipped import PACKAGE, program
from kd_core.export.targets import TARGETS
from kd_core.runs import experiment
from kd_core.runs.exporting import taking as taking_room
from kd_core.runs.exporting.exporting import export, hand_out, kept
from kd_core.runs.exporting.taking import take
from kd_core.runs.store.folder import MODEL, RunFolder
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    spec = small_spec(write_table(place / "secret table.csv", rows=240), epochs=1, seeds=2)
    folder = RunFolder.create(place / "run", spec)
    folder.finish("done", experiment.run(spec, folder, lambda event: None, lambda: False))
    return folder


@pytest.fixture(scope="module")
def bundle(run):
    return export(run.path, licence="CC BY 4.0")


@pytest.fixture
def open_at(bundle, tmp_path):
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(tmp_path / "open")
    return tmp_path / "open"


def asked(open_at, *arguments):
    return subprocess.run(
        [sys.executable, "-I", open_at / "predict.py", *arguments], capture_output=True, text=True, encoding="utf-8"
    )


@pytest.mark.slow
def test_a_bundle_is_kept_beside_its_run_with_its_proof(run, bundle, tmp_path):
    assert bundle.path.parent == run.path / "exports" and bundle.size_bytes == bundle.path.stat().st_size
    assert bundle.parity.rows > 100 and bundle.parity.largest <= 1e-5 and bundle.unproved is None
    assert kept(run) == [bundle] and run.damage() == []
    again = export(run.path, out=tmp_path / "mine.zip", licence="CC BY 4.0")
    assert again.path == tmp_path / "mine.zip" and again.sha256 == bundle.sha256  # the same student, the same bytes
    data = bundle.path.read_bytes()
    bundle.path.write_bytes(data[:-1] + b"x")
    assert kept(run) == []  # what is no longer as it was proved is not offered
    bundle.path.write_bytes(data)
    (bundle.path.parent / "half.json").write_text("{")
    assert len(kept(run)) == 1
    (bundle.path.parent / "half.json").unlink()


def test_what_lies_in_a_bundle(run, bundle):
    manifest, files = contents(bundle.path)
    assert manifest["kind"] == "bundle" and manifest["target"] == "target" and manifest["classes"] == ["no", "yes"]
    assert (manifest["task"], manifest["view"], manifest["name"]) == ("binary", "table", "tiny")
    assert manifest["parity"] == {"rows": bundle.parity.rows, "largest": bundle.parity.largest, "limit": 1e-5}
    assert files["requirements.txt"].decode().split() == manifest["requirements"]
    told = run.read(MODEL)["students"][0]
    for name, path in (("model.onnx", told["onnx"]), ("model.safetensors", told["weights"])):
        assert files[name] == (run.path / path).read_bytes()
    assert files["sample.csv"].decode().splitlines()[0] == "a,b,kind" and len(files["sample.csv"].splitlines()) == 21
    assert np.array(json.loads(files["expected.json"])["answers"]).shape == (20, 2)
    assert (
        json.loads(files["labels.json"])["classes"] == ["no", "yes"]
        and "kind" in json.loads(files["columns.json"])["columns"]
    )
    assert {f"{PACKAGE}/student.py", f"{PACKAGE}/cell.py", "predict.py", "README.md", "CARD.md"} <= files.keys()
    first = files["README.md"].decode()
    assert (
        "python predict.py sample.csv" in first and "`CARD.md` says how good it is" in first and "**target**" in first
    )


def test_the_card_tells_data_recipe_measures_limits_and_licence_and_no_place_on_this_machine(run, bundle):
    _, files = contents(bundle.path)
    card, result = files["CARD.md"].decode(), run.result()
    for words in (
        "## How good it is",
        "95 % interval",
        "CC BY 4.0",
        result["dataset"]["hash"],
        "## What it is not for",
        '"epochs": 1',
        "It knows 2 classes",
    ):
        assert words in card
    gain = result["students"][0]["gain"]["roc_auc"]
    assert f"{gain['mean']:+.4g} ({gain['ci95'][0]:+.4g} to {gain['ci95'][1]:+.4g})" in card
    assert f"| {result['teacher']['metrics']['roc_auc']:.4g} |" in card and "arXiv:1503.02531" in card
    assert "secret table.csv" in card and str(run.path.parent) not in b"".join(files.values()).decode(
        "utf-8", "replace"
    )
    assert "Not stated. Whoever hands this out" in contents(export(run.path).path)[1]["CARD.md"].decode()


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
@pytest.mark.parametrize("count", [3, 4000])
def test_who_stops_reading_the_answers_gets_no_traceback(open_at, count):
    rows = open_at / "rows.csv"
    rows.write_text("kind,a,b\n" + "red,1,2\n" * count)
    read, write = os.pipe()
    os.close(read)  # as `| head` does once it has its lines: of few answers nothing was written yet, of many a part
    program_itself = [sys.executable, "-I", open_at / "predict.py", rows]
    done = subprocess.run(program_itself, stdout=write, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
def test_a_folder_answers_rows_and_tells_what_was_odd(open_at, run):
    rows = open_at / "rows.csv"
    rows.write_text("kind,a,b,more\nred,1.5,abc,x\n\nnever seen,,2,y\n")
    done = asked(open_at, rows)
    assert done.returncode == 0
    assert (
        "note: 1 column is not used: more" in done.stderr
        and "1 value of b could not be read as a number" in done.stderr
    )
    assert "1 row holds a value of kind that the model was not taught" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    wanted, _ = kd_core.load(run.path).ask(
        [{"a": "1.5", "b": "abc", "kind": "red"}, {"a": None, "b": 2, "kind": "never seen"}]
    )
    assert np.abs(np.array([[one["p_no"], one["p_yes"]] for one in found]) - wanted).max() <= 1e-6
    assert [one["target"] for one in found] == np.array(["no", "yes"])[wanted.argmax(axis=1)].tolist()
    rows.write_text("kind,a\nred,1\n")
    done = asked(open_at, rows)
    assert done.returncode == 2 and "error: Row 1: 1 column is missing: b. Given: kind, a" in done.stderr
    rows.write_text("kind,a,b\nred,1\n")
    assert "Row 1 of rows.csv has 2 cells where 3 columns are named" in asked(open_at, rows).stderr
    rows.write_bytes(b"kind,a,b\n\xff,1,2\n")
    assert "is not written in utf-8" in asked(open_at, rows).stderr
    assert asked(open_at, open_at / "absent.csv").returncode == 2
    assert "python predict.py --check" in asked(open_at).stdout and asked(open_at).returncode == 2
    odd = open_at / "rows.json"
    odd.write_text('[{"a": 1, "b": null, "kind": true}]')
    assert asked(open_at, odd).returncode == 0
    odd.write_text("[1]")
    assert "holds no list of rows" in asked(open_at, odd).stderr
    (open_at / "rows.jsonl").write_text('{"a": 1, "b": 2, "kind": "red"}\n{"a": 2, "b": 1, "kind": "blue"}\n')
    assert len(asked(open_at, open_at / "rows.jsonl").stdout.splitlines()) == 2


def test_values_never_seen_are_counted_once_a_column_and_the_answers_stay(open_at):
    rows, known = open_at / "rows.csv", json.loads((open_at / "columns.json").read_text("utf-8"))["known"]
    assert list(known) == ["kind"] and "red" in known["kind"]
    odd = ["pink", "red", "teal", "pink", "", "gold", " red ", "grey"]
    rows.write_text("kind,a,b\n" + "".join(f"{kind},1,2\n" for kind in odd))
    done = asked(open_at, rows)
    notes = [line for line in done.stderr.splitlines() if "not taught" in line]
    assert len(notes) == 1 and notes[0].startswith("note: 5 rows hold a value of kind ")
    assert notes[0].endswith(": 'pink', 'teal', 'gold'.")
    answers = [json.loads(line)["p_yes"] for line in done.stdout.splitlines()]
    assert len(answers) == 8 and len({answers[at] for at in (0, 2, 3, 5, 7)}) == 1 and answers[1] == answers[6]
    rows.write_text("kind,a,b\nred,1,2\n,,\n")
    assert "not taught" not in asked(open_at, rows).stderr


DAMAGING = """
import json, sys; sys.path.insert(0, sys.argv[1])
import predict
said = {}
for path in sorted(p for p in predict.HERE.rglob("*") if p.is_file() and p.stat().st_size):
    held, name = path.read_bytes(), path.relative_to(predict.HERE).as_posix()
    for at in {0, len(held) // 3, len(held) // 2, len(held) - 1}:
        path.write_bytes(held[:at] + bytes([held[at] ^ 1]) + held[at + 1:])
        try: predict.load()
        except predict.Damaged as error: said.setdefault(name, []).append(str(error))
    path.unlink()
    try: predict.load()
    except predict.Damaged as error: said.setdefault(name, []).append(str(error))
    path.write_bytes(held)
predict.load()
print(json.dumps(said))
"""


@pytest.mark.slow
def test_a_folder_with_a_changed_missing_or_swapped_file_refuses_to_answer(open_at):
    names = {p.relative_to(open_at).as_posix(): p.stat().st_size for p in open_at.rglob("*") if p.is_file()}
    done = subprocess.run([sys.executable, "-I", "-c", DAMAGING, open_at], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.keys() == names.keys()
    for name, (*changed, missing) in said.items():
        assert len(changed) == len({0, names[name] // 3, names[name] // 2, names[name] - 1})
        assert all(name in why for why in [*changed, missing]), (name, changed, missing)
    one, other = open_at / "model.onnx", open_at / "model.safetensors"
    held = one.read_bytes(), other.read_bytes()
    one.write_bytes(held[1]), other.write_bytes(held[0])
    assert "model.onnx is not the file that was handed out" in asked(open_at, "--check").stderr
    one.write_bytes(held[0]), other.write_bytes(held[1])
    program_itself = open_at / "predict.py"
    program_itself.write_text(program_itself.read_text("utf-8") + "# more\n", "utf-8")
    assert "predict.py is not the file" in asked(open_at, "--check").stderr


def test_what_is_not_installed_is_named(open_at):
    bare = [sys.executable, "-I", "-S", open_at / "predict.py"]  # with the standard library alone
    for asks in ("--check", open_at / "sample.csv"):
        done = subprocess.run([*bare, asks], capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 2 and done.stdout == ""
        assert "is not installed here. Install what is needed: pip install -r requirements.txt" in done.stderr


def changed_manifest(open_at, **changed):
    path = open_at / "manifest.json"
    told = json.loads(path.read_text("utf-8")) | changed
    path.write_text(json.dumps(told | {"self": own_hash(told)}), "utf-8")


@pytest.mark.slow
def test_another_version_and_other_answers_are_refused(open_at):
    held = (open_at / "manifest.json").read_text("utf-8")
    changed_manifest(open_at, schema=0)
    done = asked(open_at, "--check")
    assert done.returncode == 3 and "is of version 0, and this program reads version 1: export it again" in done.stderr
    (open_at / "manifest.json").write_text(held.replace('"schema": 1', '"schema": [1]'), "utf-8")
    assert asked(open_at, "--check").returncode == 3
    # Whoever hashes anew can change answers; what was expected of them is then no longer found
    expected = open_at / "expected.json"
    told = json.loads(expected.read_text("utf-8"))
    told["answers"][3][0] += 1e-4
    expected.write_text(json.dumps(told), "utf-8")
    import hashlib

    (open_at / "manifest.json").write_text(held, "utf-8")
    files = json.loads(held)["files"] | {"expected.json": hashlib.sha256(expected.read_bytes()).hexdigest()}
    changed_manifest(open_at, files=files)
    done = asked(open_at, "--check")
    assert done.returncode == 4 and "answered otherwise than expected: 0.0001 apart, 1e-05 is allowed" in done.stderr


@pytest.mark.slow
def test_a_target_that_answers_otherwise_is_not_offered(run, tmp_path):
    taking = take(run.path)
    before = {path.name for path in (run.path / "exports").glob("*")}
    wrong = [[p + 1e-3 * (at == 7) for p in one] for at, one in enumerate(taking.answers)]
    with pytest.raises(KDError, match=r"Row 8 of "):
        hand_out(replace(taking, answers=wrong), "bundle", tmp_path / "x.zip")
    other = taking.taken.model.replace(b'"schema":1', b'"schema":9')
    broken = replace(taking, taken=replace(taking.taken, model=other))
    with pytest.raises(KDError, match="could not be asked in a clean process"):
        hand_out(broken, "bundle", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists() and before == {path.name for path in (run.path / "exports").glob("*")}


def test_what_can_not_be_taken_home_is_refused_with_the_reason(run, tmp_path, monkeypatch):
    with pytest.raises(UnknownName, match=r"no target 'bundel'\. Did you mean 'bundle'"):
        export(run.path, "bundel")
    with pytest.raises(KDError, match="has no student 'absent'"):
        export(run.path, student="absent")
    with pytest.raises(KDError, match=r"0.onnx is a student's file, not a run"):
        export(run.path / "artifacts" / "students" / "0.onnx")
    with pytest.raises(DataError, match="is a folder"):
        export(run.path, out=tmp_path)
    taken = take(run.path).taken
    with pytest.raises(SpecError, match="Student 'tiny' can't be taken home as 'bundle': its rows are read as 'odd'"):
        hand_out(
            replace(take(run.path), taken=replace(taken, facts={**taken.facts, "view": {"kind": "odd"}})), "bundle"
        )
    real = taking_room.predictor.load

    def without_file(*asked):
        opened = real(*asked)
        opened.deployed, opened.student = None, {**opened.student, "onnx_reason": "it is too odd."}
        return opened

    monkeypatch.setattr(taking_room.predictor, "load", without_file)
    with pytest.raises(KDError, match=r"No file of student 'tiny' answers raw rows: it is too odd\. Take another"):
        take(run.path)


def test_a_run_whose_rows_are_damaged_is_told(run):
    path = run.artifact("rows.parquet")
    held = path.read_bytes()
    path.write_bytes(held[: len(held) // 2])
    try:
        with pytest.raises(KDError) as error:
            take(run.path)
        assert error.value.code == "run_damaged" and "rows.parquet can't be read" in error.value.message
    finally:
        path.write_bytes(held)


def test_the_program_asks_for_nothing_that_is_not_shipped():
    found = program()
    assert not [
        name for name, text in found.items() if "kd_core" in text.replace("kd_core/", "") and "import kd_core" in text
    ]
    for text in found.values():
        assert "from kd_core" not in text
    for entry in TARGETS.entries():
        assert entry.facts["runs_with"] and callable(entry.facts["suits"])
        assert entry.facts.get("asked") or entry.facts["unproved"]


def test_the_command_writes_a_bundle_and_tells_its_proof(run, tmp_path):
    done = CliRunner().invoke(
        app, ["export", str(run.path), "--target", "bundle", "--out", str(tmp_path / "b.zip"), "--licence", "mine"]
    )
    assert done.exit_code == 0, done.output
    assert "Proved: " in done.output and "(1e-05 is allowed)" in done.output and "sha256: " in done.output
    assert b"mine" in contents(tmp_path / "b.zip")[1]["CARD.md"]
    done = CliRunner().invoke(app, ["export", str(run.path), "--target", "bundel", "--out", str(tmp_path / "c.zip")])
    assert done.exit_code == 2 and "no target 'bundel'" in done.output and not os.path.lexists(tmp_path / "c.zip")
    listed = CliRunner().invoke(app, ["list", "targets"])
    assert listed.exit_code == 0 and listed.output.splitlines()[0].startswith("b")


def test_a_loaded_student_answers_as_scikit_learns_classifiers_do(run):
    opened = kd_core.load(run.path)
    rows = [{"a": "1.5", "b": "2", "kind": "red"}, {"a": None, "b": 2, "kind": "never seen"}]
    assert opened.classes_.tolist() == ["no", "yes"]
    shares = opened.predict_proba(rows)
    assert shares.shape == (2, 2) and np.allclose(shares.sum(axis=1), 1)
    assert opened.predict(rows)["target"].tolist() == opened.classes_[shares.argmax(axis=1)].tolist()
    opened.purpose = replace(opened.purpose, task=kd_core.task.task_of("regression"), classes=())
    assert opened.classes_.tolist() == []
    with pytest.raises(KDError, match="'target' is no single choice among classes"):
        opened.predict_proba(rows)
