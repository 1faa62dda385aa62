"""A teacher, a metric, a reader or a text architecture is one file: added to a copy of the engine, it is listed, obeys the laws and works in a run."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.additions.test_new_task import ROOT, run
from tests.data.views.test_text_views import text_table

TEACHER = '''"""Least squares on the number of the class."""

import numpy as np
from pydantic import Field

from kd_core.data.input_spec import TABLE
from kd_core.specs import Spec, unit
from kd_core.teachers.base import SOURCES
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.fitting import from_fit


class Leaning:
    """Leans towards the class whose number is nearer."""

    def __init__(self, data, firmness):
        classes = range(data.num_outputs) if not data.is_number else [0]
        self.number, self.firmness = data.is_number, firmness
        self.slope = np.linalg.lstsq(np.c_[data.x, np.ones(len(data.x))], data.y.astype(float), rcond=None)[0]
        self.seen = [bool((data.y == c).any()) for c in classes]

    def logits(self, x):
        value = np.c_[x, np.ones(len(x))] @ self.slope
        if self.number:
            return value.astype(np.float32)[:, None]
        z = np.stack([-((value - c) ** 2) * self.firmness if known else np.full(len(x), -40.0) for c, known in enumerate(self.seen)], 1)
        return (z - np.log(np.exp(z).sum(1, keepdims=True))).astype(np.float32)

    def num_parameters(self):
        return len(self.slope)

    def size_bytes(self):
        return 8 * len(self.slope)

    def module(self):
        return None

    def details(self):
        return {}


class LeaningSpec(Spec):
    """One setting."""

    firmness: float = Field(4.0, gt=0, le=9, description="How sure it is.", json_schema_extra=unit("factor"))


@SOURCES.register(
    "leaning", title="Leaning", spec=LeaningSpec, needs=("several_folds",), takes=(TABLE,), gives=frozenset({"logits"}), family="classic",
)
@from_fit
def fit(spec, data, seed, notify, should_stop):
    """Least squares on the number of the class."""
    stop_if_asked(should_stop)
    return Leaning(data, spec.firmness)
'''
METRIC = '''"""Share of the answers that are surer than nine in ten."""

import numpy as np

from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def moved(answers: Answers):
    sure = answers.p.max(axis=1) > 0.9
    return sure - sure.mean()


@METRICS.register(
    "sure", title="Sure", tasks=CLASSIFICATION, better="higher", unit="share", margin=0.005, relative=False, influence=moved,
    reference=lambda a: float(np.mean([max(p) > 0.9 for p in a.p.tolist()])),
    weighted=lambda w, a: w @ (a.p.max(axis=1) > 0.9) / w.sum(axis=1),
)
def sure(answers: Answers) -> float | None:
    """Share of rows whose most likely class has more than 0.9."""
    return float((answers.p.max(axis=1) > 0.9).mean())
'''
READER = '''"""Tables whose cells have two bars between them."""

from pathlib import Path

import pandas as pd

from kd_core.data.readers import READERS
from kd_core.data.table import Table


def is_bars(path: Path, head: bytes) -> bool:
    return head.startswith(b"#bars")


@READERS.register(
    "bars", title="Bars", extensions=(".bars",), noun="a table of bars", starts="#bars", recognises=is_bars,
)
def read_bars(path: Path, read, name):
    """Read it."""
    lines = [line.split("||") for line in path.read_text().splitlines()[1:]]
    frame = pd.DataFrame(lines[1:], columns=lines[0]).astype("string")
    return Table(frame, "bars", {"format": "bars"}, size_bytes=path.stat().st_size)
'''


def added(tmp, path: str, text: str):
    """Copy the engine and its laws, put it under git and add one file."""
    shutil.copytree(ROOT / "kd_core", tmp / "kd_core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", tmp / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "pages", tmp / "pages", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp / "pyproject.toml")
    git(tmp, "init", "-q")
    git(tmp, "add", ".")
    git(tmp, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "before")
    (tmp / path).write_text(text)
    git(tmp, "add", ".")
    assert git(tmp, "diff", "--cached", "--stat").splitlines()[-1].strip().startswith("1 file changed")
    return tmp


def git(place, *command: str) -> str:
    return subprocess.run(["git", *command], cwd=place, check=True, capture_output=True, text=True).stdout


def nothing_else_changed(place, files: int = 1) -> None:
    """Check what was added to the engine and the pages since `added`; what Python compiled is no addition."""
    git(place, "add", "*.py", "*.toml")
    told = git(place, "diff", "--cached", "--stat", "--", "kd_core", "pages").splitlines()[-1].split()
    assert told[:2] == [str(files), "file" if files == 1 else "files"]


def obeys(place, laws: str, name: str) -> None:
    said = run(place, "pytest", "-p", "no:cacheprovider", "-n", "0", "-vv", laws, "-k", name)
    assert f"[{name}" in said and "failed" not in said, said


def form_of(place, package: str, registry: str, name: str) -> str:
    """Draw the form of a part by the pages' own generator, and return the labels of its widgets with its title."""
    (place / "drawn.py").write_text(
        f"""
from streamlit.testing.v1 import AppTest
def page():
    import {package} as package
    from pages.ui.shared import forms
    forms.form(package.{registry}.get({name!r}).spec, {{}}, "f")
at = AppTest.from_function(page, default_timeout=60).run()
assert not at.exception
from {package} import {registry}
print([w.label for w in (*at.number_input, *at.slider, *at.select_slider)], {registry}.get({name!r}).title)
"""
    )
    return run(place, "drawn")


def result(place):
    return json.loads((place / "out" / "result.json").read_text())


DISTILL = ("kd_core", "distill")
QUICK = ("--student", "tiny", "--epochs", "2", "--seeds", "2", "--out", "out")


@pytest.mark.slow
def test_a_teacher(tmp_path):
    place = added(tmp_path, "kd_core/teachers/sources/leaning.py", TEACHER)
    assert "leaning" in run(place, "kd_core", "list", "teachers")
    assert form_of(place, "kd_core.teachers", "SOURCES", "leaning").split() == ["['Firmness']", "Leaning"]
    obeys(place, "tests/laws/test_teachers.py", "leaning")
    table(place)
    run(place, *DISTILL, "a.csv", "--target", "target", "--teacher", "leaning", *QUICK)
    assert result(place)["teacher"]["name"] == "leaning" and result(place)["teacher"]["parameters"] > 1


@pytest.mark.slow
def test_a_metric(tmp_path):
    place = added(tmp_path, "kd_core/evaluate/metrics/sure.py", METRIC)
    assert "sure" in run(place, "kd_core", "list", "metrics")
    obeys(place, "tests/laws/test_metrics.py", "sure")
    obeys(place, "tests/laws/test_row_influence.py", "sure")
    table(place)
    run(place, *DISTILL, "a.csv", "--target", "target", *QUICK)
    assert "sure" in result(place)["students"][0]["gain"]


@pytest.mark.slow
def test_a_reader(tmp_path):
    place = added(tmp_path, "kd_core/data/readers/bars.py", READER)
    assert "bars" in run(place, "kd_core", "list", "readers")
    table(place)
    rows = (place / "a.csv").read_text().splitlines()
    (place / "a.bars").write_text("\n".join(["#bars", *(row.replace(",", "||") for row in rows)]))
    run(place, *DISTILL, "a.bars", "--target", "target", *QUICK)
    assert sum(result(place)["dataset"]["rows"].values()) == 400


@pytest.mark.slow
def test_a_text_architecture(tmp_path):
    text = (ROOT / "kd_core/models/archs/textcnn.py").read_text().replace('"textcnn"', '"twin"')
    place = added(tmp_path, "kd_core/models/archs/twin.py", text)
    assert "twin" in run(place, "kd_core", "list", "archs") and "twin" in run(place, "kd_core", "list", "teachers")
    obeys(place, "tests/laws/test_archs.py", "twin")
    text_table(place / "a.csv", 200)
    options = ["--target", "label", "--student", "twin:tiny", "--teacher", "sklearn", "--epochs", "2", "--seeds", "2"]
    run(place, *DISTILL, "a.csv", *options, "--out", "out")
    assert result(place)["students"][0]["arch"]["name"] == "twin"


def table(place) -> None:
    from tests.runs.tables import write_table

    write_table(place / "a.csv", "binary", 400)
