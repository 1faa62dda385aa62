"""A model behind an address: who may be asked, what is sent, what comes back, and what is kept when it breaks off."""

from __future__ import annotations

import math
import socket
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kd_core.errors import DataError, KDError, SpecError, Stopped
from kd_core.teachers import posting
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.base import SOURCES, Ask, known_rows
from kd_core.teachers.sources import endpoint as source
from tests.teachers.sources.endpoint_server import endpoint
from tests.teachers.tables import dataset

N = 350


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(source, "FIRST_WAIT", 0.01)


def data(task="binary"):
    rows = pd.DataFrame(
        {
            "a": np.arange(N) / 4,
            "b": pd.array([f"t{i % 7}" for i in range(N)], dtype="string"),
            "when": pd.Timestamp("2026-01-02") + pd.to_timedelta(np.arange(N), "h"),
            "y": "no",
        }
    )
    rows.loc[5, ["a", "when"]] = None
    rows.loc[6, "b"] = None
    return replace(dataset(task), rows=rows, columns=("a", "b", "when"))


def sure(row):
    return 0.1 + 0.8 * (((row["a"] or 0) * 4) % 10) / 10


def probabilities(question):
    return {"classes": ["yes", "no"], "probabilities": [[sure(r), 1 - sure(r)] for r in question["rows"]]}


def ask(data, url, monkeypatch, cache=None, allow=None, events=None, should_stop=lambda: False, **settings):
    monkeypatch.setenv("KD_ENDPOINTS", url if allow is None else allow)
    entry = SOURCES.get("endpoint")
    spec = entry.spec.parse({"url": url, "per_second": 1000, "tries": 3, **settings})
    notify = (lambda event: None) if events is None else events.append
    return entry.make(spec, Ask(data, None, 5, 0, cache, "", "cpu", notify, should_stop))


def test_rows_are_sent_in_batches_once_and_the_answers_are_those_of_their_rows(monkeypatch, tmp_path):
    cache, events, rows = TeacherCache(tmp_path), [], data()
    with endpoint(probabilities) as asked:
        found = ask(rows, asked.url, monkeypatch, cache, events=events)
        assert [len(q["rows"]) for q in asked.questions] == [100, 100, 100, 50] and len(asked.rows) == N
        assert asked.rows[4] == {"a": 1.0, "b": "t4", "when": "2026-01-02T04:00:00.000000"}
        assert asked.rows[5] == {"a": None, "b": "t5", "when": None} and asked.rows[6]["b"] is None
        again = ask(rows, asked.url, monkeypatch, cache, batch_rows=7)
        assert len(asked.questions) == 4  # nothing is asked twice, whatever the batches
    p = np.array([sure({"a": 0 if i == 5 else i / 4}) for i in rows.test.row_ids])
    np.testing.assert_allclose(np.exp(found.logits["test"]), np.stack([1 - p, p], 1), rtol=1e-5)
    for split, z in found.logits.items():
        np.testing.assert_array_equal(z, again.logits[split])
    assert (found.num_parameters, found.size_bytes, found.folds, found.live) == (None, None, 0, None)
    said = next(e for e in events if e.get("code") == "endpoint_sends")
    assert said["message"].startswith("350 rows with the columns a, b, when are sent to http://127.0.0.1:")
    assert events.index(said) == 0  # before anything is sent
    assert [e["done"] for e in events if e["kind"] == "part"] == [0, 100, 200, 300, 350]
    assert "asked about 350 rows in 4 questions; the answers to 0 were kept" in found.notes[0]["message"]
    assert "asked about 0 rows in 0 questions; the answers to 350 were kept" in again.notes[0]["message"]
    assert found.notes[1]["code"] == "teacher_maybe_saw"


def test_what_was_answered_before_it_broke_off_is_not_asked_again(monkeypatch, tmp_path):
    cache, rows = TeacherCache(tmp_path), data()
    broken = {"after": 2}

    def answer(question):
        broken["after"] -= 1
        return (503, {}) if broken["after"] < 0 else probabilities(question)

    with endpoint(answer) as asked:
        with pytest.raises(
            KDError, match=r"did not answer after 3 tries \(503 .*\); 200 of 350 rows are answered"
        ) as error:
            ask(rows, asked.url, monkeypatch, cache)
        assert error.value.code == "endpoint_failed" and "goes on after them" in error.value.hint
        assert len(asked.questions) == 2 + 3
        broken["after"] = 10**6
        events = []
        found = ask(rows, asked.url, monkeypatch, cache, events=events)
        assert len(asked.questions) == 5 + 2 and known_rows(found.logits["train"]).all()
        assert next(e for e in events if e.get("code") == "endpoint_sends")["message"].startswith("150 rows")
        stopped = iter([False] * 6 + [True] * 99)
        with pytest.raises(Stopped):
            ask(rows, asked.url, monkeypatch, cache, columns=["a"], batch_rows=50, should_stop=lambda: next(stopped))
        before = len(asked.questions)
        ask(rows, asked.url, monkeypatch, cache, columns=["a"], batch_rows=50)
        assert len(asked.questions) - before < 7  # batches before the stop were kept


def test_a_busy_endpoint_is_asked_again_after_the_pause_it_asks_for(monkeypatch):
    turns = iter([(429, {"Retry-After": "0"}), (500, {}), None])
    events = []

    def answer(question):
        return next(turns, None) or probabilities(question)

    with endpoint(answer) as asked:
        found = ask(data(), asked.url, monkeypatch, events=events, batch_rows=N)
        assert len(asked.questions) == 3 and known_rows(found.logits["test"]).all()
    waits = [e["message"] for e in events if e.get("code") == "endpoint_waits"]
    assert "127.0.0.1 gave no answer (429 Too Many Requests); it is asked again." in waits
    turns = iter([(429, {"Retry-After": "3600"})])
    with endpoint(answer) as asked, pytest.raises(KDError, match="429 Too Many Requests"):
        ask(data(), asked.url, monkeypatch)
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    assert 80 < posting._asked_wait(later) <= 90
    assert posting._asked_wait("soon") is None is posting._asked_wait(None)


def test_no_more_questions_are_asked_in_a_second_than_allowed(monkeypatch):
    pauses = []
    still = SimpleNamespace(monotonic=lambda: 0.0, perf_counter=lambda: 0.0)
    monkeypatch.setattr(source, "time", still)
    monkeypatch.setattr(source, "_pause", lambda seconds, should_stop: pauses.append(seconds))
    with endpoint(probabilities) as asked:
        ask(data(), asked.url, monkeypatch, per_second=20)
        assert len(asked.questions) == 4
    assert pauses == pytest.approx([0.0, 0.05, 0.05, 0.05])


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            (302, {"Location": "http://127.0.0.1:1/other"}),
            "endpoint_moved",
            r"points to another address \(302\), which is not",
        ),
        ((401, {}), "endpoint_refused", "refused the question: 401 busy"),
        (b"<html>", "endpoint_no_json", "is no JSON"),
        (b'{"classes": ["no", "yes"], "probabilities": [[NaN, 1]]}', "endpoint_no_json", "NaN is no number"),
        (b"[" * 50_000, "endpoint_no_json", "is no JSON"),
        (b" " * 70_000, "endpoint_large", "is larger than 60,000 bytes"),
        ([1], "endpoint_reply", r"one of probabilities or logits is needed, it holds a list"),
        ({"values": [1]}, "endpoint_reply", "it holds values"),
        (
            {"classes": ["no", "yes"], "probabilities": [[0.5, 0.5]]},
            "endpoint_reply",
            "holds 1 rows, 100 were asked for",
        ),
        ({"classes": ["no", "yes"], "probabilities": 3}, "endpoint_reply", "holds no list, 100 were asked for"),
        (
            {"classes": ["no", "maybe"], "probabilities": [[1, 0]] * 100},
            "endpoint_reply",
            r"missing: yes; unknown: maybe",
        ),
        ({"classes": ["no", "yes", "yes"], "probabilities": [[1, 0, 0]] * 100}, "endpoint_reply", "3 named"),
        ({"probabilities": [[1, 0]] * 100}, "endpoint_reply", "missing: no, yes"),
        (
            {"classes": ["no", "yes"], "probabilities": [[1]] * 100},
            "endpoint_reply",
            "row 1 has to be a list of 2 numbers",
        ),
        (
            {"classes": ["no", "yes"], "probabilities": [["a", 0]] * 100},
            "endpoint_reply",
            "row 1 holds 'a', which is no number",
        ),
        ({"classes": ["no", "yes"], "probabilities": [[True, 0]] * 100}, "endpoint_reply", "row 1 holds 'True'"),
        ({"classes": ["no", "yes"], "logits": [[10**400, 0]] * 100}, "endpoint_reply", "which is no number"),
        ({"classes": ["no", "yes"], "probabilities": [[0.9, 0.9]] * 100}, "soft_label_sums", "don't add up to 1"),
        (
            {"classes": ["no", "yes"], "probabilities": [[-0.5, 1.5]] * 100},
            "soft_label_negative",
            "have to be 0 or above",
        ),
        (
            {"classes": ["no", "yes"], "probabilities": [None] * 100},
            "endpoint_none",
            "answered none of the 200 training rows",
        ),
    ],
)
def test_answers_that_can_not_be_used_are_refused_with_their_reason(monkeypatch, answer, code, words):
    monkeypatch.setattr(source, "ANSWER_BYTES", 60_000)
    whole = {"probabilities": 100} if code == "endpoint_none" else {}

    def cut(question):
        if not whole:
            return answer
        return {**answer, "probabilities": answer["probabilities"][: len(question["rows"])]}

    with endpoint(cut) as asked, pytest.raises(KDError, match=words) as error:
        ask(data(), asked.url, monkeypatch)
    assert error.value.code == code and error.value.hint
    assert len(asked.questions) <= 4 and "{" not in error.value.message.replace('{"', "")


def test_logits_values_and_rows_that_nobody_knows(monkeypatch):
    def logits(question):
        return {
            "classes": ["no", "yes"],
            "logits": [None if i % 3 else [0, 2.5] for i, _ in enumerate(question["rows"])],
        }

    with endpoint(logits) as asked:
        found = ask(data(), asked.url, monkeypatch, batch_rows=N)
    known = known_rows(found.logits["train"])
    assert known.tolist() == [i % 3 == 0 for i in range(200)] and found.logits["train"][0].tolist() == [0.0, 2.5]

    def values(question):
        return {"values": [30 + (r["a"] or 0) for r in question["rows"]]}

    rows = data("regression")
    with endpoint(values) as asked:
        z = ask(rows, asked.url, monkeypatch).logits["test"][:, 0]
    np.testing.assert_allclose(z * rows.target_std + rows.target_mean, 30 + rows.test.row_ids / 4, rtol=1e-5)


def test_a_sender_of_a_byte_now_and_then_is_cut_off(monkeypatch):
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip():
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        to = posting.address(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        with pytest.raises(posting.Refusal, match=r"no whole answer within 0\.3 s"):
            posting.post(to, {}, token=None, seconds=0.3, most_bytes=10**6)
    finally:
        over.set()
        thread.join()
        listening.close()
    with pytest.raises(posting.Refusal, match="no answer"):
        posting.post(to, {}, token=None, seconds=1, most_bytes=10)  # nobody listens any more


@pytest.mark.parametrize(
    ("columns", "code", "words"),
    [
        (["a", "c"], "unknown_column", r"no column c that could be sent\. Columns: a, b, when, y"),
        (["a", "y"], "sends_target", "The target y would be sent along"),
    ],
)
def test_what_must_not_be_sent_is_refused_before_anything_is(monkeypatch, columns, code, words):
    with endpoint(probabilities) as asked:
        with pytest.raises((DataError, SpecError), match=words) as error:
            ask(data(), asked.url, monkeypatch, columns=columns)
        assert error.value.code == code and not asked.questions


def test_pictures_are_not_sent(monkeypatch):
    monkeypatch.setattr(source, "shape_of", lambda column: (2, 2) if column.name == "b" else None)
    with pytest.raises(SpecError, match=r"Pictures can't be sent: b\. .* bring a file of soft labels"):
        ask(data(), "http://127.0.0.1:9/", monkeypatch)


def test_chosen_columns_alone_are_sent_and_the_time_is_foreseen(monkeypatch):
    with endpoint(lambda q: {"classes": ["no", "yes"], "logits": [[0, 1]] * len(q["rows"])}) as asked:
        ask(data(), asked.url, monkeypatch, columns=["b"], batch_rows=3)
        assert sorted(str(row["b"]) for row in asked.rows) == ["None", *(f"t{i}" for i in range(7))]  # equal rows once
        assert all(set(row) == {"b"} for row in asked.rows) and math.ceil(8 / 3) == len(asked.questions)
    facts = SOURCES.get("endpoint").facts
    assert facts["once"](source.EndpointSpec.parse({"batch_rows": 100, "per_second": 4}), 1_001) == 11 / 4
    said = facts["sends"](source.EndpointSpec.parse({"url": "https://x.org", "columns": ["b"]}), 9, ["a", "b"])
    assert said.message == "9 rows with the columns b are sent to https://x.org, 100 at a time."
