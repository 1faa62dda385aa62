"""Students that start from their teacher's layers: which, from which units, and what is refused before anything is trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.data.input_spec import InputSpec
from kd_core.distill import MODES
from kd_core.distill.beside import reused
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.errors import KDError
from kd_core.models import ARCHS
from kd_core.models.building import build, build_for, start_weights
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


@pytest.mark.slow
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


def transformer(depth, width=8, seed=0):
    arch = Choice(name="text_transformer", settings={"size": None, "width": width, "depth": depth, "heads": 2})
    with start_weights(seed):
        return build(arch, InputSpec("tokens", (6,), "int32", high=20), 3)


@pytest.mark.parametrize(("own", "theirs", "expected"), [(2, 4, (1, 3)), (3, 6, (1, 3, 5)), (1, 4, (3,)), (3, 4, (0, 1, 3)), (4, 4, (0, 1, 2, 3)), (5, 4, ())])  # fmt: skip
def test_blocks_are_taken_evenly_spread_the_last_among_them(own, theirs, expected):
    assert reused.every(own, theirs) == expected


@pytest.mark.parametrize(("spread", "blocks"), [(True, (1, 3)), (False, (0, 1))])
def test_a_shallower_transformer_takes_blocks_and_embeddings(spread, blocks):
    student, other = transformer(2), transformer(4, seed=1)
    layers = reused.take_over(student, other, spread=spread)
    assert {"head", "embedding", "blocks.0.asked", "blocks.1.inner.2"} <= set(layers)
    for mine, theirs in enumerate(blocks):
        for name, tensor in student.blocks[mine].state_dict().items():
            assert torch.equal(tensor, other.blocks[theirs].state_dict()[name])
    assert torch.equal(student.embedding.weight, other.embedding.weight) and torch.equal(student.place, other.place)
    with torch.no_grad():  # the blocks that are left out do nothing: then nothing is lost
        for at in set(range(4)) - set(blocks):
            for layer in (other.blocks[at].told, other.blocks[at].inner[2]):
                layer.weight.zero_()
                layer.bias.zero_()
    x = torch.randint(0, 20, (5, 6))
    assert torch.allclose(student.eval()(x).logits, other.eval()(x).logits, atol=1e-6)


def test_of_another_width_no_block_is_taken_and_of_more_blocks_none_is_spread():
    assert not [n for n in reused.take_over(transformer(2, 4), transformer(4), spread=True) if n.startswith("blocks")]
    student, before = transformer(5), transformer(5).state_dict()
    reused.take_over(student, transformer(4, seed=1), spread=True)
    assert all(torch.equal(student.state_dict()[n], t) for n, t in before.items() if n.startswith("blocks.4"))


def test_what_blocks_will_be_taken_is_said_before(tmp_path):
    own = Choice(name="text_transformer", settings={"size": None, "width": 192, "depth": 2})
    spec = small_spec(write_table(tmp_path / "t.csv")).model_copy(
        update={
            "teacher": Choice(name="text_transformer", settings={"size": "large"}),
            "students": (StudentSpec(name="half", arch=own),),
            "mode": Choice(name="feature_reuse", settings={"blocks": "every"}),
            "objective": Choice(name="minilm"),  # a loss that looks inside may be heard beside it
        }
    )
    found = plan.check(spec, "binary", 2, ("tokens",), 400)
    assert not [p for p in found if p.severity == "error"]
    (told,) = [p.message for p in found if p.code == "reuse_taken"]
    assert "half takes" in told and "its blocks are number 2, 4 of the teacher's 4" in told
    first = spec.model_copy(update={"mode": Choice(name="feature_reuse")})
    assert any("number 1, 2 of the teacher's 4" in p.message for p in plan.check(first, "binary", 2, ("tokens",), 400))
    narrow = spec.model_copy(update={"students": (StudentSpec(name="s", arch=Choice(name="text_transformer")),)})
    (said,) = [p.message for p in plan.check(narrow, "binary", 2, ("tokens",), 400) if p.code == "reuse_taken"]
    assert "blocks" not in said
