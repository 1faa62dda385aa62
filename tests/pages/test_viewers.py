"""The pace of live pages: many viewers, or costly drawings, ask less often, and pages opened before learn of it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from pages.ui.runs import curves, live
from pages.ui.shared import session, viewers
from tests.pages.fixtures import make_run, store


@pytest.fixture
def watchers(monkeypatch):
    """Forget who watched; each call is another viewer."""
    monkeypatch.setattr(viewers, "_seen", {})
    monkeypatch.setattr(viewers, "_cost", 0.02)
    monkeypatch.setattr(viewers.processor, "cores", lambda: 4)
    monkeypatch.setattr(session, "once", lambda key, make: make())


def test_a_few_viewers_look_every_two_seconds_and_many_as_often_as_their_share_allows(watchers):
    assert [viewers.interval() for _ in range(8)] == pytest.approx([2.0] * 8)
    assert [viewers.interval() for _ in range(3)] == pytest.approx([9 / 4, 10 / 4, 11 / 4])
    for _ in range(100):
        last = viewers.interval()
    assert last == viewers.SLOWEST


def test_who_left_is_forgotten(watchers, monkeypatch):
    for _ in range(30):
        viewers.interval()
    later = time.monotonic() + viewers.FORGET_SECONDS + 1
    monkeypatch.setattr(viewers.time, "monotonic", lambda: later)
    assert viewers.interval() == 2.0 and len(viewers._seen) == 1


def test_what_a_drawing_costs_counts(watchers, monkeypatch):
    clock = iter([0.0, 0.07, 5.0, 5.0 + 60.0])
    monkeypatch.setattr(viewers.time, "thread_time", lambda: next(clock))
    monkeypatch.setattr(viewers.st, "rerun", lambda: None)
    with viewers.look(2.0):
        pass
    assert viewers._cost == pytest.approx(0.025)
    with viewers.look(2.0):
        pass
    assert viewers._cost == pytest.approx(0.025 + 0.1 * (viewers.MOST_SECONDS - 0.025))


@pytest.mark.parametrize(("opened", "again"), [(2.0, False), (2.9, False), (3.1, True), (1.2, True)])
def test_a_page_opened_at_another_pace_is_drawn_again(watchers, monkeypatch, opened, again):
    asked = []
    monkeypatch.setattr(viewers.st, "rerun", lambda: asked.append(1))
    with viewers.look(opened):
        asked.append("drawn")
    assert asked == (["drawn", 1] if again else ["drawn"])


def test_live_curves_have_one_of_a_few_numbers_of_points():
    found = {curves.points(n) for n in range(200)}
    assert len(found) <= 8 and min(found) == curves.LEAST_POINTS
    assert all(curves.points(n) * n <= curves.LIVE_POINTS for n in range(1, 126))


def test_a_change_of_state_draws_the_whole_page_again(monkeypatch):
    """Buttons and sidebar stand outside of what is drawn every few seconds, and a timer of their own would cost every viewer one."""

    class Again(Exception):
        pass

    def rerun():
        raise Again

    run_id, drawn_now = make_run("running"), []
    now = store().snapshot(run_id)
    monkeypatch.setattr(live.st, "fragment", lambda **_: lambda body: body)
    monkeypatch.setattr(live.st, "rerun", rerun)
    with pytest.raises(Again):
        live.again(store(), run_id, replace(now, state="starting"), 12, drawn_now.append)
    live.again(store(), run_id, now, 12, drawn_now.append)
    assert [one.state for one in drawn_now] == ["running"]
