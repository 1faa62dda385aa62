"""An architecture for pictures is one file: added to a copy, it is listed, obeys the laws, is in the form, teaches and is taught."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.additions.test_new_task import ROOT, copy, run  # noqa: F401
from tests.data.pictures.zips import shapes, zipped

ARCH = '''"""A linear model of pixels."""

from torch import nn

from kd_core.models.base import ARCHS, Outputs
from kd_core.specs import Spec


class FlatSpec(Spec):
    """Nothing to choose."""


class Flat(nn.Module):
    def __init__(self, inputs, num_outputs):
        super().__init__()
        self.head = nn.Linear(inputs.width, num_outputs)

    def forward(self, x):
        return Outputs(self.head(x.float().flatten(1) / 255))


@ARCHS.register(
    "flat", title="Flat", spec=FlatSpec, roles=("student", "teacher"), takes=("pixels",), presets={},
    dense=True, gives=frozenset({"logits"}),
)
def build(spec, inputs, num_outputs):
    """Build a linear model of pixels."""
    return Flat(inputs, num_outputs)
'''
FORM = """
from kd_core.registry import Situation
from kd_core.models import ARCHS
from kd_core.teachers import SOURCES
at = Situation(task="multiclass", num_classes=3, views=frozenset({"pixels"}))
print([e.name for e, why in ARCHS.offer(at) if why is None], [e.name for e, why in SOURCES.offer(at) if why is None])
"""


@pytest.fixture(scope="module")
def place(copy):  # noqa: F811
    """The copy under version control with one file more."""
    (copy / "kd_core" / "tasks" / "rating.py").unlink()
    shutil.copy(ROOT / "tests/laws/test_archs.py", copy / "tests/laws/test_archs.py")
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "before"],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    (copy / "kd_core" / "models" / "archs" / "flat.py").write_text(ARCH)
    return copy


@pytest.mark.slow
def test_it_is_listed_obeys_the_laws_and_may_teach(place):
    assert "flat" in run(place, "kd_core", "list", "archs") and "flat" in run(place, "kd_core", "list", "teachers")
    said = run(place, "pytest", "-p", "no:cacheprovider", "-vv", "tests/laws/test_archs.py", "-k", "flat")
    assert "[flat-only]" in said and "failed" not in said
    (place / "form.py").write_text(FORM)
    archs, teachers = run(place, "form").strip().split("] [")
    assert "'flat'" in archs and "'flat'" in teachers and "'mlp'" not in archs + teachers


@pytest.mark.slow
def test_it_teaches_is_taught_saved_and_shown_and_the_copy_differs_by_one_file(place, tmp_path):
    path, out = zipped(tmp_path / "shapes.zip", shapes(20)), tmp_path / "out"
    options = ["--teacher", "flat", "--set", "teacher.epochs=2", "--student", "flat", "--epochs", "2", "--seeds", "2"]
    run(place, "kd_core", "distill", str(path), *options, "--folds", "2", "--out", str(out))
    (student,) = json.loads((out / "result.json").read_text())["students"]
    assert student["parameters"] == 16 * 16 * 3 + 3 and student["verdict"]
    assert (out / "artifacts/students/0.onnx").exists() and (out / "artifacts/students/0.safetensors").exists()
    assert "flat" in run(place, "kd_core", "show", str(out))
    changed = ["git", "status", "--porcelain", "--", "kd_core", "tests", ":!*.pyc"]
    said = subprocess.run(changed, cwd=place, check=True, capture_output=True, text=True).stdout.splitlines()
    assert [line for line in said if "__pycache__" not in line] == ["?? kd_core/models/archs/flat.py"]
