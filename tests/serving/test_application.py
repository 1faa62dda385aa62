"""The service as an ASGI application: what takes too long, who comes in crowds, and what fails inside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading

import pytest

from kd_core import limits
from kd_core.serving.application import application
from kd_core.serving.guard import Guard
from kd_core.serving.request import Refused

ROW = json.dumps({"row": {"a": 1, "b": 2, "kind": "red"}}).encode()


class Waiting:
    """A model that answers when it is let, as the served one does."""

    def __init__(self, served):
        self.served, self.let = served, threading.Event()
        for name in ("name", "types", "purpose", "examples", "pictures"):
            setattr(self, name, getattr(served, name))

    def run(self, rows):
        self.let.wait(30)
        return self.served.run(rows)


class Failing(Waiting):
    def run(self, rows):
        raise ZeroDivisionError("a secret of the inside")


async def ask(app, *pieces, path="/predict", method="POST", pause=0.0):
    """Send a request in pieces; return status, headers and JSON."""
    headers = [(b"host", b"127.0.0.1:1"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
    }
    scope |= {
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("c", 1),
        "server": ("s", 1),
    }
    left, sent = list(pieces), []

    async def receive():
        await asyncio.sleep(pause)
        return (
            {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}
            if left
            else {"type": "http.disconnect"}
        )

    async def send(message):
        sent.append(message)

    with contextlib.suppress(ZeroDivisionError):  # raised again for the server's log, after the answer was sent
        await app(scope, receive, send)
    start = next(m for m in sent if m["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return start["status"], dict(start["headers"]), json.loads(body)


def test_a_body_that_trickles_is_not_waited_for(served, monkeypatch):
    monkeypatch.setattr(limits, "SERVE_BODY_SECONDS", 0.2)
    status, _, told = asyncio.run(ask(application(served), *[b"{"] * 50, pause=0.1))
    assert (status, told["error"]["code"]) == (408, "too_slow")


def test_more_requests_than_can_wait_are_asked_to_come_again(served, monkeypatch):
    monkeypatch.setattr(limits, "SERVE_WAITING", 1)
    monkeypatch.setattr(limits, "SERVE_THREADS", 1)
    model = Waiting(served)
    app = application(model)

    async def crowd():
        first = [asyncio.create_task(ask(app, ROW)) for _ in range(2)]
        await asyncio.sleep(0.2)
        refused = await ask(app, ROW)
        model.let.set()
        return await asyncio.gather(*first), refused, await ask(app, ROW)

    answered, (status, headers, told), after = asyncio.run(crowd())
    assert [one[0] for one in (*answered, after)] == [200, 200, 200]
    assert (status, told["error"]["code"], headers[b"retry-after"]) == (503, "busy", b"1")


def test_an_answer_that_takes_too_long_is_given_up_and_its_place_kept_until_it_ends(served, monkeypatch):
    monkeypatch.setattr(limits, "SERVE_SECONDS", 0.2)
    monkeypatch.setattr(limits, "SERVE_WAITING", 0)
    monkeypatch.setattr(limits, "SERVE_THREADS", 1)
    model = Waiting(served)
    app = application(model)

    async def impatient():
        late, still = await ask(app, ROW), await ask(app, ROW)
        model.let.set()
        await asyncio.sleep(0.3)
        return late, still, await ask(app, ROW)

    late, still, after = asyncio.run(impatient())
    assert (late[0], late[2]["error"]["code"]) == (503, "too_slow")
    assert (still[0], still[2]["error"]["code"]) == (503, "busy")
    assert after[0] == 200


def test_what_fails_inside_is_told_by_a_number_and_logged_under_it(served, caplog):
    with caplog.at_level(logging.ERROR, "kd_core.serving"):
        status, headers, told = asyncio.run(ask(application(Failing(served)), ROW))
    assert (status, told["error"]["code"]) == (500, "failed") and b"x-frame-options" in headers
    assert "secret" not in str(told)
    (record,) = [r for r in caplog.records if r.name == "kd_core.serving"]
    assert record.args[0] in told["error"]["message"] and "a secret of the inside" in str(record.exc_info[1])


@pytest.mark.parametrize("kind", ["websocket"])
def test_other_protocols_are_left_alone(served, kind):
    async def nothing(*_):
        raise AssertionError("nothing is sent or received")

    asyncio.run(application(served)({"type": kind, "path": "/", "headers": []}, nothing, nothing))


@pytest.mark.parametrize("hosts", [(), (b"localhost", b"evil.example")])
def test_two_hosts_and_none_are_refused_whatever_the_server_lets_pass(hosts):
    with pytest.raises(Refused) as raised:
        Guard(None, "127.0.0.1", None).check("/", [(b"host", host) for host in hosts])
    assert raised.value.code == "wrong_host"
