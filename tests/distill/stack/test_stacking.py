"""Which variants share a stack, how a group is divided, and where stacks are saved."""

import numpy as np
import pytest
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.distill.stack import stackable, stacking
from kd_core.distill.stack.stacking import Stacking, Task
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import SweepWork
from kd_core.models.building import build
from kd_core.seeding import derive
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.training.loop import ignore
from tests.distill.eager import make_dataset, make_teacher, make_variant


def work(variants, task="binary", precision="float32"):
    dataset = make_dataset(task, rows=64)
    training = TrainingSpec(epochs=2, batch_size=32)
    return Stacking(SweepWork.of(dataset, variants, make_teacher(dataset), training, precision=precision))


def grouped(variants, task="binary"):
    made = work(variants, task)
    return sorted(sorted(g) for g in made.groups(range(len(variants))))


def test_temperature_alpha_rate_decay_dropout_and_seed_share_a_stack():
    assert grouped(
        [
            make_variant(objective="hinton", temperature=1.0),
            make_variant(objective="hinton", temperature=9.0, alpha=0.1),
            make_variant(rate=0.1),
            make_variant(decay=0.5),
            make_variant(dropout=0.5),
            make_variant(seed=7),
        ]
    ) == [[0, 1, 2, 3, 4, 5]]


def test_family_depth_activation_and_widening_part_them():
    apart = [
        make_variant(),
        make_variant(depth=2),
        make_variant(activation="gelu"),
        make_variant("linear"),
        make_variant("resmlp"),
        make_variant("resmlp", arch_widening=1.0),
        make_variant("resmlp", depth=2),
    ]
    assert grouped(apart * 2) == [[k, k + 7] for k in range(7)]


def test_losses_part_them_and_baselines_join_one():
    assert grouped(
        [make_variant(objective="mse"), make_variant(objective="bounded_mse"), make_variant(seed=3)], "regression"
    ) == [[0, 2], [1]]
    assert grouped([make_variant(seed=s) for s in (0, 1)]) == [[0, 1]]


def test_widths_far_apart_part_them():
    widths = (8, 40, 10, 12, 41, 13, 600)
    made = work([make_variant(width=w) for w in widths])
    groups = [[widths[p] for p in g] for g in made.groups(range(len(widths)))]
    assert sorted(w for g in groups for w in g) == sorted(widths)
    assert groups == [[8, 10, 12], [13], [40, 41], [600]]


def test_a_group_is_divided_among_the_lanes():
    made = work([make_variant(seed=s) for s in range(10)])
    sizes = [sorted(len(t.positions) for t in made.tasks(None, ignore, lanes)) for lanes in (1, 2, 4)]
    assert sizes == [[10], [5, 5], [2, 2, 3, 3]]
    assert [len(t.positions) for t in work([make_variant()]).tasks(None, ignore, 4)] == [1]


def test_no_stack_takes_more_than_its_memory(monkeypatch):
    variants = [make_variant(seed=s) for s in range(10)]
    made = work(variants)
    monkeypatch.setitem(stacking.STACK_BYTES, "cpu", 3 * made.bytes(0))
    tasks = made.tasks(None, ignore, 1)
    assert max(len(t.positions) for t in tasks) <= 3
    assert sorted(p for t in tasks for p in t.positions) == list(range(10))
    monkeypatch.setitem(stacking.STACK_BYTES, "cpu", 1)  # one network is the least
    assert len(made.tasks(None, ignore, 1)) == 10


def test_equal_settings_of_the_optimiser_lie_next_to_each_other():
    rates = (0.1, 0.01, 0.1, 0.01)
    (task,) = work([make_variant(rate=r, seed=3 - s) for s, r in enumerate(rates)]).tasks(None, ignore, 1)
    assert [rates[p] for p in task.positions] == [0.01, 0.01, 0.1, 0.1]


def test_the_estimate_grows_with_the_width():
    made = work([make_variant(width=w) for w in (8, 80, 800)] + [make_variant("linear")])
    a, b, c, linear = (made.bytes(p) for p in range(4))
    assert linear < a < b < c
    assert work([make_variant(width=8)], precision="float64").bytes(0) == 2 * a


def test_networks_start_from_the_weights_of_separate_training():
    variant = make_variant(seed=4)
    made = work([variant, make_variant(seed=5)])
    (task,) = made.tasks(None, ignore, 1)
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    stack = made.open(task)
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's random stream was moved"
    torch.manual_seed(derive(4, "init"))
    expected = build(variant.student.arch, table_inputs(6), 2).state_dict()
    row = next(r for r, m in enumerate(stack.members) if m.position == 0)
    assert all(torch.equal(stack.stack.state(row)[k], v) for k, v in expected.items())


def test_places_are_named_by_content(tmp_path):
    variants = [make_variant(seed=s) for s in (0, 1)] + [make_variant("linear")]
    first = work(variants).tasks(tmp_path, ignore, 1)
    moved = work(variants[::-1]).tasks(tmp_path, ignore, 1)
    assert {t.place for t in first} == {t.place for t in moved}
    assert len({t.place for t in first}) == 2
    assert {t.place for t in work(variants[:1]).tasks(tmp_path, ignore, 1)}.isdisjoint({t.place for t in first})


def test_students_that_differ_in_name_alone_do_not_share_a_place(tmp_path):
    arch = Choice(name="linear")
    twins = [Variant(StudentSpec(name=n, arch=arch), None, s) for s in (0, 1) for n in "ab"]
    tasks = work(twins).tasks(tmp_path, ignore, 2)
    twice = work([twins[0], twins[2], twins[1], twins[3]])
    assert len({t.place for t in tasks}) == len(tasks) == 2
    assert twice._place(tmp_path, [0], []) == twice._place(tmp_path, [2], [])
    assert twice._place(tmp_path, [2], [Task([0], None, twice._place(tmp_path, [0], []))]) != twice._place(
        tmp_path, [0], []
    )


def test_clearing_leaves_what_the_task_goes_on_from(tmp_path):
    place, source = tmp_path / "place", tmp_path / "source"
    for of in (place, source):
        of.mkdir()
    Task([0], None, place, place).clear(all_of_it=False)
    assert place.exists()
    Task([0], None, place, source).clear(all_of_it=False)
    assert (place.exists(), source.exists()) == (False, True)
    Task([0], None, place, source).clear(all_of_it=True)
    assert not source.exists()
    Task([0]).clear(all_of_it=True)


@pytest.mark.parametrize("metric", [None, "log_loss"])
def test_the_metric_decides_what_is_better(metric):
    dataset = make_dataset(rows=64)
    made = Stacking(SweepWork.of(dataset, [make_variant()], None, TrainingSpec(), metric))
    assert (made.metric, made.better) == (metric or "roc_auc", "lower" if metric else "higher")


def test_own_rates_and_decays_win_over_the_training_settings():
    made = work([make_variant(), make_variant(rate=0.5, decay=0.0)])
    spec = TrainingSpec()
    assert [(p.rate, p.decay) for p in made.plans.values()] == [(spec.learning_rate, spec.weight_decay), (0.5, 0.0)]
    assert np.unique([p.key for p in made.plans.values()]).size == 2


def test_why_networks_that_gain_nothing_together_stay_apart_is_told():
    said = {name: stackable.why_apart(name, "hinton", "multiclass") for name in ("bag", "cnn", "textcnn")}
    assert "masks of one shape" in said["bag"] and "1.6 to 2.3 times as long" in said["cnn"]
    assert said["textcnn"].endswith("(convolutions side by side are no faster than one after the other)")
