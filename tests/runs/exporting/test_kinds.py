"""A bundle of every kind of student answers like the app in an environment that has only its requirements."""

from __future__ import annotations

import json
import subprocess
import zipfile

import numpy as np
import pytest

import kd_core
from kd_core.export.bundle_file import contents
from kd_core.export.parity import LIMIT, write_rows
from kd_core.export.raw_session import RawStudent
from kd_core.runs.exporting.exporting import hand_out
from kd_core.runs.exporting.taking import take
from tests.runs.exporting.empty_environment import python_with
from tests.runs.exporting.kinds import KINDS, carried_out

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
ABSENT = ("torch", "pandas", "sklearn", "scipy", "pyarrow", "onnx", "kd_core", "lightgbm")
LOADED = """
import sys, json; sys.path.insert(0, sys.argv[1])
from predict import load
student = load()
print(json.dumps([student.predict(json.loads(sys.argv[2])), student.columns, student.target, student.classes]))
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Return the Python for a list of requirements; bundles that need the same share one."""
    made = {}

    def python(requirements):
        key = tuple(requirements)
        if key not in made:
            made[key] = python_with(requirements, tmp_path_factory.mktemp("environment") / "python")
            for name in ABSENT:
                assert subprocess.run([made[key], "-I", "-c", f"import {name}"], capture_output=True).returncode == 1, (
                    name
                )
        return made[key]

    return python


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(rows, target):
    return np.array([[v for name, v in row.items() if name != target or len(row) == 1] for row in rows])


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_of_this_kind_answers_like_the_app_where_nothing_else_is_installed(kind, environments, tmp_path):
    folder, names = carried_out(kind, tmp_path)
    for place, name in enumerate(names):
        taking = take(folder.path, name)
        made = hand_out(taking, "bundle", tmp_path / f"{place}.zip")
        assert made.parity.rows == len(taking.rows) and made.parity.largest <= LIMIT
        manifest, files = contents(made.path)
        told = next(one for one in folder.read("artifacts/model.json")["students"] if one["name"] == name)
        assert files["model.onnx"] == (folder.path / told["onnx"]).read_bytes()  # what was measured, to the byte
        open_at = tmp_path / f"open {place}"
        with zipfile.ZipFile(made.path) as archive:
            archive.extractall(open_at)
        python = environments(manifest["requirements"])

        def run(*asked, python=python, open_at=open_at):
            return subprocess.run(
                [python, "-I", *asked], capture_output=True, text=True, cwd=tmp_path, encoding="utf-8"
            )

        checked = run(open_at / "predict.py", "--check")
        assert (
            checked.returncode == 0
            and f"{len(taking.taken.sample)} sample rows are answered as expected" in checked.stdout
        ), checked.stderr
        app, purpose = kd_core.load(folder.path, name), RawStudent(files["model.onnx"]).purpose
        sampled = lines(run(open_at / "predict.py", open_at / "sample.csv"))
        assert (
            np.abs(numbers(sampled, purpose.target) - app.ask(taking.taken.sample)[0]) / taking.spread <= LIMIT
        ).all()
        odd = taking.rows[-40:]  # made by the rules: missing, unknown, written otherwise
        (tmp_path / f"odd {place}").mkdir()
        path = write_rows(odd, tmp_path / f"odd {place}")
        answered = lines(run(open_at / "predict.py", path))
        wanted, said = app.ask(odd)
        assert (np.abs(numbers(answered, purpose.target) - wanted) / taking.spread <= LIMIT).all()
        assert (said == ()) == ("note:" not in run(open_at / "predict.py", path).stderr)
        if all(not isinstance(cell, bytes) for row in odd for cell in row.values()):
            found, columns, target, classes = lines(run("-c", LOADED, open_at, json.dumps(odd[:3])))[0]
            assert found == answered[:3] and (tuple(columns), target, tuple(classes)) == (
                app.columns,
                purpose.target,
                purpose.classes,
            )
        assert set(json.loads(files["columns.json"])["known"]) == _categories(kind)
        assert ("tokenizer.json" in files) == (told["kind"] == "tokens")
        assert [one.split("==")[0] for one in manifest["requirements"]] == [
            "numpy",
            "onnxruntime",
            *_more(told["kind"]),
        ]


def _categories(kind):
    return {"table": {"ort", "geschenk"}, "regression": {"ort", "geschenk"}, "fusion": {"material"}}.get(kind, set())


def _more(kind):
    return {"tokens": ["tokenizers"], "pixels": ["pillow"], "together": ["pillow"]}.get(kind, [])
