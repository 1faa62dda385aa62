import pytest
import torch

from kd_core.distill.stack import chunks, fused
from kd_core.distill.sweep import planner, sequential
from kd_core.distill.sweep.variants import Variant
from kd_core.errors import KDError
from kd_core.machine import device as devices
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher
from tests.distill.training import train

SHORT = TrainingSpec(epochs=2, batch_size=32)
OTHER = StudentSpec(name="apart", arch=Choice(name="tabm", settings={"size": "tiny"}))


def variants(count=4, student=STUDENT):
    return [Variant(student, objective_for("binary", alpha=0.5), seed) for seed in range(count)]


def run(chosen, training=SHORT, **more):
    data, events = make_dataset(), []
    found = train(planner.train, data, chosen, teacher(data), training, notify=events.append, **more)
    return found, events


def sweep_of(events):
    (event,) = [e for e in events if e["kind"] == "sweep"]
    return event


@pytest.fixture
def noted(monkeypatch):
    """Note what each way is given, train nothing."""
    done = []

    def note(name):
        def train(work, hooks, lanes):
            done.append((name, [v.seed for v in work.variants.values()], lanes, work.precision))
            return {}

        return train

    monkeypatch.setattr(sequential, "train", note("sequential"))
    monkeypatch.setattr(chunks, "train", note("fused"))
    return done


@pytest.mark.slow
def test_results_come_in_the_order_asked_whatever_is_stacked():
    mixed = [variants(3)[0], variants(1, OTHER)[0], *variants(3)[1:]]
    told = []
    found, events = run(mixed, on_trained=lambda number, trained: told.append((number, trained.variant)))
    assert [t.variant for t in found] == mixed
    assert sorted(told, key=lambda t: t[0]) == list(enumerate(mixed))
    event = sweep_of(events)
    assert (event["mode"], event["trainings"], event["precision"]) == ("fused", 4, "float32")
    assert event["why"] == (
        "3 of 4 are trained as stacks. 1 of 4 are trained one by one. "
        "Not stacked, because the architecture 'tabm' has no stacked form (known: mlp, piecewise, additive, linear, resmlp)."
    )
    best = {}
    for scores in (e for e in events if e["kind"] == "scores"):
        best |= scores["best"]
    assert best == pytest.approx({str(i): t.score_selected for i, t in enumerate(found)})


@pytest.mark.parametrize(
    ("asked", "hardware", "precision"),
    [
        ("auto", True, "float32"),
        ("auto", False, "float32"),
        ("float32", True, "float32"),
        ("bfloat16", True, "bfloat16"),
        ("bfloat16", False, "float32"),
    ],
)
def test_the_number_format_is_a_rule(noted, monkeypatch, asked, hardware, precision):
    monkeypatch.setattr(devices, "has_bfloat16", lambda kind: hardware)
    training = SHORT.model_copy(update={"precision": asked})
    _, events = run([*variants(2), *variants(2, OTHER)], training)
    assert sweep_of(events)["precision"] == precision
    assert [(name, used) for name, _, _, used in noted] == [("fused", precision), ("sequential", precision)]
    warned = [e["message"] for e in events if e["kind"] == "warning"]
    lacks = ["bfloat16 was asked for, but this cpu has no arithmetic for it; float32 is used."]
    assert warned == (lacks if asked == "bfloat16" and not hardware else [])


def test_a_mode_asked_for_is_taken(noted):
    for mode in ("fused", "sequential"):
        event = sweep_of(run(variants(), mode=mode)[1])
        assert event["mode"] == mode == noted[-1][0] and noted[-1][1] == [0, 1, 2, 3]
        assert event["why"].startswith(f"The mode '{mode}' was asked for. 4 of 4 are trained ")


def test_lanes_are_told(noted, monkeypatch):
    monkeypatch.setattr(fused, "lanes_for", lambda work: 3)
    monkeypatch.setattr(sequential, "lanes_for", lambda work: 2)
    event = sweep_of(run([*variants(2), *variants(2, OTHER)])[1])
    assert [lanes for _, _, lanes, _ in noted] == [3, 2]
    assert (
        "2 of 4 are trained as stacks in 3 lanes side by side. 2 of 4 are trained one by one in 2 lanes" in event["why"]
    )


def test_a_mode_that_cannot_work_is_refused():
    with pytest.raises(
        KDError, match=r"The student 'apart' can't be trained in a stack: the architecture 'tabm' has no"
    ) as caught:
        run([*variants(1), *variants(1, OTHER)], mode="fused")
    assert caught.value.code == "cannot_fuse"


def test_nothing_is_begun_after_a_stop_or_for_nothing(noted):
    assert run(variants(2), should_stop=lambda: True) == ([None, None], [])
    assert run([]) == ([], [])
    asked = iter([False, True, True])
    assert run([*variants(1), *variants(1, OTHER)], should_stop=lambda: next(asked))[0] == [None, None]
    assert [name for name, *_ in noted] == ["fused"]


def test_a_gpu_has_one_lane():
    from kd_core.distill.sweep.work import SweepWork

    work = SweepWork.of(make_dataset(), variants(3), None, SHORT, device=torch.device("cuda"))
    assert fused.lanes_for(work) == sequential.lanes_for(work) == 1
