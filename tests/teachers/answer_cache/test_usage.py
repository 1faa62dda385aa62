"""Counts that several processes add to, and that cost no run when they can't be written."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from kd_core.teachers.answer_cache import usage
from kd_core.teachers.answer_cache.usage import CacheUsage, Counts, Ledger


def test_hits_misses_and_seconds_add_up_and_stay(tmp_path):
    ledger = Ledger(tmp_path / "teachers")
    assert ledger.read() == Counts(0, 0, 0.0)
    ledger.miss()
    ledger.hit(2.5)
    ledger.hit(1.0)
    assert Ledger(tmp_path / "teachers").read() == Counts(2, 1, 3.5)


def test_nobody_loses_a_count_to_another(tmp_path):
    """Each count takes a lock of its own, so threads stand for processes here."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Ledger(tmp_path).hit(0.5), range(40)))
    assert Ledger(tmp_path).read() == Counts(40, 0, 20.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"hits": 1}', '{"hits": "a", "misses": 0, "seconds_saved": 0}'])
def test_counts_that_can_not_be_read_start_anew_with_a_line_in_the_log(tmp_path, caplog, text):
    (tmp_path / "usage.json").write_text(text)
    with caplog.at_level(logging.WARNING, "kd_workbench.teachers"):
        assert Ledger(tmp_path).read() == Counts()
    assert "is counted anew" in caplog.text
    Ledger(tmp_path).miss()
    assert Ledger(tmp_path).read() == Counts(misses=1)


def test_a_count_that_can_not_be_written_costs_no_run(tmp_path, caplog, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(usage, "write_json", full)
    Ledger(tmp_path).hit(1.0)
    assert "was not counted: [Errno 28] No space left on device" in caplog.text


def test_a_rate_needs_somebody_who_asked():
    assert CacheUsage(0, 0, 0.0, 0, 0, 1).hit_rate is None
    assert CacheUsage(3, 1, 0.0, 0, 0, 1).hit_rate == 0.75
