"""Fresh processes in turns: what counts, what fails, and when it ends."""

from __future__ import annotations

import json

import pytest

from kd_core.runs.timing import fresh, starting


def recorded(seconds, fails=()):
    began = []

    def start(asked):
        began.append(asked["name"])
        if asked["name"] in fails:
            raise RuntimeError("its last words")
        return seconds[asked["name"]], 1000 * len(began)

    return began, start


def test_starts_take_turns_and_the_first_of_each_fills_the_file_cache():
    began, start = recorded({"a": 1.0, "b": 2.0})
    told = []
    found = starting.start_all({n: {"name": n} for n in "ab"}, 2, lambda *at: told.append(at), start=start)
    assert began == ["a", "b", "b", "a", "b", "a"] and told[-1] == (6, 6)
    assert found["a"] == {"seconds": 1.0, "low": 1.0, "high": 1.0, "sure": False, "starts": 2, "peak_bytes": 5000}


def test_one_that_fails_is_told_once_and_the_others_go_on():
    began, start = recorded({"b": 2.0}, fails=("a",))
    found = starting.start_all({n: {"name": n} for n in "ab"}, 2, start=start)
    assert found["a"] == {"reason": "its last words"} and found["b"]["starts"] == 2
    assert began.count("a") == 1


def test_no_turn_begins_after_the_time_and_each_was_counted_once():
    _, start = recorded({"a": 1.0})
    assert starting.start_all({"a": {"name": "a"}}, 9, until=0.0, start=start)["a"]["starts"] == 1


def test_a_stop_ends_it_and_nothing_asked_is_nothing_found():
    began, start = recorded({"a": 1.0})
    assert starting.start_all({"a": {"name": "a"}}, 3, should_stop=lambda: True, start=start) == {}
    assert starting.start_all({}, 3, start=start) == {} and not began


@pytest.mark.slow
def test_a_process_that_can_not_open_its_model_says_why(tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"no model")
    asked = {"runtime": "onnxruntime", "threads": 1, "file": str(tmp_path / "no.onnx"), "rows": [{"a": 1}], "batch": 1}
    with pytest.raises(RuntimeError, match=r"(?i)protobuf|model"):
        starting.started(asked)


def test_pictures_travel_as_text():
    row = {"photo": b"\x89PNG", "price": 1.5, "none": None}
    assert fresh._row(json.loads(json.dumps(fresh.as_json(row)))) == row


def test_memory_is_that_of_this_process():
    before = fresh.peak_bytes()
    held = bytearray(64 * 2**20)
    assert len(held) and fresh.peak_bytes() >= before > 2**20
