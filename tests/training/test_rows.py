import contextlib
import time

import numpy as np
import pytest
import torch

from kd_core.machine import memory
from kd_core.training import rows
from kd_core.training.rows import Resident, Streamed, is_mapped, open_rows

from .setting import mapped, prefetching

CPU = torch.device("cpu")


@pytest.fixture
def x():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(500, 7)).astype(np.float32))


@pytest.fixture
def stored(tmp_path, x):
    return mapped(tmp_path / "x.npy", x)


def batches(seed=0, size=64):
    return torch.randperm(500, generator=torch.Generator().manual_seed(seed)).split(size)


@pytest.mark.parametrize("chunk_rows", [1, 64, 100, 130, 10_000])
@pytest.mark.parametrize("size", [1, 64, 499])
def test_streamed_batches_are_the_resident_ones_bit_for_bit(monkeypatch, stored, x, chunk_rows, size):
    monkeypatch.setattr(rows, "CHUNK_BYTES", chunk_rows * 28)
    dealt = batches(size=size)
    streamed = list(Streamed(torch.from_numpy(stored), CPU, 0).epoch(dealt))
    resident = list(Resident(x, CPU, None).epoch(dealt))
    assert len(streamed) == len(resident) == len(dealt)
    assert all(torch.equal(a, b) for a, b in zip(streamed, resident, strict=True))
    assert all(piece.data_ptr() % 64 == 0 for piece in streamed)  # like any tensor of torch's own
    assert not prefetching()


def test_rows_in_memory_are_resident_and_not_copied(x):
    for given in (x, x.numpy()):
        reader = open_rows(given, CPU)
        assert (reader.kind, reader.num_rows, reader.num_bytes) == ("resident", 500, 14_000)
        assert reader.x.data_ptr() == x.data_ptr()


def test_the_budget_decides_about_a_file(monkeypatch, stored, x):
    index = torch.tensor([3, 499, 3, 0])
    for budget, kind in ((14_000, "resident"), (13_999, "streamed")):
        monkeypatch.setattr(rows, "budget_bytes", lambda device, reserved, held=budget: held)
        reader = open_rows(stored, CPU)
        assert (reader.kind, reader.budget_bytes) == (kind, budget)
        assert torch.equal(reader.take(index), x[index])


def test_the_budget_is_a_share_of_what_is_free_and_not_spoken_for(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    assert rows.budget_bytes(CPU) == 500
    assert rows.budget_bytes(CPU, 200) == 400
    assert rows.budget_bytes(CPU, 2000) == 0
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (900, 5000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 150)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 50)
    assert rows.budget_bytes(torch.device("cuda"), 500) == 400


def test_a_view_of_a_mapped_file_is_known_as_one(stored, x):
    assert is_mapped(stored)
    assert is_mapped(np.asarray(stored)[10:])
    assert not is_mapped(x.numpy())
    assert not is_mapped(np.array(stored))


def test_the_thread_stays_a_few_chunks_ahead_and_ends_when_asked(monkeypatch, stored):
    monkeypatch.setattr(rows, "CHUNK_BYTES", 1)
    gathered = []
    gather = rows._gather
    monkeypatch.setattr(rows, "_gather", lambda *given: gathered.append(1) or gather(*given))
    reader = Streamed(torch.from_numpy(stored), CPU, 0)
    epoch = reader.epoch(batches(size=10))
    next(epoch)
    limit = time.monotonic() + 5
    while len(gathered) < 2 + rows.CHUNKS_AHEAD and time.monotonic() < limit:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(gathered) == 2 + rows.CHUNKS_AHEAD  # taken, queued, and one in the thread's hand
    reader.close()
    assert not prefetching()
    assert list(epoch) == []


def test_a_new_epoch_ends_the_one_before(stored, x):
    reader = Streamed(torch.from_numpy(stored), CPU, 0)
    first, second = reader.epoch(batches(0)), reader.epoch(batches(1))
    assert prefetching() <= 1
    assert list(first) == []
    assert torch.equal(torch.cat(list(second)), x[torch.cat(batches(1))])
    assert list(reader.epoch([])) == []


def test_what_breaks_in_the_thread_is_raised_where_the_rows_are_used(stored):
    epoch = Streamed(torch.from_numpy(stored), CPU, 0).epoch([torch.tensor([0, 500])])
    with pytest.raises(IndexError, match="out of range"):
        next(epoch)
    assert not prefetching()


def test_page_locked_buffers_are_used_again_only_when_their_copy_has_ended(monkeypatch, x):
    made, log = [], []

    class Event:
        def record(self, stream):
            log.append(("copied", self))

        def synchronize(self):
            log.append(("waited", self))

    monkeypatch.setattr(rows, "_page_locked", lambda like, count: made.append(count) or like.new_empty(count, 7))
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "Event", Event)
    gather, dealt = rows._Pinned(x, CPU), batches(size=60)
    sent = [gather(index) for index in (*dealt, torch.arange(90))]
    for (found, _), index in zip(sent, (*dealt, torch.arange(90)), strict=True):
        assert torch.equal(found, x[index])
    assert made == [60, 60, 60, 90]  # three can be under way; the last batch is longer than any buffer
    events = [event for _, event in sent]
    assert [e for what, e in log if what == "waited"] == events[: len(sent) - 3]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_streamed_to_a_gpu_are_the_same_bits(monkeypatch, stored, x):
    device = torch.device("cuda")
    monkeypatch.setattr(rows, "CHUNK_BYTES", 100 * 28)
    dealt = [index.to(device) for index in batches()]
    streamed, resident = (list(r.epoch(dealt)) for r in (Streamed(x, device, 0), Resident(x, device, None)))
    assert all(torch.equal(a, b) for a, b in zip(streamed, resident, strict=True))
    assert {piece.device.type for piece in streamed} == {"cuda"}
    assert open_rows(x, device).kind == "resident"
