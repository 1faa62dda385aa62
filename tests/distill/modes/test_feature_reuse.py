"""Students that start from their teacher's layers: which, from which units, and what is refused before anything is trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.distill import MODES
from kd_core.distill.beside import reused
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.errors import KDError
from kd_core.models import ARCHS
from kd_core.models.building import build_for, start_weights
from kd_core.runs import plan
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers.base import network_of
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher
from tests.runs.tables import small_spec, write_table

TEACHER = Choice(name="mlp", settings={"size": "base", "epochs": 2})
MODE = MODES.get("feature_reuse")


def mlp(width, depth, inputs=5, seed=0):
    arch = Choice(name="mlp", settings={"size": None, "width": width, "depth": depth})
    with start_weights(seed):
        return build_for(make_dataset(), arch)


def test_a_student_of_the_same_shape_becomes_the_teacher():
    student, other = mlp(12, 2), mlp(12, 2, seed=1)
    assert reused.take_over(student, other) == ("head", "body.2", "body.0")
    x = torch.randn(7, 5)
    assert torch.equal(student(x).logits, other(x).logits)


def test_a_narrower_one_takes_the_units_that_are_heard_most():
    student, other = mlp(3, 2), mlp(9, 2, seed=1)
    with torch.no_grad():  # all but three units of each layer are heard by nobody: then nothing is lost
        other.head.weight[:, [0, 1, 3, 5, 6, 8]] = 0
        other.body[2].weight[:, [1, 2, 3, 4, 5, 8]] = 0
    assert reused.take_over(student, other) == ("head", "body.2", "body.0")
    x = torch.randn(7, 5)
    assert torch.allclose(student(x).logits, other(x).logits, atol=1e-6)


def test_the_layer_that_reads_the_rows_is_taken_from_the_one_that_does():
    student, other = mlp(3, 1), mlp(5, 3, seed=1)  # its inner layers are as wide as a row
    before = student.body[0].weight.clone()
    assert reused.take_over(student, other) == ("head",)
    assert torch.equal(student.body[0].weight, before)


@pytest.mark.parametrize("entry", [e for e in ARCHS.entries() if {"student", "teacher"} <= set(e.facts["roles"])])
def test_what_is_foreseen_of_every_architecture_is_taken_by_layers_that_it_has(entry):
    sizes = [{"size": size} if entry.facts["presets"] else {} for size in ("tiny", "large")]
    small, large = (Choice(name=entry.name, settings=s) for s in sizes)
    found = reused.foresee(small, large)
    if found is None:
        return
    assert found.width <= found.teacher_width and len(found.layers) <= found.all_layers
    if found.layers:
        assert found.layers[0] == "head" and len(set(found.layers)) == len(found.layers)


def test_networks_of_different_widths_share_no_layer_by_its_name_alone():
    small, large = (Choice(name="resnet", settings={"size": size}) for size in ("tiny", "large"))
    assert reused.foresee(small, large).layers == ("head",)


def lesson_of():
    data = make_dataset()
    with start_weights(7):
        network = build_for(data, network_of(TEACHER))
    weights = {name: t.numpy() for name, t in network.state_dict().items()}
    return Lesson(data, STUDENT, objective_for("binary"), teacher(data), TRAINING, TEACHER, weights=weights)


def test_it_starts_there_and_learns_as_usual_from_then_on():
    lesson = lesson_of()
    found = MODE.make(MODE.spec(), lesson, Way(3)).student
    network = build_for(lesson.dataset, network_of(TEACHER))
    network.load_state_dict({name: torch.from_numpy(w) for name, w in lesson.weights.items()})
    started = []
    usual = taught(lesson, Way(3), start=lambda m: started.append(reused.take_over(m, network)))
    assert same(found, usual) and started and not same(found, taught(lesson, Way(3)))
    other = {name: -w for name, w in lesson.weights.items()}
    assert not same(found, MODE.make(MODE.spec(), replace(lesson, weights=other), Way(3)).student)
    with pytest.raises(KDError, match="handed on no weights"):
        MODE.make(MODE.spec(), replace(lesson, weights={}), Way(3))


def said(spec):
    return [p for p in plan.check(spec, "binary", 2, ("table", "columns"), 280) if p.code.startswith("reuse")]


def test_what_can_t_be_taken_over_is_said_before_with_the_widths(tmp_path):
    spec = small_spec(tmp_path / "a.csv").model_copy(update={"teacher": TEACHER, "mode": Choice(name="feature_reuse")})

    def of(name, **settings):
        student = StudentSpec(name="s", arch=Choice(name=name, settings=settings))
        return said(spec.model_copy(update={"students": (student,)}))

    (wider,) = of("mlp", size="large")
    assert wider.severity == "error" and "256 numbers before its last layer and the teacher 128" in wider.message
    (other,) = of("resmlp")
    assert other.severity == "error" and "Residual MLP" in other.message
    (taken,) = of("mlp", size="small")
    assert (
        taken.severity == "note" and "s takes 3 of its 3, with 20 of the 128 numbers before the last" in taken.message
    )
    trees = spec.model_copy(update={"teacher": Choice(name="random_forest")})
    (reason,) = [p for p in plan.check(trees, "binary", 2, ("table", "columns"), 280) if p.severity == "error"]
    assert "one network trained here" in reason.message


def test_a_run_hands_on_the_teacher_s_weights_and_keeps_them_with_its_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(tmp_path / "space"))
    spec = small_spec(write_table(tmp_path / "a.csv")).model_copy(
        update={"teacher": TEACHER, "mode": Choice(name="feature_reuse")}
    )
    runs = [run_here(spec, tmp_path / name, lambda e: None, StopSignal())[0] for name in ("first", "again")]
    values = [[s["metrics"]["log_loss"]["values"] for s in run["students"]] for run in runs]
    assert values[0] == values[1]
    plain, _ = run_here(
        spec.model_copy(update={"mode": Choice(name="offline")}), tmp_path / "plain", lambda e: None, StopSignal()
    )
    ours, theirs = runs[0]["students"][0], plain["students"][0]
    assert ours["metrics"]["log_loss"]["values"] != theirs["metrics"]["log_loss"]["values"]
    assert np.allclose(
        ours["baseline"]["metrics"]["log_loss"]["values"],
        theirs["baseline"]["metrics"]["log_loss"]["values"],
        rtol=1e-5,
    )


def test_only_plain_layers_are_followed_back():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU())
            self.head = nn.Linear(4, 2)

    assert [name for name, _ in reused._backwards(Wrapped())] == ["head"]
