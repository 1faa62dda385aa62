from types import SimpleNamespace

import pytest
import torch

from kd_core.distill.stack import chunks, fused
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import SweepWork
from kd_core.errors import KDError
from kd_core.specs import TrainingSpec
from tests.distill.sweep.test_sequential import same
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher
from tests.distill.training import train

TRAINING = TrainingSpec(epochs=2, batch_size=32)
CPU = torch.device("cpu")


def variants(count=5):
    return [Variant(STUDENT, objective_for("binary", alpha=0.5), seed) for seed in range(count)]


def run(count=5, **more):
    data = make_dataset()
    return train(chunks.train, data, variants(count), teacher(data), TRAINING, **{"lanes": 1} | more)


@pytest.fixture(autouse=True)
def collected(monkeypatch):
    """Count collections instead of making them: each takes half a second among a test run's many objects."""
    times = []
    monkeypatch.setattr(chunks, "gc", SimpleNamespace(collect=lambda: times.append(1)))
    return times


@pytest.fixture
def small_machine(monkeypatch):
    """A machine on which more than `most` networks at once run out of memory; returns the sizes that were tried."""

    def made(most, error=torch.OutOfMemoryError):
        tried, real = [], fused.train

        def limited(work, *rest):
            tried.append(len(work.variants))
            if len(work.variants) > most:
                raise error("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes.")
            return real(work, *rest)

        monkeypatch.setattr(fused, "train", limited)
        return tried

    return made


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_half_as_many_are_tried_when_memory_runs_out(small_machine, collected, error):
    whole = run()
    tried, events, told = small_machine(2, error), [], []
    found = run(notify=events.append, on_trained=lambda position, trained: told.append(position))
    assert tried == [5, 3, 2, 2, 1]
    assert len(collected) == 2
    assert sorted(told) == [0, 1, 2, 3, 4]
    warnings = [e for e in events if e["kind"] == "warning"]
    assert [w["code"] for w in warnings] == ["smaller_chunk"] * 2
    assert warnings[0]["message"] == "The memory of cpu ran out while 5 networks were trained at once."
    assert warnings[0]["hint"].startswith("At most 3 are trained at once now")
    scores = [p for e in events if e["kind"] == "scores" for p in e["best"]]
    assert set(scores) <= {"0", "1", "2", "3", "4"}
    for mine, one in zip(found, whole, strict=True):
        assert mine.variant == one.variant
        assert mine.score_selected == pytest.approx(one.score_selected, abs=1e-5)


def test_one_that_does_not_fit_alone_is_an_error(small_machine):
    small_machine(0)
    with pytest.raises(KDError, match=r"The memory of cpu ran out while the student 'tiny' was trained alone\."):
        run()


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch):
    monkeypatch.setattr(fused, "train", lambda *a, **k: (_ for _ in ()).throw(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run()


def test_what_would_not_fit_is_divided_before_it_starts(small_machine, monkeypatch):
    tried, events = small_machine(99), []
    needed = fused.estimate_bytes(SweepWork.of(make_dataset(), variants(), None, TRAINING))
    monkeypatch.setattr(chunks, "free_bytes", lambda device: needed)  # of which 60 % may be used
    found = run(notify=events.append)
    assert tried == [3, 2]
    assert all(found)
    assert [e["code"] for e in events if e["kind"] == "warning"] == ["smaller_chunk"]
    assert "more than is free on cpu" in events[0]["message"]


def test_what_finished_before_memory_ran_out_is_kept(monkeypatch):
    real, tried = fused.train, []

    def fails_late(work, *rest):
        tried.append([v.seed for v in work.variants.values()])
        found = real(work.only([0]) if len(tried) == 1 else work, *rest)
        if len(tried) == 1:
            raise MemoryError
        return found

    monkeypatch.setattr(fused, "train", fails_late)
    found = run(count=3)
    assert tried == [[0, 1, 2], [1, 2]]
    assert [t.variant.seed for t in found] == [0, 1, 2]


def test_a_stop_ends_all_chunks(small_machine):
    tried = small_machine(2)
    assert run(should_stop=lambda: len(tried) > 1) == [None] * 5


def test_one_chunk_is_the_plain_stack():
    data = make_dataset()
    plain = train(fused.train, data, variants(2), teacher(data), TRAINING, lanes=1)
    assert all(same(a.state, b.state) for a, b in zip(run(count=2), plain, strict=True))
    assert chunks.free_bytes(CPU) > 2**20
