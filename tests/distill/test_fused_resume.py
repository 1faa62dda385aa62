"""Fused training stopped, killed and taken up again."""

import pytest

from kd_core.distill.stack import stack_training as stack_trainings
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep.work import SweepWork
from kd_core.machine import device as devices
from kd_core.training import checkpoint
from kd_core.training.loop import ignore
from tests.distill.eager import make_dataset, make_teacher, make_variant, with_columns
from tests.distill.fused_runs import assert_equal, farthest, impatient, run, threads, training_spec, weights_by_epoch


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks wait for each other's threads longer than they compute."""
    with devices.threads(1):
        yield


class TestStop:
    def test_keeps_the_best_so_far(self):
        dataset, training = make_dataset(rows=96), training_spec(epochs=2000)
        variants = [make_variant(seed=0), make_variant(width=30, seed=1), make_variant("linear")]
        heard = []
        results = run(dataset, variants, training, lanes=3, should_stop=lambda: len(heard) > 0, notify=heard.append)
        assert threads() == []
        assert all(r is None or (r.stopped and r.state and r.diverged is None) for r in results)
        assert any(results)
        assert all(r is None or r.last_epoch < 2000 for r in results)

    def test_nothing_is_trained_when_it_is_asked_before(self):
        told = []
        assert run(
            make_dataset(rows=96),
            [make_variant(), make_variant(seed=1)],
            training_spec(),
            should_stop=lambda: True,
            on_trained=lambda *a: told.append(a),
        ) == [None, None]
        assert told == []

    def test_before_the_first_epoch_ends_there_is_nothing_to_keep(self):
        work = Stacking(SweepWork.of(make_dataset(rows=96), [make_variant()], None, training_spec()))
        made = work.open(work.tasks(None, ignore)[0])
        answers = iter([False, True])
        assert [[work.result(made, row) for row in ended] for ended in made.run(lambda: next(answers), None)] == [
            [None]
        ]

    def test_in_the_middle_of_an_epoch_the_epochs_before_count(self):
        dataset, variants = make_dataset(rows=96), [make_variant(seed=0, dropout=0.2), make_variant(seed=1, width=9)]
        work = Stacking(SweepWork.of(dataset, variants, None, training_spec(), precision="float64"))
        made = work.open(work.tasks(None, ignore)[0])
        answers = iter([False] * 5 + [True])  # three batches an epoch
        found = {}
        for ended in made.run(lambda: next(answers), None):
            found |= {made.members[row].position: work.result(made, row) for row in ended}
        whole = weights_by_epoch(dataset, variants, None, training_spec(), "roc_auc")[0]
        assert set(found) == {0, 1}
        for position, result in found.items():
            assert (result.stopped, result.selected_epoch, result.last_epoch) == (True, 1, 1)
            assert farthest(dataset, variants[position], [result.state], whole[position][:1]) <= 1e-12

    def test_an_error_of_the_listener_ends_all(self):
        def fail(position, result):
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError, match="the disk is full"):
            run(
                make_dataset(rows=96),
                [make_variant(seed=s) for s in range(4)],
                training_spec(epochs=2),
                lanes=2,
                on_trained=fail,
            )
        assert threads() == []


class Crash(BaseException):
    """Stands for a process that is killed."""


@pytest.fixture
def saves_often(monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)


def crash_at(monkeypatch, epoch):
    """Let a stack's training die as it begins an epoch."""
    begin = stack_trainings.StackTraining._train_epoch

    def dying(self, should_stop):
        if self.epoch + 1 == epoch:
            raise Crash
        return begin(self, should_stop)

    monkeypatch.setattr(stack_trainings.StackTraining, "_train_epoch", dying)
    return lambda: monkeypatch.setattr(stack_trainings.StackTraining, "_train_epoch", begin)


@pytest.mark.usefixtures("saves_often")
class TestResume:
    @pytest.mark.parametrize("arch", ["mlp", "resmlp", "piecewise"])
    @pytest.mark.parametrize("precision", ["float64", "float32"])
    def test_goes_on_bit_for_bit(self, arch, precision, tmp_path, monkeypatch):
        dataset, training = with_columns(make_dataset(rows=100)), training_spec(epochs=8, patience=100)
        variants = [v for v in impatient(arch) if v.student.arch.settings["width"] > 8]
        whole = run(dataset, variants, training, precision=precision)
        heal = crash_at(monkeypatch, 5)
        with pytest.raises(Crash):
            run(dataset, variants, training, precision=precision, folder=tmp_path)
        heal()
        assert [p.name for p in sorted(next(tmp_path.glob("stack-*")).iterdir())] == ["epoch-00003", "epoch-00004"]
        epochs = []
        begin = stack_trainings.StackTraining._train_epoch
        monkeypatch.setattr(
            stack_trainings.StackTraining,
            "_train_epoch",
            lambda self, stop: epochs.append(self.epoch + 1) or begin(self, stop),
        )
        resumed = run(dataset, variants, training, precision=precision, folder=tmp_path)
        assert epochs == [5, 6, 7, 8]
        for a, b in zip(whole, resumed, strict=True):
            assert_equal(a, b, 0)
            assert a.history == b.history
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_with_some_that_ended_before_and_some_not_asked_for(self, tmp_path, monkeypatch):
        dataset, training = make_dataset(rows=100), training_spec(epochs=14, patience=3, learning_rate=0.01)
        variants = impatient()
        whole = run(dataset, variants, training)
        middle = sorted(r.last_epoch for r in whole)[2] + 1
        heal, done = crash_at(monkeypatch, middle), {}
        with pytest.raises(Crash):
            run(dataset, variants, training, folder=tmp_path, on_trained=done.__setitem__)
        heal()
        assert 0 < len(done) < len(variants)
        rest = [p for p in range(len(variants)) if p not in done]
        for asked in (rest[-1:], rest, list(range(len(variants)))):
            resumed = run(dataset, [variants[p] for p in asked], training, folder=tmp_path, lanes=2)
            for p, result in zip(asked, resumed, strict=True):
                assert_equal(whole[p], result, 1e-9)
        assert list(tmp_path.iterdir()) == []

    def test_parts_of_a_stack_resumed_apart_do_not_touch_each_other(self, tmp_path, monkeypatch):
        dataset, training = make_dataset(rows=100), training_spec(epochs=6)
        variants = [make_variant(seed=s, width=w) for s, w in ((0, 8), (1, 12), (2, 9), (3, 12))]
        whole = run(dataset, variants, training)
        heal = crash_at(monkeypatch, 4)
        with pytest.raises(Crash):
            run(dataset, variants, training, folder=tmp_path)
        heal()
        works = [
            Stacking(SweepWork.of(dataset, v, make_teacher(dataset), training, precision="float64"))
            for v in (variants[:2], variants[2:])
        ]
        (first,), (second,) = (w.tasks(tmp_path, ignore) for w in works)
        assert first.saved.epoch == second.saved.epoch == 3
        assert first.place != second.place
        assert first.source is second.source is None  # the other part still needs what is there
        heal = crash_at(monkeypatch, 6)
        with pytest.raises(Crash):
            run(dataset, variants[:2], training, folder=tmp_path)
        heal()
        for half in (slice(2), slice(2, 4)):
            for a, b in zip(whole[half], run(dataset, variants[half], training, folder=tmp_path), strict=True):
                assert_equal(a, b, 1e-9)
        again = run(dataset, variants, training, folder=tmp_path)
        for a, b in zip(whole, again, strict=True):
            assert_equal(a, b, 1e-9)
        assert list(tmp_path.iterdir()) == []

    def test_a_stop_keeps_the_checkpoint_to_go_on_from(self, tmp_path):
        dataset, training = make_dataset(rows=100), training_spec(epochs=400)
        variants = [make_variant(seed=s) for s in (0, 1)]
        heard = []
        stopped = run(
            dataset, variants, training, folder=tmp_path, notify=heard.append, should_stop=lambda: bool(heard)
        )
        assert all(r.stopped for r in stopped)
        place = next(tmp_path.glob("stack-*"))
        assert sorted(place.iterdir())[-1].name == f"epoch-{stopped[0].last_epoch:05d}"

    def test_what_belongs_to_other_work_is_told_and_left_out(self, tmp_path, monkeypatch):
        dataset, variants = make_dataset(rows=100), [make_variant(seed=0), make_variant(seed=1)]
        heal = crash_at(monkeypatch, 4)
        with pytest.raises(Crash):
            run(dataset, variants, training_spec(epochs=6, learning_rate=0.05), folder=tmp_path)
        heal()
        events, training = [], training_spec(epochs=6)
        resumed = run(dataset, variants, training, folder=tmp_path, notify=events.append)
        (warning,) = [e for e in events if e["kind"] == "warning"]
        assert warning["code"] == "other_checkpoint"
        assert "belongs to another training, by its training." in warning["message"]
        assert warning["hint"] == "It is trained again."
        for a, b in zip(run(dataset, variants, training), resumed, strict=True):
            assert_equal(a, b, 0)

    def test_new_work_in_an_old_place_saves_its_own(self, tmp_path, monkeypatch):
        dataset, variants = make_dataset(rows=100), [make_variant(seed=0), make_variant(seed=1)]
        for rate, epoch in ((0.05, 6), (0.01, 3)):  # the older one came farther
            heal = crash_at(monkeypatch, epoch)
            with pytest.raises(Crash):
                run(
                    dataset,
                    variants,
                    training_spec(epochs=8),
                    folder=tmp_path,
                    metric="accuracy" if rate == 0.05 else None,
                )
            heal()
        events = []
        resumed = run(dataset, variants, training_spec(epochs=8), folder=tmp_path, notify=events.append)
        assert [e for e in events if e["kind"] == "warning"] == []
        for a, b in zip(run(dataset, variants, training_spec(epochs=8)), resumed, strict=True):
            assert_equal(a, b, 0)

    def test_damaged_ones_are_trained_again(self, tmp_path, monkeypatch):
        dataset, variants, training = (
            make_dataset(rows=100),
            [make_variant(seed=0), make_variant(seed=1)],
            training_spec(epochs=5),
        )
        heal = crash_at(monkeypatch, 4)
        with pytest.raises(Crash):
            run(dataset, variants, training, folder=tmp_path)
        heal()
        for file in tmp_path.glob("stack-*/*/tensors.safetensors"):
            file.write_bytes(file.read_bytes()[:-8])
        events = []
        resumed = run(dataset, variants, training, folder=tmp_path, notify=events.append)
        hints = [e["hint"] for e in events if e["kind"] == "warning"]
        assert hints[-1] == "There is no earlier one: it is trained from the start." and len(hints) == 2
        for a, b in zip(run(dataset, variants, training), resumed, strict=True):
            assert_equal(a, b, 0)
        assert list(tmp_path.iterdir()) == []
