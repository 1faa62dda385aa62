"""The Status screen: the machine, the queue and recent errors, from the job service."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.runs.service.jobs import ServiceStatus
from kd_core.scenarios import default_spec
from kd_core.teachers.answer_cache.cache import TeacherCache
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import open_page, words

FINE = ServiceStatus(
    executor="process",
    worker="ready",
    pid=1,
    uptime_s=42.0,
    restarts=0,
    worker_rss_bytes=500 * 2**20,
    running=None,
    queue=(),
    environment={"device": "cpu", "device_name": "A CPU"},
    cores=2,
    memory_bytes=8 * 2**30,
    memory_free_bytes=4 * 2**30,
    workspace="/somewhere",
    disk_bytes=100 * 2**30,
    disk_free_bytes=50 * 2**30,
    runs=3,
)


@pytest.fixture
def opened(monkeypatch):
    def show(status: ServiceStatus):
        monkeypatch.setattr(engine, "jobs", lambda: type("Service", (), {"status": lambda self: status})())
        return open_page("status")

    return show


def test_all_is_well(opened):
    at = opened(FINE)
    assert not at.exception and t("status.fine") in words(at) and t("status.idle") in words(at)
    assert [m.value for m in at.metric][:4] == ["ready", "0", "50 GB", "4 GB"]
    tables = " ".join(str(x.value) for x in at.table)
    assert "A CPU" in tables and "streamlit" in tables


def test_the_queue_names_runs_in_order(opened):
    engine._store.cache_clear()
    first, second = (engine.store().create(default_spec(n)) for n in ("purchase", "logistics"))
    at = opened(replace(FINE, running=first, queue=(second,), worker="busy"))
    assert not at.exception
    labels = [link.proto.label for link in at.main.get("page_link")]
    assert labels == ["Visits to purchase", "Deliveries to minutes"]
    assert t("common.run_queued", place=1) in words(at)


def test_errors_and_a_full_disk_are_said_first(opened):
    error = {
        "utc": "2030-01-01",
        "run_id": "r1",
        "error_id": "abcd1234",
        "message": "It <b>broke</b>.",
        "hint": "Retry.",
    }
    at = opened(replace(FINE, errors=(error,), disk_free_bytes=2**30))
    assert t("status.fine") not in words(at)
    assert t("status.trouble.disk", free="1 GB") in words(at)
    assert "It &#60;b&#62;broke" in at.error[0].value and "abcd1234" in at.error[0].value


def kept_answers(own_workspace) -> TeacherCache:
    cache = TeacherCache(own_workspace / "teachers")
    cache.save("a" * 64, {"test.logits": np.zeros((25_600, 2), dtype=np.float32)}, {})
    for _ in range(3):
        cache.ledger.hit(20.0)
    cache.ledger.miss()
    return cache


def test_kept_teacher_answers_are_shown_with_what_they_saved(opened, own_workspace, monkeypatch):
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", "512")
    kept_answers(own_workspace)
    at = opened(FINE)
    assert not at.exception and t("status.kept.about", limit="512 MB") in words(at)
    assert [m.value for m in at.metric][4:] == ["75 %", "1 min", "200 KB", "1"]
    assert "3 of 4 times" in at.metric[4].help and "of at most 512 MB" in at.metric[6].help


def test_before_the_first_teacher_there_is_no_rate_and_nothing_to_clear(opened):
    at = opened(FINE)
    assert [m.value for m in at.metric][4:] == ["–", "0.0 s", "0 B", "0"]
    clear = at.get("popover")[0].proto.popover
    assert clear.disabled and clear.help == t("status.kept.nothing")


def test_kept_answers_are_deleted_after_a_second_yes(opened, own_workspace):
    cache = kept_answers(own_workspace)
    at = opened(FINE)
    assert at.button(key="status-clear").disabled
    at.checkbox(key="status-clear-sure").check().run()
    at.button(key="status-clear").click().run()
    assert not at.exception and cache.usage().entries == 0
    assert at.toast[0].value == t("status.kept.cleared", size="200 KB")
    assert [m.value for m in at.metric][4:] == ["75 %", "1 min", "0 B", "0"]
    assert not at.checkbox(key="status-clear-sure").value and at.button(key="status-clear").disabled


def test_a_limit_that_makes_no_sense_is_explained(opened, monkeypatch):
    monkeypatch.setenv("KD_TEACHER_CACHE_MB", "much")
    at = opened(FINE)
    assert "is 'much'; it must be a whole number of megabytes" in at.error[0].value and t("status.fine") in words(at)


def test_a_workspace_in_use_is_explained(monkeypatch):
    def refuse():
        raise KDError("The workspace {root} is in use.", "Use that one.", "workspace_in_use", root="/w")

    monkeypatch.setattr(engine, "jobs", refuse)
    at = open_page("status")
    assert "The workspace /w is in use." in at.error[0].value
