"""One stack in training: the recorded step, memory, checkpoints and the numbers it tells."""

import gc
import json

import numpy as np
import pytest
import torch

from kd_core.distill.stack import fused, stack_training
from kd_core.distill.stack.replay import Replay
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.work import SweepWork
from kd_core.machine import device as devices
from kd_core.specs import TrainingSpec
from kd_core.training import checkpoint
from kd_core.training.checkpoint import Checkpoints
from kd_core.training.loop import ignore, never
from tests.distill.eager import deal, make_dataset, make_teacher, make_variant
from tests.distill.training import train

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    with devices.threads(1):
        yield


def opened(variants, rows=100, precision="float64", dataset=None, **settings):
    dataset = dataset or make_dataset(rows=rows)
    training = TrainingSpec(**{"epochs": 3, "batch_size": 32, "patience": 1000} | settings)
    work = Stacking(SweepWork.of(dataset, variants, make_teacher(dataset), training, precision=precision))
    (task,) = work.tasks(None, ignore, 1)
    return work, work.open(task)


def variants(arch="mlp", count=3, **settings):
    return [
        make_variant(arch, 8 + s, 2, "hinton", s % 2, dropout=0.2 * (s % 3), temperature=1.0 + s, **settings)
        for s in range(count)
    ]


def trained(made):
    """Train to the end; return per position the weights at its selected epoch."""
    found = {}
    for ended in made.run(never, None):
        found |= {made.members[row].position: made.stack.state(row, made.best) for row in ended}
    return found


@pytest.mark.parametrize("arch", ["mlp", "resmlp"])
class TestReplayedStep:
    @pytest.mark.parametrize("rows", [96, 100])  # whole batches; a short one at the end
    def test_gives_the_same_numbers(self, arch, rows, monkeypatch):
        factors = stack_training.StackTraining._factors
        monkeypatch.setattr(
            stack_training.StackTraining, "_factors", lambda self: torch.tensor(factors(self), dtype=torch.float64)
        )  # as on a GPU, but exact
        _, made = opened(variants(arch), rows)
        expected = trained(made)
        laid_out = stack_training.StackTraining._laid_out
        made_replays = []

        def recorded(self):
            laid_out(self)
            self.replay = Replay(self._step, CPU)
            made_replays.append(self.replay)

        monkeypatch.setattr(stack_training.StackTraining, "_laid_out", recorded)
        _, made = opened(variants(arch), rows)
        found = trained(made)
        assert made_replays[-1]._calls == 3 * (rows // 32)
        for position, state in expected.items():
            assert all(torch.equal(state[k], found[position][k]) for k in state)

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_a_graph_gives_the_eager_numbers(self, arch, monkeypatch):
        dataset = make_dataset(rows=500)
        few = [make_variant(arch, 8 + s, 2, "hinton", s) for s in range(3)]
        training = TrainingSpec(epochs=5, batch_size=32, patience=1000, precision="float32")
        found = []
        for eager in (False, True):
            if eager:
                monkeypatch.setattr(stack_training, "Replay", lambda step, device: step)
            work = Stacking(SweepWork.of(dataset, few, make_teacher(dataset), training, device=torch.device("cuda")))
            (task,) = work.tasks(None, ignore, 1)
            found.append(trained(work.open(task)))
        for position, state in found[0].items():
            for name, tensor in state.items():
                torch.testing.assert_close(tensor, found[1][position][name], rtol=1e-4, atol=1e-5)


def test_batches_are_those_of_separate_training_for_every_seed():
    _, made = opened([make_variant(seed=s) for s in (5, 2, 9)], rows=97)  # one row is left over
    made.epoch = 3
    for row, seed in enumerate((2, 5, 9)):
        expected = deal(97, 32, seed, 3)
        assert [b[row].tolist() for b in made._batches()] == [b.tolist() for b in expected]


def test_masks_are_drawn_once_for_networks_that_share_them():
    few = [make_variant(seed=s, width=w, dropout=d) for s, w, d in ((0, 8, 0.5), (0, 8, 0.5), (1, 8, 0.5), (0, 8, 0.0))]
    few[1] = make_variant(seed=0, width=8, dropout=0.5, rate=0.1)
    _, made = opened(few)
    assert len(made.streams) == 2
    made.epoch = 1
    made._seed_masks()
    (mask,) = made._masks(32)
    row = {m.position: r for r, m in enumerate(made.members)}
    assert torch.equal(mask[row[0]], mask[row[1]])
    assert not torch.equal(mask[row[0]], mask[row[2]])
    assert (mask[row[3]] == 1).all()
    assert set(mask[row[0]].unique().tolist()) == {0.0, 2.0}


def test_the_best_weights_are_those_of_the_selected_epoch():
    _, made = opened(variants(), epochs=8, learning_rate=0.05)
    weights = {m.position: [] for m in made.members}
    found = []
    for ended in made.run(never, None):
        for row, member in enumerate(made.members):
            weights[member.position].append(made.stack.state(row))
        for row in ended:
            member = made.members[row]
            found.append(member.position)
            best = made.stack.state(row, made.best)
            chosen = weights[member.position][member.best_epoch - 1]
            assert all(torch.equal(best[k], chosen[k]) for k in best)
            assert [h["epoch"] for h in member.history] == list(range(1, 9))
            assert member.best_score == max(h["score"] for h in member.history)
            assert member.seconds > 0
    assert sorted(found) == list(range(len(weights)))


def test_a_checkpoint_is_plain_json_even_beside_networks_that_have_overflowed(tmp_path, monkeypatch):
    """On a GPU, finished networks stay for a while; what is saved must not hold them."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)
    monkeypatch.setitem(stack_training.LEAVE_SHARE, "cpu", 0.9)
    few = [
        make_variant(seed=0, depth=3),
        make_variant(seed=1, depth=3, rate=1e6, decay=1.0),
        make_variant(seed=2, depth=3),
    ]
    _, made = opened(few, precision="float32", optimiser="sgd", learning_rate=0.01)
    kept = Checkpoints(tmp_path, {})
    ended = [made.members[row].position for found in made.run(never, kept) for row in found]
    assert sorted(ended) == [0, 1, 2]
    counters = json.loads((sorted(tmp_path.iterdir())[-1] / "counters.json").read_text("utf-8"))["counters"]
    assert sorted(m["position"] for m in counters["members"]) == [0, 2]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_when_finished_networks_leave_changes_no_number(share, monkeypatch):
    few = [
        make_variant(width=w, seed=s, rate=r, dropout=d)
        for w, s, r, d in (
            (8, 0, 0.1, 0.2),
            (12, 1, 1e-3, 0.0),
            (9, 2, 0.03, 0.4),
            (12, 0, 0.2, 0.0),
            (8, 3, 3e-4, 0.1),
        )
    ]
    settings = {"epochs": 14, "patience": 2}
    _, made = opened(few, **settings)
    expected = trained(made)
    monkeypatch.setitem(stack_training.LEAVE_SHARE, "cpu", share)
    _, made = opened(few, **settings)
    told = trained(made)
    assert told.keys() == expected.keys()
    for position, state in expected.items():
        for name, tensor in state.items():
            torch.testing.assert_close(told[position][name], tensor, rtol=0, atol=1e-10)


def test_measuring_takes_warm_steps_apart():
    _, made = opened(variants())
    assert len(made.time_steps(4)) == 4


@pytest.mark.slow  # looks through all objects of the process
@pytest.mark.parametrize("arch", ["mlp", "resmlp"])
def test_epochs_leave_no_tensors_behind(arch):
    _, made = opened(variants(arch), epochs=12)
    counts = []
    for _ in made.run(never, None):
        gc.collect()
        counts.append(sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects()))
        if len(counts) == 6:
            break
    assert max(counts[2:]) == min(counts[2:])


@pytest.mark.slow
def test_a_stack_of_256():
    many = [
        make_variant("mlp", 8, 1, "hinton", seed, temperature=1.0 + t, alpha=a / 4, dropout=0.1 * (t % 2))
        for seed in range(8)
        for t in range(8)
        for a in range(4)
    ]
    _, made = opened(many, epochs=4)
    found = trained(made)
    assert len(found) == 256
    for position in (0, 100, 255):
        _, alone = opened([many[position]], epochs=4)
        (state,) = trained(alone).values()
        for name, tensor in state.items():
            np.testing.assert_allclose(found[position][name], tensor, rtol=0, atol=1e-9)


@pytest.mark.parametrize("waiting", [stack_training.SEEN_NUMBERS, 100])  # at the epoch's end; every few steps
def test_the_losses_of_an_epoch_are_those_of_separate_training(waiting, monkeypatch):
    monkeypatch.setattr(stack_training, "SEEN_NUMBERS", waiting)
    dataset, training = make_dataset(), TrainingSpec(epochs=3, batch_size=32)
    teacher, curves = make_teacher(dataset), {}
    for how in (fused.train, sequential.train):
        events = []
        found = [*variants(count=2), make_variant(seed=1)]
        train(how, dataset, found, teacher, training, notify=events.append, curves=True)
        told = [e for e in events if e["kind"] == "epoch"]
        curves[how] = {(e["training"], e["epoch"]): [e["loss"], e["hard"], e["soft"] or 0.0] for e in told}
    stacked, alone = curves.values()
    assert len(stacked) == 9 and stacked.keys() == alone.keys()
    for key, losses in stacked.items():
        assert losses == pytest.approx(alone[key], rel=1e-4), key
