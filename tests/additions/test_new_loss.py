"""A loss with a module of its own is one file: added to a copy of the engine it is offered, obeys the laws and trains in a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.additions.test_new_task import ROOT, run

LOSS = '''"""What a student thinks inside, mapped by a projector of its own, against what the teacher answers."""

from typing import Any

from pydantic import Field
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.task import CLASSIFICATION


class HintSpec(LossSpec):
    """Settings of the hint."""

    scale: float = Field(1.0, ge=0.1, le=10, description="Multiplies what the projector finds.")


def projector(spec: HintSpec, student: Outputs, teacher: Outputs) -> nn.Module:
    return nn.Linear(student.features.shape[1], teacher.logits.shape[1])


def reference(student: Any, teacher: Any, labels: Any, spec: HintSpec, weights: dict[str, Any]) -> Any:
    found = student.features @ weights["weight"].T + weights["bias"]
    return ((spec.scale * found - teacher.logits) ** 2).mean()


@LOSSES.register(
    "dummy_hint",
    title="Hint by a projector",
    spec=HintSpec,
    source="arXiv:1412.6550",
    tasks=CLASSIFICATION,
    needs=("student_features",),
    module=projector,
    reference=reference,
)
def dummy_hint(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintSpec, module: nn.Module) -> Tensor:
    """Mean squared distance of the projected features to the teacher's answers."""
    return (spec.scale * module(student.features) - teacher.logits).square().mean()
'''
COPIED = (
    "laws/__init__.py",
    "laws/losses/__init__.py",
    "laws/losses/several_rows.py",
    "laws/test_losses.py",
    "laws/loss_cases.py",
    "distill/__init__.py",
    "distill/eager.py",
)
FORM = '''
from streamlit.testing.v1 import AppTest

def draw(students):
    return f"""
from kd_core.distill import LOSSES
from kd_core.runs.plan import situation
from pages.ui.shared import forms
name = forms.part(LOSSES, situation("binary", 2, students={students}), "dummy_hint", "loss", "Method", "")
forms.form(LOSSES.get(name).spec, {{}}, "loss.settings")
"""

at = AppTest.from_string(draw(["mlp"])).run(timeout=60)
assert not at.exception, at.exception
print(at.selectbox(key="loss").value, [w.label for w in (*at.slider, *at.select_slider, *at.number_input)])
print([m.value for m in AppTest.from_string(draw(["mlp", "linear"])).run(timeout=60).markdown])
'''


def git(place: Path, *command: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(["git", *who, *command], cwd=place, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The engine, the pages and the laws of losses, committed; then one file more."""
    place = tmp_path_factory.mktemp("copy")
    dropped = shutil.ignore_patterns("__pycache__")
    for folder in ("kd_core", "pages"):
        shutil.copytree(ROOT / folder, place / folder, ignore=dropped)
    shutil.copy(ROOT / "pyproject.toml", place)
    for name in ("__init__.py", *COPIED):
        (place / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, place / "tests" / name)
    (place / ".gitignore").write_text("__pycache__\n/workspace\n/out*\n/a.csv\n")
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "before")
    (place / "kd_core/distill/losses/dummy_hint.py").write_text(LOSS)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    label = np.where(x[:, 0] + x[:, 1] ** 2 + 0.3 * rng.normal(size=400) > 0.7, "yes", "no")
    pd.DataFrame(x, columns=["a", "b", "c"]).assign(label=label).to_csv(place / "a.csv", index=False)
    return place


def distill(student: str, out: str) -> list[str]:
    return [
        "kd_core",
        "distill",
        "a.csv",
        *("--target", "label", "--objective", "dummy_hint", "--student", student),
        *("--epochs", "2", "--seeds", "2", "--out", out),
    ]


@pytest.mark.slow
def test_it_is_listed_and_offered_with_its_settings(place):
    listed = run(place, "kd_core", "list", "losses")
    assert "dummy_hint" in listed and "Hint by a projector" in listed
    (place / "out").mkdir(exist_ok=True)
    (place / "out" / "form.py").write_text(FORM)
    offered, refused = run(place, "out.form").splitlines()[-2:]
    assert offered.startswith("dummy_hint") and "Scale" in offered
    assert "Hint by a projector (needs the student's inner features" in refused


@pytest.mark.slow
def test_the_laws_know_it(place):
    said = run(place, "pytest", "-p", "no:cacheprovider", "-vv", "tests/laws/test_losses.py")
    assert "failed" not in said
    for law in ("its_module_is_trained", "a_resumed_training", "equals_the_formula", "is_the_slope_of_the_formula"):
        assert any(law in line and "dummy_hint" in line and "PASSED" in line for line in said.splitlines()), law


@pytest.mark.slow
def test_it_trains_a_student_whose_projector_is_dropped(place):
    run(place, *distill("tiny", "out-hint"))
    out = place / "out-hint"
    found = json.loads((out / "result.json").read_text())["students"][0]
    assert found["objective"] == "dummy_hint"
    assert found["parameters"] == 3 * 8 + 8 + 8 * 2 + 2
    files = [*out.glob("artifacts/students/*.safetensors"), *out.glob("checkpoints/trained/*student*.safetensors")]
    assert len(files) == 3
    for path in files:
        kept = {name.removeprefix("model/") for name in load_file(path)}
        assert kept == {"body.0.weight", "body.0.bias", "head.weight", "head.bias"}
    told = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    (said,) = [e for e in told if e.get("code") == "not_stacked"]
    assert said["message"] == (
        "The student 'tiny' is trained one by one: the loss 'dummy_hint' needs more of the networks than their answers, "
        "and a stack gives only those."
    )
    assert [e for e in told if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    assert "tiny" in run(place, "kd_core", "show", "out-hint")


@pytest.mark.slow
def test_a_student_without_a_hidden_layer_is_refused_before_anything_is_trained(place):
    environment = {**os.environ, "KD_WORKSPACE": str(place / "workspace"), "PYTHONPATH": str(place)}
    done = subprocess.run(
        [sys.executable, "-m", *distill("linear", "out-linear")],
        capture_output=True,
        text=True,
        cwd=place,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 2
    assert "needs the student's inner features: every student must have a hidden layer" in done.stderr


@pytest.mark.slow
def test_nothing_else_was_touched(place):
    git(place, "add", "-A")
    assert git(place, "diff", "--cached", "--stat").splitlines()[-1].startswith(" 1 file changed")
