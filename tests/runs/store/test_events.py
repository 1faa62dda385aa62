"""The event file: numbering, batches, torn and damaged lines, a disk that refuses."""

from __future__ import annotations

import errno
import json
import os

import pytest

from kd_core.errors import KDError
from kd_core.runs.store import events
from kd_core.runs.store.events import EventLog, EventReader, encode


def log_with(path, count):
    log = EventLog(path)
    for i in range(count):
        log.emit({"kind": "epoch", "epoch": i + 1})
    log.close()


def test_events_are_numbered_and_timed_over_two_attempts(tmp_path):
    path = tmp_path / "events.jsonl"
    log_with(path, 3)
    log = EventLog(path)
    assert log.seconds >= EventReader(path).read()[-1]["t"]
    log.emit({"kind": "state", "state": "running"})
    log.close()
    found = EventReader(path).read()
    assert [e["n"] for e in found] == [1, 2, 3, 4]
    assert [e["t"] for e in found] == sorted(e["t"] for e in found)
    assert all(e["utc"].endswith("Z") for e in found)


def test_a_reader_returns_only_what_is_new(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    log_with(path, 2)
    assert [e["epoch"] for e in reader.read()] == [1, 2]
    assert reader.read() == []
    log_with(path, 1)
    assert [e["n"] for e in reader.read()] == [3]


@pytest.mark.parametrize("torn", [b'{"n":4,"t":', b'{"n":4,"t":\n', b"\0\0\0\0", b"[1]\n"])
def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next_writer(tmp_path, torn):
    path = tmp_path / "events.jsonl"
    log_with(path, 3)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [e["n"] for e in EventReader(path).read()] == [1, 2, 3]
    log_with(path, 1)
    assert path.read_bytes().startswith(whole)
    assert [e["n"] for e in EventReader(path).read()] == [1, 2, 3, 4]


def test_every_cut_of_the_last_line_leaves_the_lines_before(tmp_path):
    path = tmp_path / "events.jsonl"
    log_with(path, 2)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        path.write_bytes(whole[:end])
        assert [e["n"] for e in EventReader(path).read()] == [1]


def test_a_damaged_middle_is_refused_with_its_line(tmp_path):
    path = tmp_path / "events.jsonl"
    log_with(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:10] + b"\n" + lines[2])
    with pytest.raises(KDError, match=r"Line 2 of events.jsonl can't be read\. Restore the run folder"):
        EventReader(path).read()


def test_a_line_that_becomes_whole_is_read_then(tmp_path):
    path = tmp_path / "events.jsonl"
    log_with(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    reader = EventReader(path)
    assert [e["n"] for e in reader.read()] == [1]
    path.write_bytes(whole)
    assert [e["n"] for e in reader.read()] == [2]


def test_numbers_that_json_cannot_hold_become_null_and_are_named(tmp_path):
    event = {"kind": "epoch", "loss": float("nan"), "metrics": {"nll": float("inf"), "f1": 0.5}, "path": [1.0, -1e999]}
    found = json.loads(encode(event), parse_constant=lambda text: pytest.fail(text))
    assert found["loss"] is None and found["metrics"] == {"nll": None, "f1": 0.5}
    assert found["not_finite"] == ["loss", "metrics.nll", "path.1"]


def test_turning_points_reach_the_disk_at_once_and_others_in_batches(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, batch_seconds=30)
    log.start()
    reader, seen = EventReader(path), []

    def arrived(count):
        seen.extend(reader.read())
        return len(seen) >= count

    from tests.runs.services import wait_for

    log.emit({"kind": "epoch", "arm": "baseline", "epoch": 1})
    wait_for(lambda: arrived(1), 2)
    log.emit({"kind": "epoch", "arm": "baseline", "epoch": 2})
    assert not arrived(2)
    log.emit({"kind": "phase", "phase": "students", "state": "start"})
    wait_for(lambda: arrived(3), 2)
    log.close()


def test_a_refused_write_is_tried_again_and_leaves_no_torn_line(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit({"kind": "epoch", "epoch": 1})
    assert log.flush()
    real, calls = os.pwrite, []

    def full(handle, data, at):
        calls.append(at)
        if len(calls) == 1:
            return real(handle, bytes(data)[:7], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(events.os, "pwrite", full)
    log.emit({"kind": "epoch", "epoch": 2})
    assert not log.flush() and log.failures == 1 and len(calls) == 2
    assert [e["epoch"] for e in EventReader(path).read()] == [1]
    assert path.read_bytes().endswith(b"}\n")
    monkeypatch.setattr(events, "PENDING_MOST", 1)
    log.emit({"kind": "epoch", "epoch": 3})
    monkeypatch.setattr(events.os, "pwrite", real)
    assert log.close()
    found = EventReader(path).read()
    assert [e["n"] for e in found] == [1, 2, 3]
    assert (found[2]["code"], found[2]["message"].split()[0]) == ("events_lost", "1")
