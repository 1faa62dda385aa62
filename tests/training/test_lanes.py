"""Threads side by side: order, errors, stops, and none left behind."""

import threading
import time

import pytest
import torch

from kd_core.training import lanes
from kd_core.training.lanes import MOST_LANES, Lanes, lanes_of
from kd_core.training.loop import never


def alive():
    return [t for t in threading.enumerate() if t.name.startswith("lane")]


@pytest.fixture(autouse=True)
def none_left_behind():
    threads = torch.get_num_threads()
    yield
    assert alive() == []
    assert torch.get_num_threads() == threads


def tell_twice(task, tell, stopped):
    tell((task, "begun"))
    tell((task, torch.get_num_threads()))


def until_stopped(task, tell, stopped):
    tell(task)
    while not stopped():
        time.sleep(0.001)


def test_one_lane_takes_the_tasks_in_order():
    assert list(Lanes(tell_twice, "abc", 1).run(never)) == [(t, m) for t in "abc" for m in ("begun", 1)]


def test_many_lanes_carry_out_every_task_once_each_with_one_thread():
    said = list(Lanes(tell_twice, range(20), 4).run(never))
    assert sorted(t for t, m in said if m == "begun") == list(range(20))
    assert [m for t, m in said if m != "begun"] == [1] * 20


def test_lanes_work_side_by_side():
    meet = threading.Barrier(3, timeout=20)

    def work(task, tell, stopped):
        meet.wait()
        tell(task)

    assert sorted(Lanes(work, range(3), 3).run(never)) == [0, 1, 2]


def test_no_task_and_no_more_lanes_than_tasks():
    assert list(Lanes(tell_twice, [], 4).run(never)) == []
    seen = []

    def work(task, tell, stopped):
        seen.append(len(alive()))

    assert list(Lanes(work, [1], 8).run(never)) == []
    assert seen == [1]


@pytest.mark.parametrize(
    "error", [ValueError("task 2 failed"), KeyboardInterrupt("task 2 failed"), SystemExit("task 2 failed")]
)
def test_an_error_ends_the_others_and_is_raised(error):
    def work(task, tell, stopped):
        if task == 2:
            raise error
        until_stopped(task, tell, stopped)

    with pytest.raises(type(error), match="task 2 failed"):
        list(Lanes(work, range(9), 3).run(never))


def test_a_stop_ends_all_and_starts_nothing_more():
    said = []
    for task in Lanes(until_stopped, range(9), 2).run(lambda: len(said) == 2):
        said.append(task)
    assert sorted(said) == [0, 1]


def test_a_stop_asked_before_starts_nothing():
    assert list(Lanes(tell_twice, "ab", 2).run(lambda: True)) == []


def test_what_was_told_before_a_stop_still_arrives():
    def work(task, tell, stopped):
        until_stopped(task, tell, stopped)
        tell("the last word")

    said = []
    for message in Lanes(work, [0], 1).run(lambda: bool(said)):
        said.append(message)
    assert said == [0, "the last word"]


def test_an_interrupt_of_the_listener_ends_the_lanes():
    told = Lanes(until_stopped, range(4), 2).run(never)
    next(told)
    with pytest.raises(KeyboardInterrupt):
        told.throw(KeyboardInterrupt())
    assert alive() == []


def test_a_listener_that_goes_away_ends_the_lanes():
    told = Lanes(until_stopped, range(4), 2).run(never)
    next(told)
    told.close()
    assert alive() == []


def test_an_error_of_the_question_whether_to_stop_is_raised():
    calls = []

    def should_stop():
        calls.append(1)
        if len(calls) > 1:
            raise OSError("the folder is gone")
        return False

    with pytest.raises(OSError, match="the folder is gone"):
        list(Lanes(until_stopped, range(2), 2).run(should_stop))


def test_an_interrupt_while_threads_are_started(monkeypatch):
    start, started = threading.Thread.start, []

    def starts_once(self):
        if started and self.name.startswith("lane"):
            raise KeyboardInterrupt
        started.append(self)
        start(self)

    monkeypatch.setattr(lanes.threading.Thread, "start", starts_once)
    with pytest.raises(KeyboardInterrupt):
        list(Lanes(until_stopped, range(4), 3).run(never))


def test_on_the_cpu_one_lane_per_core_up_to_four():
    assert 1 <= lanes_of(torch.device("cpu")) <= MOST_LANES == 4
    assert lanes_of(torch.device("cuda")) == 1
