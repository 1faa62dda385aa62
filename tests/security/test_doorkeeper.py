"""Who is let in is decided from the sockets that are open and the headers that came, not from what was configured."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pages.ui.shared import doorkeeper


@pytest.fixture
def heard():
    """Open a listening socket; the doorkeeper looks at it anew."""
    opened = []

    def listen(address: str) -> int:
        one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        one.bind((address, 0))
        one.listen()
        opened.append(one)
        return one.getsockname()[1]

    doorkeeper.bound_to_this_machine.cache_clear()
    yield listen
    for one in opened:
        one.close()
    doorkeeper.bound_to_this_machine.cache_clear()


def scope(port, host="127.0.0.1", client="127.0.0.1", **headers):
    held = {"host": f"127.0.0.1:{port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return {
        "type": "http",
        "path": "/media/x.png",
        "server": (host, port),
        "client": (client, 5000) if client else None,
        "headers": [(k.encode(), v.encode()) for k, v in held.items()],
    }


def visitor(port, **changed):
    asked = scope(port, **changed)
    return doorkeeper.visitor_of(asked, dict(asked["headers"]))


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        (None, False),
        ("192.168.1.4", False),
        ("example.org", False),
    ],
)
def test_only_this_machine_counts_as_loopback(address, open_):
    assert doorkeeper.is_loopback(address) is open_


def test_a_person_at_this_machine_is_let_in(heard):
    port = heard("127.0.0.1")
    assert visitor(port) == "local" and visitor(port, host="localhost") == "local"


def test_a_server_open_to_others_lets_nobody_in_unasked_whatever_was_configured(heard):
    assert visitor(heard("0.0.0.0")) == "outside"
    assert visitor(heard("::")) == "outside"


def test_sockets_that_cannot_be_seen_count_as_open_to_others(heard):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert visitor(free.getsockname()[1]) == "outside"  # bound, not listening: another process would answer
    for unix in (("/run/app.sock", None), None, ()):
        assert doorkeeper.visitor_of({"server": unix, "client": None}, {}) == "outside"


def test_who_comes_through_something_in_between_is_not_at_this_machine(heard):
    port = heard("127.0.0.1")
    for trace in (
        {"x_forwarded_for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 x"},
        {"x_real_ip": "::1"},
    ):
        assert visitor(port, **trace) == "outside", trace
    assert visitor(port, client="203.0.113.7") == "outside" and visitor(port, client=None) == "outside"
    assert doorkeeper.visitor_of(scope(port), {b"host": b"kd.example.org"}) == "outside"
    assert doorkeeper.visitor_of(scope(port), {}) == "outside"


def test_a_proxys_user_header_counts_only_when_asked_for_and_only_where_strangers_cannot_write_it(heard, monkeypatch):
    inside, open_ = heard("127.0.0.1"), heard("0.0.0.0")
    assert visitor(inside, x_user="ann", x_forwarded_for="203.0.113.7") == "outside"
    monkeypatch.setenv("KD_USER_HEADER", "X-User")
    assert visitor(inside, x_user="ann", x_forwarded_for="203.0.113.7") == "named"
    assert visitor(inside, x_user=" ", x_forwarded_for="203.0.113.7") == "outside"
    assert visitor(open_, x_user="ann") == "outside"


def test_a_stamp_that_the_visitor_writes_is_none(heard):
    assert doorkeeper.stamped([]) == "outside"
    assert doorkeeper.stamped([("X-Kd-Visitor", "local")]) == "outside"
    assert doorkeeper.stamped([("X-Kd-Visitor", f"{'0' * 32}:local")]) == "outside"
    seen = passed(scope(heard("0.0.0.0"), x_kd_visitor=f"{doorkeeper._KEY}:local"), path="/")
    assert doorkeeper.stamped([(k.decode(), v.decode()) for k, v in seen["headers"]]) == "outside"
    assert [k for k, _ in seen["headers"]].count(b"x-kd-visitor") == 1


def passed(asked, **changed):
    """Send a request by the doorkeeper: the scope that reached the app, or the status and text of the refusal."""
    reached, sent = [], []

    async def app(inner, receive, send):
        reached.append(inner)

    async def send(message):
        sent.append(message)

    asyncio.run(doorkeeper.Doorkeeper(app)({**asked, **changed}, None, send))
    if reached:
        return reached[0]
    return (sent[0].get("status", sent[0].get("code")), sent[-1].get("body", b"").decode() or sent[0].get("reason"))


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("path", ["/", "/data", "/_stcore/stream", "/_stcore/health", "/media/a.png"])
def test_hosts_and_origins_are_checked_on_every_route(heard, kind, path):
    port = heard("127.0.0.1")
    refused = 403 if kind == "http" else 1008
    foreign = {**scope(port), "headers": [(b"host", b"evil.example")]}
    status, text = passed(foreign, type=kind, path=path)
    assert status == refused and "does not answer to this host name. Add it to KD_HOSTS" in text
    for origin in (f"http://127.0.0.1:{port + 1}", "http://localhost", "http://evil.example", "null"):
        status, text = passed(scope(port, origin=origin), type=kind, path=path)
        assert status == refused and "a page of another place. Open the workbench itself." in text, origin
    assert passed(scope(port, origin=f"http://127.0.0.1:{port}"), type=kind, path=path)["path"] == path


def test_metrics_are_for_nobody_and_files_for_those_inside(heard):
    inside, open_ = heard("127.0.0.1"), heard("0.0.0.0")
    assert passed(scope(inside), path="/_stcore/metrics") == (403, "This address is closed.")
    assert passed(scope(inside), path="/media/x.png")["path"] == "/media/x.png"
    for path in ("/media/x.png", "/_stcore/upload_file/a/b", "/base/media/x.png"):
        assert passed(scope(open_), path=path) == (403, "Sign in first.")
    assert passed(scope(open_), path="/_stcore/health")["path"] == "/_stcore/health"


def test_the_sign_in_cookie_opens_files_for_the_host_it_was_made_for(heard, monkeypatch):
    import json

    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    port = heard("0.0.0.0")
    monkeypatch.setattr(doorkeeper, "get_cookie_secret", lambda: "secret")

    def asked(secret="secret", **user):
        user = {"origin": f"http://127.0.0.1:{port}", "is_logged_in": True, **user}
        signed = create_signed_value(secret, "_streamlit_user", json.dumps(user)).decode()
        return passed(scope(port, cookie=f"a=b; _streamlit_user={signed}"), path="/media/x.png")

    assert asked()["path"] == "/media/x.png"
    refused = (403, "Sign in first.")
    assert asked(secret="other") == asked(is_logged_in=False) == asked(origin="http://evil.example") == refused
    monkeypatch.setattr(doorkeeper, "get_cookie_secret", lambda: "")
    assert asked() == refused


def test_hosts_of_the_variable_are_added_once(monkeypatch):
    held = {"server.allowedHosts": ["localhost"]}
    monkeypatch.setattr(doorkeeper.config, "get_option", held.__getitem__)
    monkeypatch.setattr(doorkeeper.config, "set_option", lambda name, value, where: held.update({name: value}))
    doorkeeper.allow_named_hosts()
    assert held["server.allowedHosts"] == ["localhost"]
    monkeypatch.setenv("KD_HOSTS", "kd.example.org, localhost,")
    doorkeeper.allow_named_hosts()
    assert held["server.allowedHosts"] == ["localhost", "kd.example.org"]
